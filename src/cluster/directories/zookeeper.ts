// Members in ZooKeeper, exactly as the originals announce and watch them (docs/cluster.md), so that a C++ node can be one of them.

import type { Logger } from '../../ops/log.ts';
import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { formatServer, type ConnectOptions, type ZookeeperConnection } from './zookeeper-client.ts';
import { ZookeeperFolder } from './zookeeper-folder.ts';
import { mergeRecords, pathsOf, type ZookeeperPaths } from './zookeeper-records.ts';
import { ZookeeperRegistration } from './zookeeper-registration.ts';
import { parseServers } from './zookeeper-servers.ts';
import { ZookeeperSession } from './zookeeper-session.ts';

export interface ZookeeperOptions {
  /** As in 10.0.0.1:2181,10.0.0.2:2181. */
  readonly servers: string;
  /** The folder that holds nodes and payload, as in /kimserver. */
  readonly root: string;
  /** Node types that are watched. */
  readonly types: readonly string[];
  /** How long a node that fell silent stays announced; default 10 s. The servers have bounds of their own. */
  readonly sessionTimeoutMs?: number | undefined;
  readonly auth?: ConnectOptions['auth'];
  /** Default `open`: C++ nodes know no credentials. */
  readonly acl?: ConnectOptions['acl'] | undefined;
  readonly log?: Logger | undefined;
}

const SESSION_TIMEOUT_MS = 10_000;
const WITHDRAW_MS = 1000;
/** Names of records that cannot be read: each is logged once, and no more than this. */
const MAX_BAD = 1000;
/** Where something changes all the time, the list is told although more is to come, after so many looks. */
const MAX_PUT_OFF = 20;

/** Throws one sentence for servers, a root or credentials that can be none. */
export class ZookeeperDirectory implements Directory {
  readonly name = 'zookeeper';
  readonly #options: ZookeeperOptions;
  readonly #paths: ZookeeperPaths;
  readonly #servers: string;
  readonly #session: ZookeeperSession;
  readonly #registration: ZookeeperRegistration;
  #events: DirectoryEvents | undefined;
  #connection: ZookeeperConnection | undefined;
  #folders: { readonly nodes: readonly ZookeeperFolder[]; readonly facts: readonly ZookeeperFolder[] } = { nodes: [], facts: [] };
  readonly #folderProblems = new Map<string, string>();
  #health: DirectoryHealth;
  readonly #bad = new Set<string>();
  #unreadable = 0;
  #putOff = 0;

  constructor(options: ZookeeperOptions) {
    const { sessionTimeoutMs = SESSION_TIMEOUT_MS, auth, acl = 'open' } = options;
    const servers = parseServers(options.servers);
    if (acl === 'creator' && auth === undefined) throw new Error('ZooKeeper acl "creator" needs auth: a user and a password');
    this.#options = options;
    this.#paths = pathsOf(options.root);
    this.#servers = servers.map(formatServer).join(', ');
    this.#health = { state: 'connecting', detail: `connecting to ${this.#servers}` };
    this.#session = new ZookeeperSession(
      { servers, sessionTimeoutMs, auth, acl },
      { up: (connection) => this.#up(connection), lost: () => this.#lost(), down: (reason) => this.#setHealth('down', reason) },
    );
    this.#registration = new ZookeeperRegistration({
      paths: this.#paths,
      types: options.types,
      told: (message, fields) => {
        options.log?.[fields.problem === undefined ? 'info' : 'warn'](message, fields);
        this.#judge();
      },
    });
  }

  get health(): DirectoryHealth {
    return this.#health;
  }

  /** Records that are there but make no member, as of the last look. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** The path of this node's own record, as the payload names it; '' before it was announced. */
  get recordPath(): string {
    return this.#registration.path;
  }

  open(events: DirectoryEvents): void {
    this.#events = events;
    this.#session.open();
  }

  announce(self: Announcement): Promise<void> {
    return this.#registration.announce(self);
  }

  /** What the node did in the last second, as JSON; written as soon as that is possible, and lost if it is not. */
  payload(json: string): void {
    this.#registration.payload.set(json);
  }

  async withdraw(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WITHDRAW_MS);
    const done = this.#registration.announce(undefined).catch(() => undefined);
    await Promise.race([done, promise]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#events = undefined;
    this.#stopFolders();
    this.#registration.close();
    // with the session goes all that it announced
    await this.#session.close();
  }

  #up(connection: ZookeeperConnection): void {
    this.#connection = connection;
    this.#options.log?.info('zookeeper is connected', { server: connection.server, timeoutMs: connection.sessionTimeoutMs });
    this.#stopFolders();
    const types = [...new Set(this.#options.types)];
    const watch = (folder: string) => types.map((type) => this.#watch(`${folder}/${type}`, connection));
    this.#folders = { nodes: watch(this.#paths.nodes), facts: watch(this.#paths.kim) };
    this.#registration.attach(connection);
    this.#judge();
    if (types.length === 0) this.#changed();
  }

  #lost(): void {
    this.#connection = undefined;
    this.#options.log?.warn('zookeeper connection is lost', {});
    this.#stopFolders();
    // what is known is not told for now: whoever merges lists must know that the next one may be short
    if (this.#health.state === 'up') this.#setHealth('connecting', `connecting again to ${this.#servers}`);
  }

  #stopFolders(): void {
    for (const folder of [...this.#folders.nodes, ...this.#folders.facts]) folder.stop();
    this.#folderProblems.clear();
  }

  #watch(path: string, connection: ZookeeperConnection): ZookeeperFolder {
    return new ZookeeperFolder(path, connection, {
      changed: () => this.#changed(),
      problem: (message) => {
        if (message === undefined) this.#folderProblems.delete(path);
        else this.#folderProblems.set(path, message);
        this.#judge();
      },
    });
  }

  #changed(): void {
    const { nodes, facts } = this.#folders;
    const folders = [...nodes, ...facts];
    if (!folders.every(({ isLoaded }) => isLoaded)) return;
    // a node that begins to drain leaves one folder and changes in another: both are read before anything is told
    if (folders.some(({ isBehind }) => isBehind) && ++this.#putOff < MAX_PUT_OFF) return;
    this.#putOff = 0;
    const all = (some: readonly ZookeeperFolder[]) => some.flatMap(({ records }) => [...records]);
    const { members, bad } = mergeRecords(all(nodes), all(facts));
    this.#unreadable = bad.length;
    for (const leaf of bad) this.#name(leaf);
    this.#events?.members(members);
  }

  #name(leaf: string): void {
    if (this.#bad.has(leaf) || this.#bad.size >= MAX_BAD) return;
    this.#bad.add(leaf);
    this.#options.log?.warn('zookeeper record cannot be read', { record: leaf });
  }

  #judge(): void {
    if (this.#connection === undefined) return;
    const problem = [...this.#folderProblems.values()][0] ?? this.#registration.problem;
    if (problem === undefined) this.#setHealth('up', `connected to ${this.#connection.server} of ${this.#servers}`);
    else this.#setHealth('down', `connected to ${this.#connection.server}, but ${problem}`);
  }

  #setHealth(state: DirectoryHealth['state'], detail: string): void {
    if (state === this.#health.state && detail === this.#health.detail) return;
    if (state !== this.#health.state && state === 'down') this.#options.log?.warn('zookeeper is down', { why: detail });
    this.#health = { state, detail };
    this.#events?.health(this.#health);
  }
}
