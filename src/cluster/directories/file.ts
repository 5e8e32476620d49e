// Members in a folder of this machine: one file for each, written beside and moved into place. The default of "kim up"; needs no server.
//
// A file counts for as long as the process that wrote it lives: its pid, and when it was started, stand in it. Every node looks at the
// folder when something changes there and once in a while, puts its own file back where somebody has deleted it, and removes what dead
// processes have left.

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { addressOf, type Member } from '../member.ts';
import { parseRecord, recordText } from './file-record.ts';
import { isAlive, startOf } from './process-life.ts';

export interface FileDirectoryOptions {
  readonly folder: string;
  /** How often the folder is looked at though nothing was noticed, in milliseconds. */
  readonly pollMs?: number | undefined;
  /** Records beyond this are left out, and the health says so. */
  readonly maxMembers?: number | undefined;
  /** Tells the records of one process apart, where it has several nodes; part of their file names. */
  readonly writer?: string | undefined;
}

const POLL_MS = 500;
const MAX_MEMBERS = 10_000;
/** A record of more bytes is none of ours. */
const MAX_BYTES = 16 * 1024;
/** What a writer that crashed left half written is removed when it is this old. */
const STALE_MS = 10_000;
const ENDING = '.json';

export class FileDirectory implements Directory {
  readonly name = 'file';
  readonly #folder: string;
  readonly #pollMs: number;
  readonly #maxMembers: number;
  readonly #writer: string;
  #health: DirectoryHealth;
  #events: DirectoryEvents | undefined;
  #self: { announcement: Announcement; text: string; file: string } | undefined;
  #announced = Promise.withResolvers<void>();
  #isAnnounced = false;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isDue = false;
  #isClosed = false;
  #last = '';
  #writes = 0;

  constructor({ folder, pollMs = POLL_MS, maxMembers = MAX_MEMBERS, writer = '' }: FileDirectoryOptions) {
    this.#writer = writer === '' ? `${process.pid}` : `${process.pid}-${writer}`;
    this.#folder = folder;
    this.#pollMs = pollMs;
    this.#maxMembers = maxMembers;
    this.#health = { state: 'connecting', detail: `folder ${folder}` };
    this.#announced.promise.catch(() => undefined);
  }

  get health(): DirectoryHealth {
    return this.#health;
  }

  open(events: DirectoryEvents): void {
    this.#events = events;
    this.#timer = setInterval(() => this.#look(), this.#pollMs);
    this.#look();
  }

  async announce(announcement: Announcement): Promise<void> {
    if (this.#isClosed) throw new Error('the directory is closed');
    const file = join(this.#folder, `${addressOf(announcement).replaceAll(/[^a-zA-Z0-9.-]/g, '_')}-${this.#writer}${ENDING}`);
    if (this.#self !== undefined && this.#self.file !== file) await rm(this.#self.file, { force: true });
    this.#self = { announcement, text: recordText(announcement, { pid: process.pid, started: startOf(process.pid) }), file };
    this.#isAnnounced = false;
    this.#announced.resolve();
    this.#announced = Promise.withResolvers<void>();
    this.#announced.promise.catch(() => undefined);
    this.#look();
    await this.#announced.promise;
  }

  async withdraw(): Promise<void> {
    const file = this.#self?.file;
    this.#self = undefined;
    this.#announced.resolve();
    await this.#looking;
    if (file !== undefined) await rm(file, { force: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
    this.#events = undefined;
    const isWaiting = this.#self !== undefined && !this.#isAnnounced;
    if (isWaiting) this.#announced.reject(new Error('the directory was closed'));
    await this.withdraw();
  }

  /** One look at a time; what is noticed meanwhile is looked at afterwards. */
  #look(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    this.#looking = this.#looking.then(async () => {
      this.#isDue = false;
      try {
        await this.#lookOnce();
      } catch (error) {
        this.#setHealth('down', `folder ${this.#folder}: ${(error as Error).message}`);
      }
    });
  }

  async #lookOnce(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    this.#watch();
    await this.#write();
    const members: Member[] = [];
    const names = (await readdir(this.#folder)).sort();
    const wanted = names.filter((name) => name.endsWith(ENDING));
    for (const name of wanted.slice(0, this.#maxMembers)) {
      const member = await this.#read(join(this.#folder, name));
      if (member !== undefined) members.push(member);
    }
    await this.#removeStale(names.filter((name) => name.includes(`${ENDING}.`)));
    const over = wanted.length - this.#maxMembers;
    this.#setHealth(
      'up',
      over > 0 ? `folder ${this.#folder}: ${over} records above the limit of ${this.#maxMembers} are left out` : `folder ${this.#folder}`,
    );
    this.#tell(members);
  }

  async #write(): Promise<void> {
    if (this.#self === undefined) return;
    const { file, text } = this.#self;
    const there = await readFile(file, 'utf8').catch(() => undefined);
    if (there !== text) {
      const beside = `${file}.${++this.#writes}`;
      await writeFile(beside, text);
      // withdrawn meanwhile
      if (this.#self?.text !== text) return rm(beside, { force: true });
      await rename(beside, file);
    }
    if (this.#isAnnounced || this.#self?.text !== text) return;
    if ((await readFile(file, 'utf8')) !== text) return;
    this.#isAnnounced = true;
    this.#announced.resolve();
  }

  /** Undefined for what is no record, or is one of a process that lives no more. */
  async #read(file: string): Promise<Member | undefined> {
    try {
      if ((await stat(file)).size > MAX_BYTES) return undefined;
      const record = parseRecord(await readFile(file, 'utf8'));
      if (record === undefined) return undefined;
      if (isAlive(record.writer)) return { ...record.announcement, source: this.name };
      await rm(file, { force: true });
    } catch {
      // it went away between two looks
    }
    return undefined;
  }

  async #removeStale(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = join(this.#folder, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > STALE_MS) await rm(file, { force: true });
    }
  }

  #watch(): void {
    if (this.#watcher !== undefined || this.#isClosed) return;
    try {
      this.#watcher = watch(this.#folder, () => this.#look());
      // a folder that is deleted takes its watch with it; the next look makes both anew
      this.#watcher.on('error', () => this.#unwatch());
      this.#watcher.on('close', () => this.#unwatch());
    } catch {
      // where there is no watching there is still looking
    }
  }

  #unwatch(): void {
    this.#watcher?.removeAllListeners();
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #tell(members: readonly Member[]): void {
    const now = JSON.stringify(members);
    if (now === this.#last) return;
    this.#last = now;
    this.#events?.members(members);
  }

  #setHealth(state: DirectoryHealth['state'], detail: string): void {
    if (state === this.#health.state && detail === this.#health.detail) return;
    this.#health = { state, detail };
    if (state === 'down') this.#unwatch();
    this.#events?.health(this.#health);
  }
}
