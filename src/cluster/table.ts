// The cluster as a worker knows it: the members that its manager told, and the ring of each type, without those that can not serve now.

import { addressOf, type Member } from './member.ts';
import { Ring, type MemberPoints } from './ring.ts';

/** A member with its points in the ring, as the manager ships them. */
export interface TableRow {
  readonly member: Member;
  readonly points: MemberPoints;
}

export class Table {
  /** Goes up with every change of what ring() answers. */
  epoch = 0;
  #rows: readonly TableRow[] = [];
  #byAddress = new Map<string, Member>();
  readonly #rings = new Map<string, Ring | undefined>();
  /** The ring before the last change, to make the next one of. */
  readonly #before = new Map<string, Ring>();
  readonly #isLeftAlone: (address: string) => boolean;

  /** `isLeftAlone` tells of nodes that can not be reached at this moment; changed() has to be called when its answers change. */
  constructor(isLeftAlone: (address: string) => boolean) {
    this.#isLeftAlone = isLeftAlone;
  }

  /** Takes the whole list; returns the addresses that are gone. */
  replace(rows: readonly TableRow[]): string[] {
    const before = this.#byAddress;
    this.#rows = rows;
    this.#byAddress = new Map(rows.map(({ member }) => [addressOf(member), member]));
    this.changed();
    return [...before.keys()].filter((address) => !this.#byAddress.has(address));
  }

  changed(): void {
    this.epoch++;
    this.#rings.clear();
  }

  member(address: string): Member | undefined {
    return this.#byAddress.get(address);
  }

  get members(): readonly Member[] {
    return this.#rows.map(({ member }) => member);
  }

  ofType(type: string): readonly Member[] {
    return this.members.filter((member) => member.type === type);
  }

  /**
   * The ring of the nodes of a type that take new sessions. When none of them can be reached it is the ring of all: it is better to try.
   * Undefined when there is none at all.
   */
  ring(type: string): Ring | undefined {
    if (this.#rings.has(type)) return this.#rings.get(type);
    const serving = this.#rows.filter(({ member }) => member.type === type && member.facts?.state !== 'draining');
    const reachable = serving.filter(({ member }) => !this.#isLeftAlone(addressOf(member)));
    const rows = reachable.length > 0 ? reachable : serving;
    const members = rows.map(({ points }) => points);
    const ring = rows.length === 0 ? undefined : (this.#before.get(type)?.changed(members) ?? Ring.of(members));
    if (ring !== undefined) this.#before.set(type, ring);
    this.#rings.set(type, ring);
    return ring;
  }
}
