// This node's own records in ZooKeeper: made, kept, replaced and taken back, whatever happens to sessions and to the records.

import type { Announcement } from '../directory.ts';
import { addressOf } from '../member.ts';
import { codeOf, type ZookeeperConnection } from './zookeeper-client.ts';
import { ZookeeperPayload } from './zookeeper-payload.ts';
import { factsText, hasPrefix, leafPrefix, nodeText, readFacts, readNode, type ZookeeperPaths } from './zookeeper-records.ts';

export interface RegistrationOptions {
  readonly paths: ZookeeperPaths;
  /** Types whose folders are made too: a C++ node sets no watch on one that is missing. */
  readonly types: readonly string[];
  /** Something was done or cannot be done; `problem` is one sentence or undefined. */
  told(message: string, fields: { problem?: string; path?: string }): void;
}

const RETRY_MS = 500;
const EMPTY = Buffer.alloc(0);
/** Seconds by which a record is newer than the one that it replaces. */
const NEWER = 0.001;

interface Sibling {
  readonly path: string;
  readonly isOurs: boolean;
  readonly isSameAddress: boolean;
  readonly activeTime: number;
}

export class ZookeeperRegistration {
  readonly payload = new ZookeeperPayload();
  readonly #options: RegistrationOptions;
  #target: Announcement | undefined;
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];
  #connection: ZookeeperConnection | undefined;
  #hasFolders = false;
  /** Our record among the originals', and what was written into it. */
  #node: { readonly path: string; readonly text: string; readonly key: string } | undefined;
  /** Records of ours that may still stand. */
  readonly #left = new Set<string>();
  #factsPath: string | undefined;
  #activeTime = 0;
  #wasAnnounced = false;
  #isStale = false;
  #isWorking = false;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** One sentence while the records cannot be written. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Of the record among the originals'; '' before there was one. */
  get path(): string {
    return this.#node?.path ?? '';
  }

  /** `undefined` takes the records back. Resolves when it is done and read back; rejects when closed before. */
  announce(target: Announcement | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#target = target;
    this.#waiting.push({ resolve, reject });
    this.#check();
    return promise;
  }

  /** Works over this connection from now on. */
  attach(connection: ZookeeperConnection): void {
    this.#connection = connection;
    this.#hasFolders = false;
    this.#check();
  }

  close(): void {
    this.#connection = undefined;
    clearTimeout(this.#retry);
    const waiting = this.#waiting.splice(0);
    for (const { reject } of waiting) reject(new Error('the directory was closed before the node was announced'));
  }

  /** Also the watcher of our records: whatever happened to them, it is looked at. */
  readonly #check = (): void => {
    this.#isStale = true;
    if (this.#isWorking || this.#connection === undefined) return;
    this.#isWorking = true;
    clearTimeout(this.#retry);
    void this.#work();
  };

  async #work(): Promise<void> {
    while (this.#isStale && this.#connection !== undefined) {
      this.#isStale = false;
      const connection = this.#connection;
      const waiting = [...this.#waiting];
      try {
        await (this.#target === undefined ? this.#takeBack(connection) : this.#keep(connection, this.#target));
        this.#setProblem(undefined);
        this.#waiting = this.#waiting.filter((one) => !waiting.includes(one));
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        // a folder may have been removed under us
        this.#hasFolders = false;
        if (!connection.isUp) continue;
        this.#setProblem((error as Error).message);
        this.#retry = setTimeout(this.#check, RETRY_MS);
      }
    }
    this.#isWorking = false;
  }

  #setProblem(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.told('node is announced again', {});
    else this.#options.told('node cannot be announced', { problem });
  }

  async #keep(connection: ZookeeperConnection, target: Announcement): Promise<void> {
    const { paths, types } = this.#options;
    if (!this.#hasFolders) await makeFolders(connection, paths, [...types, target.type]);
    this.#hasFolders = true;
    // facts first and last: whoever sees the record sees with it whose it is, and a record is never gone before ours says why
    await this.#keepFacts(connection, target, target.facts?.state === 'draining');
    if (target.facts?.state !== 'draining') {
      await this.#keepNode(connection, target);
    } else {
      for (const path of this.#left) await connection.remove(path);
      this.#left.clear();
      if (this.#node !== undefined) this.#node = { ...this.#node, text: '' };
    }
    await this.#keepFacts(connection, target, true);
    this.payload.place(connection, this.#node && `${paths.payload}/${target.type}/${leafOf(this.#node.path)}`);
    this.#wasAnnounced = true;
  }

  // ---- the record that the originals read ----

  async #keepNode(connection: ZookeeperConnection, target: Announcement): Promise<void> {
    const key = JSON.stringify([target.type, target.name, target.host, target.port, target.workers]);
    if (this.#node?.key === key && (await this.#stands(connection, this.#node))) return;
    await this.#makeNode(connection, target, key);
  }

  /** Looks at it with a watch, and mends its data. */
  async #stands(connection: ZookeeperConnection, { path, text }: { path: string; text: string }): Promise<boolean> {
    try {
      const { data, isOurs } = await connection.get(path, this.#check);
      if (!isOurs || text === '') return false;
      if (data.toString() !== text) await connection.set(path, Buffer.from(text));
      return true;
    } catch (error) {
      if (codeOf(error) === 'noNode') return false;
      throw error;
    }
  }

  /** A new record, newer than all others of this address, and only then the others removed: an original misses a record that changes in place. */
  async #makeNode(connection: ZookeeperConnection, target: Announcement, key: string): Promise<void> {
    const folder = `${this.#options.paths.nodes}/${target.type}`;
    const prefix = leafPrefix(target);
    const siblings = await this.#siblings(connection, folder, prefix, target);
    const path = await connection.create(`${folder}/${prefix}`, EMPTY, { ephemeral: true, sequential: true });
    this.#left.add(path);
    const activeTime = this.#nextTime(target, siblings);
    const text = nodeText(path, target, activeTime);
    await connection.set(path, Buffer.from(text));
    this.#activeTime = activeTime;
    this.#node = { path, text, key };
    this.#options.told('node is announced', { path });
    // what the process that had this address before left behind is removed, but only once: two that live must not fight for ever
    const foreign = this.#wasAnnounced ? [] : siblings.filter(({ isSameAddress }) => isSameAddress);
    const old = [...this.#left, ...siblings.filter(({ isOurs }) => isOurs).map((one) => one.path), ...foreign.map((one) => one.path)];
    for (const one of new Set(old)) if (one !== path) await connection.remove(one);
    this.#left.clear();
    this.#left.add(path);
    if (!(await this.#stands(connection, this.#node))) throw new Error(`${path} was removed by somebody as soon as it was written`);
  }

  /** Records that may be ours: of this session (an answer was lost on its way), or of a process before this one. */
  async #siblings(connection: ZookeeperConnection, folder: string, prefix: string, target: Announcement): Promise<Sibling[]> {
    const leaves = (await connection.children(folder)).filter((leaf) => hasPrefix(leaf, prefix));
    const found = await Promise.all(
      leaves.map(async (leaf): Promise<Sibling[]> => {
        try {
          const { data, isOurs } = await connection.get(`${folder}/${leaf}`);
          const member = readNode(leaf, data);
          const isSameAddress = member !== undefined && addressOf(member) === addressOf(target);
          return [{ path: `${folder}/${leaf}`, isOurs, isSameAddress, activeTime: isSameAddress ? member.activeTime : 0 }];
        } catch (error) {
          if (codeOf(error) === 'lost') throw error;
          return [];
        }
      }),
    );
    return found.flat();
  }

  /**
   * Seconds since 1970. A record that replaces one of ours is a little newer, as originals need it, and the first of a process is newer than
   * what the process before it left, even if a clock was put back. It never outruns another node that lives and announces the same address:
   * of the two the one that came last counts.
   */
  #nextTime({ activeTime }: Announcement, siblings: readonly Sibling[]): number {
    const newest = Math.max(this.#activeTime, ...(this.#wasAnnounced ? [] : siblings.map((one) => one.activeTime)));
    return activeTime > newest ? activeTime : Math.round((newest + NEWER) * 1e6) / 1e6;
  }

  // ---- our own record ----

  /** `isFinal` writes what is announced; else a record that is there may still say what was true before. */
  async #keepFacts(connection: ZookeeperConnection, target: Announcement, isFinal: boolean): Promise<void> {
    const path = `${this.#options.paths.kim}/${target.type}/${addressOf(target)}`;
    if (this.#factsPath !== undefined && this.#factsPath !== path) await connection.remove(this.#factsPath);
    this.#factsPath = path;
    const data = Buffer.from(factsText(target, this.#activeTime || target.activeTime));
    try {
      const found = await connection.get(path, isFinal ? this.#check : undefined);
      if (found.isOurs) {
        if (isFinal && !found.data.equals(data)) await connection.set(path, data);
        return;
      }
      // of a process before this one, or of another node with the same address: the newer has it
      const other = readFacts(found.data)?.activeTime ?? 0;
      if (this.#wasAnnounced && other > this.#activeTime) return;
      await connection.remove(path);
    } catch (error) {
      if (codeOf(error) !== 'noNode') throw error;
    }
    await connection.create(path, data, { ephemeral: true });
    if (isFinal) await connection.get(path, this.#check);
  }

  async #takeBack(connection: ZookeeperConnection): Promise<void> {
    this.payload.place(connection, undefined);
    for (const path of this.#left) await connection.remove(path);
    this.#left.clear();
    this.#node = undefined;
    if (this.#factsPath !== undefined) await connection.remove(this.#factsPath);
    this.#factsPath = undefined;
  }
}

/** Persistent, empty, one part of the path at a time. */
async function makeFolders(connection: ZookeeperConnection, paths: ZookeeperPaths, types: readonly string[]): Promise<void> {
  const folders = [...new Set(types)].flatMap((type) => [paths.nodes, paths.payload, paths.kim].map((folder) => `${folder}/${type}`));
  const parts = folders.flatMap((folder) => folder.split('/').map((_, i, all) => all.slice(0, i + 1).join('/')));
  for (const part of new Set(parts)) {
    if (part === '' || (await connection.exists(part))) continue;
    try {
      await connection.create(part, EMPTY);
    } catch (error) {
      if (codeOf(error) !== 'nodeExists') throw error;
    }
  }
}

const leafOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
