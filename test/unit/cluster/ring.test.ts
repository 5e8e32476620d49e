// The ring: equal to the original's, and a change of one member moves only its share.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fnv1a } from '../../../src/cluster/hash.ts';
import { memberPoints, Ring, workerPoints, type MemberPoints } from '../../../src/cluster/ring.ts';
import { fc } from '../../support/property.ts';

const first = memberPoints('127.0.0.1:3344', 2);
const second = memberPoints('127.0.0.1:4344', 1);

test('a worker has the points of the original', () => {
  const points = [...workerPoints('127.0.0.1:3344.1')];
  assert.equal(points.length, 200);
  assert.deepEqual(points.slice(0, 8), [0x79c7a133, 0x09cd1647, 0x73fb7b20, 0x8246351f, 0xa7c1bb2f, 0xf819daf1, 0xca99c4c4, 0x8609cf3a]);
});

test('keys belong to whom they belong in the original', () => {
  const ring = Ring.of([first, second]);
  const owners = ['', '1', '2', '3', 'hello', '1 - hello', '2 - hello', 'user-10086'].map((key) =>
    ring.find(key).replace('127.0.0.1:', ''),
  );
  assert.deepEqual(owners, ['3344.2', '3344.1', '4344.1', '3344.2', '3344.1', '3344.1', '4344.1', '3344.1']);
});

test('a hundred thousand keys are divided as in the original', () => {
  const ring = Ring.of([first, second]);
  const counts: Record<string, number> = {};
  for (let i = 1; i <= 99_999; i++) {
    const owner = ring.find(String(i));
    counts[owner] = (counts[owner] ?? 0) + 1;
  }
  assert.deepEqual(counts, { '127.0.0.1:3344.1': 32_615, '127.0.0.1:3344.2': 35_899, '127.0.0.1:4344.1': 31_485 });
});

/** The ring as one would write it down: a map of points, searched from the beginning. */
class Naive {
  readonly #owners = new Map<number, string>();
  readonly #points: number[];

  constructor(members: readonly MemberPoints[]) {
    for (const { address, workers } of members) {
      for (let worker = 1; worker <= workers; worker++) {
        for (let i = 0; i < 50; i++) {
          const digest = createHash('md5')
            .update(`${200 - i}@${address}.${worker}#${i}`)
            .digest();
          for (let at = 0; at < 16; at += 4) {
            const point = digest.readUInt32LE(at);
            if (!this.#owners.has(point)) this.#owners.set(point, `${address}.${worker}`);
          }
        }
      }
    }
    this.#points = [...this.#owners.keys()].sort((a, b) => a - b);
  }

  find(key: string): string {
    const hash = fnv1a(key);
    return this.#owners.get(this.#points.find((point) => point >= hash) ?? this.#points[0]!)!;
  }
}

const pool = Array.from({ length: 12 }, (_, i) => memberPoints(`10.0.0.${i + 1}:3344`, 1 + (i % 4)));
const some = fc.subarray(pool, { minLength: 1 });
const keys = Array.from({ length: 300 }, (_, i) => `session-${i}`);

test('it answers as the naive one does', () => {
  fc.assert(
    fc.property(some, (members) => {
      const [ring, naive] = [Ring.of(members), new Naive(members)];
      for (const key of keys) assert.equal(ring.find(key), naive.find(key));
    }),
    { numRuns: 20 },
  );
});

test('a member that leaves gives its share to others, and nobody else moves', () => {
  fc.assert(
    fc.property(some, fc.nat(), (members, n) => {
      fc.pre(members.length > 1);
      const leaving = members[n % members.length]!;
      const [before, after] = [Ring.of(members), Ring.of(members.filter((member) => member !== leaving))];
      for (const key of keys) {
        const owner = before.find(key);
        if (!owner.startsWith(`${leaving.address}.`)) assert.equal(after.find(key), owner);
        else assert.ok(!after.find(key).startsWith(`${leaving.address}.`));
      }
    }),
    { numRuns: 50 },
  );
});

test('a ring that was made by changing another is the ring of its members', () => {
  fc.assert(
    fc.property(some, some, (before, after) => {
      const [changed, whole] = [Ring.of(before).changed(after), Ring.of(after)];
      assert.deepEqual(changed.ids, whole.ids);
      assert.equal(changed.size, whole.size);
      for (const key of keys) assert.equal(changed.find(key), whole.find(key));
    }),
    { numRuns: 50 },
  );
});

test('shares add up to one, and are those of the points', () => {
  const shares = Ring.of([first, second]).shares();
  assert.ok(Math.abs([...shares.values()].reduce((a, b) => a + b, 0) - 1) < 1e-9);
  assert.ok(Math.abs(shares.get('127.0.0.1:3344.2')! - 0.359) < 0.02);
});

test('a ring of nobody can not be made', () => {
  assert.throws(() => Ring.of([]), /a ring needs a member/);
});
