// Several directories as one: their lists are merged, and losing one is an alarm, not an outage.
//
// What a lost directory knew last stays known. One that is back and knows less proves nothing by that: its members may not have come back yet.
// So what vanished from it in that time stays for a while, unless another directory, which was there all the time, has taken it off its list.

import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { addressOf, mergeMembers, type Member } from '../member.ts';

/** Two session timeouts of ZooKeeper: within that every member that lives has announced itself anew. */
const GRACE_MS = 20_000;

export interface CombinedOptions {
  /** How long a member that vanished with a loss of its directory stays, in milliseconds; 20,000 by default. */
  readonly graceMs?: number | undefined;
  /** Whether a member can be reached at this moment: then it stays for longer, and is asked about again after every `graceMs`. */
  readonly isLinked?: ((address: string) => boolean) | undefined;
  now?(): number;
}

interface Part {
  readonly directory: Directory;
  list: readonly Member[];
  /** Members that were there before it was lost and are not in its list since it is back. */
  readonly kept: Map<string, Member>;
  /** Until when what vanishes is kept. */
  graceUntil: number;
  /** It is lost, or has not told its list since. */
  isLost: boolean;
  /** Addresses that it took off its list while it was to be believed and that another still has. */
  readonly removed: Set<string>;
}

export class CombinedDirectory implements Directory {
  readonly name = 'combined';
  readonly #parts: readonly Part[];
  readonly #graceMs: number;
  readonly #isLinked: (address: string) => boolean;
  readonly #now: () => number;
  #events: DirectoryEvents | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** The first is the primary: of records that are equally old and equally fresh its own counts. */
  constructor(
    directories: readonly Directory[],
    { graceMs = GRACE_MS, isLinked = () => false, now = () => performance.now() }: CombinedOptions = {},
  ) {
    this.#parts = directories.map((directory) => ({
      directory,
      list: [],
      kept: new Map(),
      graceUntil: 0,
      isLost: false,
      removed: new Set(),
    }));
    this.#graceMs = graceMs;
    this.#isLinked = isLinked;
    this.#now = now;
  }

  /** Each directory by itself. */
  get parts(): readonly { readonly name: string; readonly health: DirectoryHealth }[] {
    return this.#parts.map(({ directory: { name, health } }) => ({ name, health }));
  }

  /** Up while one of them is; the detail names those that are not. */
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
        health: (health) => this.#felt(part, health),
      });
    }
  }

  #felt(part: Part, { state }: DirectoryHealth): void {
    const knowsSomething = part.list.length > 0 || part.kept.size > 0;
    const isLostNow = state !== 'up' && !part.isLost && knowsSomething;
    if (isLostNow) part.isLost = true;
    this.#events?.health(this.health);
    // what the others say counts for more now
    if (isLostNow) this.#tell();
  }

  #heard(part: Part, list: readonly Member[]): void {
    const now = this.#now();
    if (part.isLost) {
      part.isLost = false;
      part.graceUntil = now + this.#graceMs;
    }
    const isInGrace = now < part.graceUntil;
    const there = new Set(list.map(addressOf));
    for (const member of part.list) {
      const address = addressOf(member);
      if (there.has(address)) continue;
      if (isInGrace) part.kept.set(address, member);
      else part.removed.add(address);
    }
    for (const address of there) {
      part.kept.delete(address);
      part.removed.delete(address);
    }
    part.list = list;
    this.#tell();
  }

  #tell(): void {
    if (this.#events === undefined) return;
    clearTimeout(this.#timer);
    const next = Math.min(...this.#parts.map((part) => this.#expire(part)));
    if (next < Infinity) this.#timer = setTimeout(() => this.#tell(), next + 1);
    this.#forgetRemoved();
    // of equal records the first counts: what a lost directory knew last is older than what another tells now
    const [live, lost] = [this.#parts.filter(isLive), this.#parts.filter((part) => !isLive(part))];
    const kept = this.#parts.map((part) => [...part.kept.values()]);
    this.#events.members(mergeMembers([...[...live, ...lost].map(({ list }) => list), ...kept]));
  }

  /** Drops what was kept for long enough; returns after how many milliseconds the rest has to be looked at again. */
  #expire(part: Part): number {
    const left = part.graceUntil - this.#now();
    let next = Infinity;
    for (const address of [...part.kept.keys()]) {
      if (this.#isDenied(part, address)) part.kept.delete(address);
      else if (part.isLost) continue;
      else if (left > 0) next = Math.min(next, left);
      else if (this.#isLinked(address)) next = Math.min(next, this.#graceMs);
      else part.kept.delete(address);
    }
    return next;
  }

  /** Another directory, which was there all the time, had the member and has taken it off its list. One that never had it knows nothing of it. */
  #isDenied(part: Part, address: string): boolean {
    return this.#parts.some((other) => other !== part && isLive(other) && this.#now() >= other.graceUntil && other.removed.has(address));
  }

  #forgetRemoved(): void {
    for (const part of this.#parts) {
      if (part.removed.size === 0) continue;
      const others = this.#parts.filter((other) => other !== part);
      const known = new Set(others.flatMap(({ list, kept }) => [...list.map(addressOf), ...kept.keys()]));
      for (const address of part.removed) if (!known.has(address)) part.removed.delete(address);
    }
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

const isLive = ({ directory, isLost }: Part): boolean => directory.health.state === 'up' && !isLost;
