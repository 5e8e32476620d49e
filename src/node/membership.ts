// The cluster in the manager: announces the node, watches the directories, and tells the workers who there is.

import type { Announcement, Directory, DirectoryHealth } from '../cluster/directory.ts';
import { Describer } from '../cluster/description.ts';
import { addressOf, mergeMembers, type Facts, type Member } from '../cluster/member.ts';
import type { Logger } from '../ops/log.ts';

export interface MembershipOptions {
  /** Undefined where the node is alone. */
  directory: Directory | undefined;
  log: Logger;
  /** The members have changed. */
  changed(members: readonly Member[]): void;
  /** Seconds since 1970. */
  clock(): number;
}

export class Membership {
  /** Tells what is announced to those who ask the node itself. */
  readonly describer = new Describer();
  readonly #options: MembershipOptions;
  #members: readonly Member[] = [];
  #self: Announcement | undefined;
  #isAnnounced = false;
  #version = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Opens the directory and waits until it has told who there is, at most `maxMs`: a node starts without it, too. */
  async begin(maxMs: number): Promise<void> {
    const { directory, log } = this.#options;
    if (directory === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxMs);
      directory.open({
        members: (list) => {
          this.#heard(list);
          clearTimeout(timer);
          resolve();
        },
        health: (health) => log[health.state === 'down' ? 'warn' : 'info']('directory', { ...health }),
      });
    });
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Goes up with every change of the list. */
  get version(): number {
    return this.#version;
  }

  /** True once the own record has been read back; stays true when the directory is lost later. */
  get isAnnounced(): boolean {
    return this.#isAnnounced || this.#options.directory === undefined;
  }

  /** True once the own record has been read back; false for a node that has no directory. */
  get hasAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** Each directory with its health; none for a node that is alone. */
  get directories(): ({ name: string } & DirectoryHealth)[] {
    const { directory } = this.#options;
    const parts = directory?.parts ?? (directory === undefined ? [] : [directory]);
    return parts.map(({ name, health: { state, detail } }) => ({ name, state, detail }));
  }

  get directory(): Directory | undefined {
    return this.#options.directory;
  }

  /** Announces the node, or what has changed of it. A changed number of workers is a newer record: originals read no update in place. */
  announce(self: Omit<Announcement, 'activeTime'>): void {
    const { directory, clock, log } = this.#options;
    const isNewer = this.#self === undefined || this.#self.workers !== self.workers || addressOf(this.#self) !== addressOf(self);
    this.#self = { ...self, activeTime: isNewer ? clock() : this.#self!.activeTime };
    this.describer.say(this.#self);
    // its workers reach each other all the same
    if (directory === undefined) return this.#heard([{ ...this.#self, source: 'static' }]);
    directory.announce(this.#self).then(
      () => (this.#isAnnounced = true),
      (error: unknown) => log.debug('announcement ended', { err: error }),
    );
  }

  /** Tells others what has changed of the facts, if the node is announced. */
  tell(facts: Facts): void {
    if (this.#self !== undefined) this.announce({ ...this.#self, facts });
  }

  #heard(list: readonly Member[]): void {
    const members = mergeMembers([list]);
    if (JSON.stringify(members) === JSON.stringify(this.#members)) return;
    this.#members = members;
    this.#version++;
    this.#options.changed(members);
  }

  /** Takes the announcement back: nobody new is sent here. */
  async withdraw(): Promise<void> {
    this.describer.say(undefined);
    await this.#options.directory?.withdraw();
  }

  async close(): Promise<void> {
    this.describer.close();
    await this.#options.directory?.close();
  }
}
