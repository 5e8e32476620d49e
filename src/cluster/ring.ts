// Which worker serves a key: consistent hashing as the original has it (nodes.cpp), so that nodes of both agree. Pure.
//
// Each worker has 200 points: for i in 0..49 the MD5 of "(200-i)@NODEID#i", read as four numbers. A key belongs to the first point at or
// behind its hash. The points of a member are made once, by the manager, and kept.
//
// For 200 members of 8 workers (320,000 points) making the points takes 90 ms, receiving them 3 ms and laying the ring out 11 ms: so the manager
// ships points, and every worker lays out its own rings. Shipping whole rings would cost more, since they differ by worker (nodes that it leaves
// alone) and 6 ms are enough to lay out the next one after a change.

import { hash } from 'node:crypto';
import { fnv1a } from './hash.ts';

const DIGESTS = 50;
const POINTS = DIGESTS * 4;
/** Numbers of workers fit into 16 bits, and a point beside one into the 53 bits of a number. */
const MAX_WORKERS = 65_536;
/** Points are found by their upper bits first. */
const INDEX_BITS = 16;

/** All points of a member, sorted, and for each the number of the worker that has it. */
export interface MemberPoints {
  /** host:port */
  readonly address: string;
  readonly workers: number;
  readonly points: Uint32Array;
  /** Numbers of workers, from 1. */
  readonly owners: Uint16Array;
}

/** The 200 points of one worker, as the original makes them. */
export function workerPoints(nodeId: string): Uint32Array {
  const points = new Uint32Array(POINTS);
  for (let i = 0; i < DIGESTS; i++) {
    const digest = hash('md5', `${POINTS - i}@${nodeId}#${i}`, 'buffer');
    for (let j = 0; j < 4; j++) points[i * 4 + j] = digest.readUInt32LE(j * 4);
  }
  return points;
}

/** The points of all workers of a member: about half a millisecond of work for eight of them. */
export function memberPoints(address: string, workers: number): MemberPoints {
  // a point and its worker in one number: numbers are sorted much faster than objects, and of equal points the first worker keeps it
  const all = new Float64Array(workers * POINTS);
  let at = 0;
  for (let worker = 1; worker <= workers; worker++) {
    for (const point of workerPoints(`${address}.${worker}`)) all[at++] = point * MAX_WORKERS + worker;
  }
  all.sort();
  const points = new Uint32Array(all.length);
  const owners = new Uint16Array(all.length);
  for (let i = 0; i < all.length; i++) {
    points[i] = Math.floor(all[i]! / MAX_WORKERS);
    owners[i] = all[i]! % MAX_WORKERS;
  }
  return { address, workers, points, owners };
}

interface Merged {
  readonly points: Uint32Array;
  readonly owners: Uint16Array;
}

export class Ring {
  readonly #points: Uint32Array;
  readonly #owners: Uint16Array;
  readonly #ids: readonly string[];
  readonly #index: Uint32Array;
  /** What it was made of: a change of one member leaves the points of all others as they are. */
  readonly #members: readonly MemberPoints[];

  private constructor({ points, owners }: Merged, ids: readonly string[], members: readonly MemberPoints[]) {
    this.#members = members;
    this.#points = points;
    this.#owners = owners;
    this.#ids = ids;
    this.#index = indexOf(points);
  }

  /** A ring of members; of equal points the member that comes first keeps it. Throws for none. */
  static of(members: readonly MemberPoints[]): Ring {
    if (members.length === 0) throw new Error('a ring needs a member');
    const ids: string[] = [];
    const firsts = members.map(({ address, workers }) => {
      const first = ids.length - 1;
      for (let worker = 1; worker <= workers; worker++) ids.push(`${address}.${worker}`);
      return first;
    });
    return new Ring(layOut(members, firsts), ids, members);
  }

  /**
   * The ring of other members, most of which are in this one: theirs are taken out and put in, and nothing is sorted anew. What is in both
   * (the same object) has to stand in the same order.
   */
  changed(members: readonly MemberPoints[]): Ring {
    const kept = new Set(members.filter((member) => this.#members.includes(member)));
    const added = members.filter((member) => !kept.has(member));
    if (added.length * 8 > members.length || kept.size === 0) return Ring.of(members);
    // workers get new numbers, since members come and go between others
    const ids: string[] = [];
    const firstOf = new Map<MemberPoints, number>();
    for (const member of members) {
      firstOf.set(member, ids.length - 1);
      for (let worker = 1; worker <= member.workers; worker++) ids.push(`${member.address}.${worker}`);
    }
    const numbers = new Int32Array(this.#ids.length).fill(-1);
    let at = 0;
    for (const member of this.#members) {
      const first = firstOf.get(member);
      for (let worker = 1; worker <= member.workers; worker++, at++) if (first !== undefined) numbers[at] = first + worker;
    }
    const rest = this.#without(numbers);
    const lists = added.map((member): Merged => ({
      points: member.points,
      owners: member.owners.map((owner) => firstOf.get(member)! + owner),
    }));
    return new Ring(lists.reduce(merge, rest), ids, members);
  }

  #without(numbers: Int32Array): Merged {
    const points = new Uint32Array(this.#points.length);
    const owners = new Uint16Array(this.#points.length);
    let n = 0;
    for (let i = 0; i < this.#points.length; i++) {
      const owner = numbers[this.#owners[i]!]!;
      if (owner < 0) continue;
      points[n] = this.#points[i]!;
      owners[n++] = owner;
    }
    return { points: points.subarray(0, n), owners: owners.subarray(0, n) };
  }

  /** How many points there are. */
  get size(): number {
    return this.#points.length;
  }

  /** Node ids of all workers. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** The node id of the worker that a key belongs to. Text is taken as UTF-8. */
  find(key: Uint8Array | string): string {
    return this.findHash(fnv1a(key));
  }

  findHash(hash: number): string {
    const points = this.#points;
    let at = this.#index[hash >>> (32 - INDEX_BITS)]!;
    while (at < points.length && points[at]! < hash) at++;
    return this.#ids[this.#owners[at === points.length ? 0 : at]!]!;
  }

  /** The part of all keys that each worker has, from 0 to 1. */
  shares(): Map<string, number> {
    const shares = new Map<string, number>(this.#ids.map((id) => [id, 0]));
    let before = this.#points.at(-1)! - 2 ** 32;
    for (let i = 0; i < this.#points.length; i++) {
      const id = this.#ids[this.#owners[i]!]!;
      shares.set(id, shares.get(id)! + (this.#points[i]! - before) / 2 ** 32);
      before = this.#points[i]!;
    }
    return shares;
  }
}

/**
 * The points of members as one list, sorted; to the numbers of its workers each member adds its own of `firsts`. Each point is put among those with the same upper bits, and those few are sorted by inserting. Points are spread
 * evenly, so that takes a third of the time of merging. Of equal points the one of the list that comes first stands first.
 */
function layOut(lists: readonly Merged[], firsts: readonly number[]): Merged {
  const size = lists.reduce((sum, list) => sum + list.points.length, 0);
  const next = new Uint32Array(1 << INDEX_BITS);
  for (const list of lists) for (const point of list.points) next[point >>> (32 - INDEX_BITS)]!++;
  for (let top = 0, before = 0; top < next.length; top++) {
    const count = next[top]!;
    next[top] = before;
    before += count;
  }
  const points = new Uint32Array(size);
  const owners = new Uint16Array(size);
  for (const [n, list] of lists.entries()) {
    for (let i = 0; i < list.points.length; i++) {
      const at = next[list.points[i]! >>> (32 - INDEX_BITS)]!++;
      points[at] = list.points[i]!;
      owners[at] = firsts[n]! + list.owners[i]!;
    }
  }
  for (let i = 1; i < size; i++) {
    const point = points[i]!;
    if (points[i - 1]! <= point) continue;
    const owner = owners[i]!;
    let at = i;
    for (; at > 0 && points[at - 1]! > point; at--) {
      points[at] = points[at - 1]!;
      owners[at] = owners[at - 1]!;
    }
    points[at] = point;
    owners[at] = owner;
  }
  return { points, owners };
}

function merge(a: Merged, b: Merged): Merged {
  const size = a.points.length + b.points.length;
  const points = new Uint32Array(size);
  const owners = new Uint16Array(size);
  let i = 0;
  let j = 0;
  for (let k = 0; k < size; k++) {
    const takesA = j === b.points.length || (i < a.points.length && comesFirst(a, i, b, j));
    points[k] = takesA ? a.points[i]! : b.points[j]!;
    owners[k] = takesA ? a.owners[i++]! : b.owners[j++]!;
  }
  return { points, owners };
}

/** Equal points happen: among 320,000 a dozen times. Then the worker that comes first in the list has it, however the ring was made. */
function comesFirst(a: Merged, i: number, b: Merged, j: number): boolean {
  const difference = a.points[i]! - b.points[j]!;
  return difference < 0 || (difference === 0 && a.owners[i]! < b.owners[j]!);
}

/** For each value of the upper bits, the first point that is not below it. */
function indexOf(points: Uint32Array): Uint32Array {
  const index = new Uint32Array(1 << INDEX_BITS);
  let at = 0;
  for (let top = 0; top < index.length; top++) {
    const least = top * 2 ** (32 - INDEX_BITS);
    while (at < points.length && points[at]! < least) at++;
    index[top] = at;
  }
  return index;
}
