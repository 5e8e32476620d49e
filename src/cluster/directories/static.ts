// Members that the configuration names: known from the start, and never changing.

import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import type { Member } from '../member.ts';

export class StaticDirectory implements Directory {
  readonly name = 'static';
  readonly #members: readonly Member[];

  constructor(members: readonly Pick<Member, 'type' | 'host' | 'port' | 'workers'>[]) {
    this.#members = members.map(
      // older than any other record: a node that announces itself elsewhere knows its workers better
      (member): Member => ({
        ...member,
        activeTime: 1,
        name: `${member.type}-${member.host}-${member.port}`,
        source: this.name,
        facts: undefined,
      }),
    );
  }

  get health(): DirectoryHealth {
    return { state: 'up', detail: `${this.#members.length} nodes of the configuration` };
  }

  open({ members, health }: DirectoryEvents): void {
    health(this.health);
    members(this.#members);
  }

  /** Nobody reads what is announced here: the others have lists of their own. */
  announce(_self: Announcement): Promise<void> {
    return Promise.resolve();
  }

  withdraw(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
