// Several directories as one: their lists are merged, and losing one is an alarm, not an outage.
//
// What a lost directory knew last stays known. One that is back and knows less proves nothing by that: its members may not have come back yet.
// So what vanished from it in that time stays for a while, unless another directory, which was there all the time, says otherwise.

import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { addressOf, mergeMembers, type Member } from '../member.ts';

/** Two session timeouts of ZooKeeper: within that every member that lives has announced itself anew. */
const GRACE_MS = 20_000;

export interface CombinedOptions {
  readonly graceMs?: number | undefined;
  now?(): number;
}

interface Part {
  readonly directory: Directory;
  list: readonly Member[];
  /** Members that were there before it was lost and are not in its list since it is back, until when. */
  readonly kept: Map<string, { member: Member; until: number }>;
  /** Until when what vanishes is kept. */
  graceUntil: number;
  wasDown: boolean;
}

export class CombinedDirectory implements Directory {
  readonly name = 'combined';
  readonly #parts: readonly Part[];
  readonly #graceMs: number;
  readonly #now: () => number;
  #events: DirectoryEvents | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** The first is the primary: its health is that of all. */
  constructor(directories: readonly Directory[], { graceMs = GRACE_MS, now = () => performance.now() }: CombinedOptions = {}) {
    this.#parts = directories.map((directory) => ({ directory, list: [], kept: new Map(), graceUntil: 0, wasDown: false }));
    this.#graceMs = graceMs;
    this.#now = now;
  }

  /** Each directory by itself. */
  get parts(): readonly { readonly name: string; readonly health: DirectoryHealth }[] {
    return this.#parts.map(({ directory: { name, health } }) => ({ name, health }));
  }

  get health(): DirectoryHealth {
    const { parts } = this;
    const lost = parts.filter(({ health }) => health.state !== 'up');
    const details = lost.map(({ name, health }) => `${name} is ${health.state}: ${health.detail}`);
    if (lost.length === parts.length) return { state: parts[0]!.health.state, detail: details.join('; ') };
    const up = parts.filter(({ health }) => health.state === 'up').map(({ name }) => name);
    return { state: 'up', detail: [`${up.join(' and ')} ${up.length === 1 ? 'is' : 'are'} up`, ...details].join('; ') };
  }

  open(events: DirectoryEvents): void {
    this.#events = events;
    for (const part of this.#parts) {
      part.directory.open({
        members: (list) => this.#heard(part, list),
        health: ({ state }) => {
          if (state !== 'up' && part.list.length > 0) part.wasDown = true;
          events.health(this.health);
        },
      });
    }
  }

  #heard(part: Part, list: readonly Member[]): void {
    const now = this.#now();
    if (part.wasDown) {
      part.wasDown = false;
      part.graceUntil = now + this.#graceMs;
    }
    const there = new Set(list.map(addressOf));
    if (now < part.graceUntil) {
      for (const member of part.list) {
        if (!there.has(addressOf(member)) && !part.kept.has(addressOf(member)))
          part.kept.set(addressOf(member), { member, until: part.graceUntil });
      }
    }
    for (const address of there) part.kept.delete(address);
    part.list = list;
    this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    const now = this.#now();
    let next = Infinity;
    const lists = this.#parts.map((part) => {
      for (const [address, { until }] of part.kept) {
        if (until <= now || this.#isDenied(part, address)) part.kept.delete(address);
        else next = Math.min(next, until);
      }
      return [...part.list, ...[...part.kept.values()].map(({ member }) => member)];
    });
    if (next < Infinity) this.#timer = setTimeout(() => this.#tell(), next - now + 1);
    this.#events?.members(mergeMembers(lists));
  }

  /** Another directory, in which nodes announce themselves too and which was there all the time, does not know the member. */
  #isDenied(part: Part, address: string): boolean {
    return this.#parts.some(
      (other) =>
        other !== part &&
        other.directory.name !== 'static' &&
        other.directory.health.state === 'up' &&
        !other.wasDown &&
        this.#now() >= other.graceUntil &&
        !other.list.some((member) => addressOf(member) === address),
    );
  }

  /** Resolves when one of them has it: the others follow when they can. */
  async announce(self: Announcement): Promise<void> {
    const waits = this.#parts.filter(({ directory }) => directory.name !== 'static').map(({ directory }) => directory.announce(self));
    if (waits.length > 0) await Promise.any(waits);
  }

  get recordPath(): string {
    return this.#parts.find(({ directory }) => directory.recordPath !== undefined)?.directory.recordPath ?? '';
  }

  payload(json: string): void {
    for (const { directory } of this.#parts) directory.payload?.(json);
  }

  async withdraw(): Promise<void> {
    await Promise.all(this.#parts.map(({ directory }) => directory.withdraw()));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#events = undefined;
    await Promise.all(this.#parts.map(({ directory }) => directory.close()));
  }
}
