// Where members are announced and watched. One contract suite (test/contract/directory.ts) runs against every implementation.

import type { Member } from './member.ts';

/** What a node announces of itself; the directory stamps `source`. */
export type Announcement = Omit<Member, 'source'>;

export interface DirectoryHealth {
  /** `down` means that neither lists nor announcements pass; what was known stays known. */
  readonly state: 'connecting' | 'up' | 'down';
  /** One sentence for people: what is wrong, or where it is connected. */
  readonly detail: string;
}

export interface DirectoryEvents {
  /** The whole list, whenever it may have changed, and once when it is first known. Never called while nothing can be known. */
  members(list: readonly Member[]): void;
  health(health: DirectoryHealth): void;
}

export interface Directory {
  /** As in metrics, status and `Member.source`: file, static, zookeeper, kubernetes, combined. */
  readonly name: string;
  readonly health: DirectoryHealth;
  /** Each directory by itself, where it is made of several. */
  readonly parts?: readonly { readonly name: string; readonly health: DirectoryHealth }[];
  /**
   * Begins to connect and to tell; called once. Does not wait and does not throw: a directory that can not be reached is `down` and goes on trying.
   */
  open(events: DirectoryEvents): void;
  /**
   * Announces this node, or changes what was announced. Resolves when the record has been read back once; rejects only when the directory
   * is closed first. While the directory is down the announcement waits, and whatever is lost (a session that expired, a record that
   * somebody deleted) is announced again without being asked. Of several calls the last counts.
   */
  announce(self: Announcement): Promise<void>;
  /** Where the own record stands, in directories that take reports of load; empty before it was announced. */
  readonly recordPath?: string;
  /** What the node did in the last second, as the originals write it; written as soon as that is possible, and lost if it is not. */
  payload?(json: string): void;
  /** Takes the announcement back, as soon as that is possible; gives up silently after a second. */
  withdraw(): Promise<void>;
  /** Withdraws and ends everything; no event comes afterwards. */
  close(): Promise<void>;
}
