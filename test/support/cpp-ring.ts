// The ring and the hashes of an original, written from their description: slow and plain, to be compared with ours.

import { createHash } from 'node:crypto';

const POINTS = 200;

/** A byte as the original's compiler sees it: signed, and extended to `bits`. */
const extended = (byte: number, bits: number): bigint => BigInt.asUintN(bits, BigInt((byte << 24) >> 24));

/** "FNV1A_64" of the original, which has 32 bits: the place of a key in the ring. */
export function cppFnv1a(key: string | Uint8Array): number {
  let state = 0x1b3n;
  for (const byte of Buffer.from(key)) state = BigInt.asUintN(32, (state ^ extended(byte, 32)) * 0x84222325n);
  return Number(state);
}

/** "FNV1_64": chooses among connections. */
export function cppFnv1(key: string | Uint8Array): number {
  let state = 0x100000001b3n;
  for (const byte of Buffer.from(key)) state = BigInt.asUintN(64, state * 0xcbf29ce484222325n) ^ extended(byte, 64);
  return Number(BigInt.asUintN(32, state));
}

/** The points of one node id, such as 127.0.0.1:3344.1, in the order in which they are made. */
export function cppPoints(id: string): number[] {
  return Array.from({ length: POINTS / 4 }, (_, i) => {
    const digest = createHash('md5')
      .update(`${POINTS - i}@${id}#${i}`)
      .digest();
    return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at));
  }).flat();
}

export interface CppMember {
  host: string;
  port: number;
  workers: number;
}

export class CppRing {
  readonly #points: [point: number, id: string][];

  constructor(members: readonly CppMember[]) {
    const owners = new Map<number, string>();
    for (const { host, port, workers } of members) {
      for (let worker = 1; worker <= workers; worker++) {
        const id = `${host}:${port}.${worker}`;
        for (const point of cppPoints(id)) if (!owners.has(point)) owners.set(point, id);
      }
    }
    this.#points = [...owners].sort(([a], [b]) => a - b);
  }

  /** The node id that owns a key; undefined when there are no members. */
  find(key: string | Uint8Array): string | undefined {
    const hash = cppFnv1a(key);
    return (this.#points.find(([point]) => point >= hash) ?? this.#points[0])?.[1];
  }
}
