// How many requests a second one connection may make, with a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paceMs, type Paced } from '../../../src/net/pace.ts';
import { fc, forAll } from '../../support/property.ts';

const fresh = (): Paced => ({ credit: -1, creditAt: 0 });

/** How many requests pass at one moment. */
function passed(paced: Paced, rate: number, burst: number, now: number, asked = 1000): number {
  let count = 0;
  while (count < asked && paceMs(paced, rate, burst, now) === 0) count++;
  return count;
}

test('the burst passes at once, then the rate, and a rest brings the burst back', () => {
  const paced = fresh();
  assert.equal(passed(paced, 10, 5, 1000), 5);
  assert.equal(passed(paced, 10, 5, 1099), 0);
  assert.equal(passed(paced, 10, 5, 1100), 1);
  assert.equal(passed(paced, 10, 5, 1400), 3);
  assert.equal(passed(paced, 10, 5, 1_000_000), 5);
});

test('parts of a request are not lost, however often one asks', () => {
  const paced = fresh();
  assert.equal(passed(paced, 3, 2, 1000), 2);
  let count = 0;
  for (let now = 1001; now <= 11_000; now++) count += passed(paced, 3, 2, now);
  assert.equal(count, 30);
});

test('the wait that is named is enough, and the shortest in whole milliseconds', () => {
  forAll(
    fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(300), { maxLength: 20 })),
    ([rate, burst, rests]) => {
      const paced = fresh();
      let now = 1000;
      for (const rest of rests) {
        passed(paced, rate, burst, now);
        const wait = paceMs(paced, rate, burst, now);
        assert.ok(wait >= 1 && wait <= Math.ceil(1000 / rate));
        if (wait > 1) assert.ok(paceMs({ ...paced }, rate, burst, now + wait - 1) > 0);
        assert.equal(paceMs(paced, rate, burst, now + wait), 0);
        now += wait + rest;
      }
    },
  );
});

test('rate 0 lets everything pass', () => {
  assert.equal(passed(fresh(), 0, 1, 1000, 5000), 5000);
});

test('a new rate and a new burst count from the next request on', () => {
  const paced = fresh();
  passed(paced, 1, 1, 1000);
  assert.equal(passed(paced, 1000, 5, 1010), 5);
  assert.equal(passed(paced, 1, 1, 100_000), 1);
});
