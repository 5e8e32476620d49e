// Members in a folder of this machine: one file for each, written beside and moved into place. The default of "kim up"; needs no server.
//
// A file counts for as long as the process that wrote it lives: its pid, and when it was started, stand in it. Every node looks at the
// folder when something changes there and once in a while, puts its own file back where somebody has deleted it, and removes what dead
// processes have left. A folder that somebody has deleted is a loss, like that of a server: it is empty until all have put theirs back.

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import { basename, join } from 'node:path';
import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { addressOf, mergeMembers, type Member } from '../member.ts';
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
const WITHDRAW_MS = 1000;
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
  /** What announcements wait for; undefined while none does. */
  #announced: PromiseWithResolvers<void> | undefined;
  /** Own files that are to be removed. */
  readonly #old = new Set<string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isDue = false;
  #isClosed = false;
  #last = '';
  /** Which folder it was at the last look; empty before the first. */
  #identity = '';
  #isDeleted = false;
  #writes = 0;

  constructor({ folder, pollMs = POLL_MS, maxMembers = MAX_MEMBERS, writer = '' }: FileDirectoryOptions) {
    this.#writer = writer === '' ? `${process.pid}` : `${process.pid}-${writer}`;
    this.#folder = folder;
    this.#pollMs = pollMs;
    this.#maxMembers = maxMembers;
    this.#health = { state: 'connecting', detail: `folder ${folder}` };
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
    if (this.#self !== undefined) this.#old.add(this.#self.file);
    this.#self = { announcement, text: recordText(announcement, { pid: process.pid, started: startOf(process.pid) }), file };
    this.#announced ??= Promise.withResolvers();
    const { promise } = this.#announced;
    this.#look();
    await promise;
  }

  async withdraw(): Promise<void> {
    this.#announced?.resolve();
    this.#announced = undefined;
    if (this.#self !== undefined) this.#old.add(this.#self.file);
    this.#self = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WITHDRAW_MS);
    await Promise.race([this.#inTurn(() => this.#removeOld()).catch(() => undefined), promise]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#unwatch();
    this.#events = undefined;
    this.#announced?.reject(new Error('the directory was closed'));
    this.#announced = undefined;
    await this.withdraw();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#looking.then(work);
    this.#looking = done.catch(() => undefined);
    return done;
  }

  /** One look at a time; what is noticed meanwhile is looked at afterwards. */
  #look(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    void this.#inTurn(async () => {
      this.#isDue = false;
      if (this.#isClosed) return;
      try {
        await this.#lookOnce();
      } catch (error) {
        this.#setHealth('down', `folder ${this.#folder}: ${(error as Error).message}`);
      }
    });
  }

  async #lookOnce(): Promise<void> {
    await this.#find();
    this.#watch();
    await this.#removeOld();
    await this.#write();
    const names = (await readdir(this.#folder)).sort();
    const { members, left } = await this.#readAll(names.filter((name) => name.endsWith(ENDING)));
    await this.#removeStale(names.filter((name) => name.includes(`${ENDING}.`)));
    // a folder that went away meanwhile has told less than was in it
    if (!(await this.#isStillThere())) return this.#look();
    this.#setHealth(
      'up',
      left > 0 ? `folder ${this.#folder}: ${left} records above the limit of ${this.#maxMembers} are left out` : `folder ${this.#folder}`,
    );
    this.#tell(mergeMembers([members]));
  }

  /** Makes the folder if there is none, and notices if it is another one than before. */
  async #find(): Promise<void> {
    const made = await mkdir(this.#folder, { recursive: true });
    const identity = identityOf(await stat(this.#folder));
    const isOther = this.#identity !== '' && (this.#isDeleted || made !== undefined || identity !== this.#identity);
    this.#identity = identity;
    this.#isDeleted = false;
    if (!isOther) return;
    this.#unwatch();
    this.#setHealth('connecting', `folder ${this.#folder} was deleted; its nodes announce themselves anew`);
  }

  async #isStillThere(): Promise<boolean> {
    const found = await stat(this.#folder).catch(() => undefined);
    return found !== undefined && identityOf(found) === this.#identity && !this.#isDeleted;
  }

  /** Own files that are not wanted any more. */
  async #removeOld(): Promise<void> {
    for (const file of this.#old) {
      if (file !== this.#self?.file) await rm(file, { force: true });
      this.#old.delete(file);
    }
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
    if (this.#announced === undefined || (await readFile(file, 'utf8').catch(() => undefined)) !== text) return;
    // another announcement has overtaken it
    if (this.#self?.text !== text) return;
    this.#announced?.resolve();
    this.#announced = undefined;
  }

  /** The own record first: it is never left out. `left` is how many were not read, since the limit was reached. */
  async #readAll(names: readonly string[]): Promise<{ members: Member[]; left: number }> {
    const own = this.#self === undefined ? '' : basename(this.#self.file);
    const order = [...names.filter((name) => name === own), ...names.filter((name) => name !== own)];
    const members: Member[] = [];
    let looked = 0;
    for (; looked < order.length && members.length < this.#maxMembers; looked++) {
      const member = await this.#read(join(this.#folder, order[looked]!));
      if (member !== undefined) members.push(member);
    }
    return { members, left: order.length - looked };
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
      this.#watcher = watch(this.#folder, (event, name) => {
        // told of the folder itself: it was deleted or renamed, and nothing more will be told of it
        if (event === 'rename' && name === basename(this.#folder)) this.#isDeleted = true;
        this.#look();
      });
      this.#watcher.on('error', () => this.#unwatch());
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
    // what is known when it is back is told also if it is the same
    if (state !== 'up') this.#last = '';
    this.#events?.health(this.#health);
  }
}

const identityOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev}:${ino}`;
