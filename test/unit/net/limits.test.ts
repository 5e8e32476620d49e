// Buckets and counts, with a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressCounts, TokenBucket } from '../../../src/net/limits.ts';
import { fc, forAll } from '../../support/property.ts';

/** How many are granted at one moment. */
function granted(bucket: TokenBucket, now: number, asked = 1000): number {
  let count = 0;
  while (count < asked && bucket.take(now)) count++;
  return count;
}

test('a bucket grants its burst at once, and then its rate', () => {
  const bucket = new TokenBucket(10, 5, 1000);
  assert.equal(granted(bucket, 1000), 5);
  assert.equal(granted(bucket, 1099), 0);
  assert.equal(granted(bucket, 1100), 1);
  assert.equal(granted(bucket, 1400), 3);
});

test('a bucket that rested grants its burst and no more', () => {
  const bucket = new TokenBucket(10, 5, 1000);
  granted(bucket, 1000);
  assert.equal(granted(bucket, 1_000_000), 5);
});

test('parts of a grant are not lost, however often one asks', () => {
  const bucket = new TokenBucket(1, 1, 1000);
  assert.equal(bucket.take(1000), true);
  for (let now = 1001; now < 2000; now++) assert.equal(bucket.take(now), false, `at ${now}`);
  assert.equal(bucket.take(2000), true);
});

test('the wait that a bucket names is enough, and not much more than enough', () => {
  forAll(
    fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(2000), { maxLength: 20 })),
    ([rate, burst, steps]) => {
      let now = 1000;
      const bucket = new TokenBucket(rate, burst, now);
      for (const step of steps) {
        granted(bucket, now);
        const wait = bucket.waitMs(now);
        assert.ok(wait >= 1 && wait <= Math.ceil(1000 / rate) + 1, `waits ${wait} ms at ${rate} a second`);
        assert.equal(bucket.take(now + wait), true);
        now += wait + step;
      }
    },
  );
});

test('a bucket that would grant now has no wait', () => {
  const bucket = new TokenBucket(10, 2, 1000);
  assert.equal(bucket.waitMs(1000), 0);
  bucket.take(1000);
  assert.equal(bucket.waitMs(1000), 0);
  bucket.take(1000);
  assert.equal(bucket.waitMs(1000), 100);
});

test('rate 0 grants everything', () => {
  const bucket = new TokenBucket(0, 1, 1000);
  assert.equal(granted(bucket, 1000, 5000), 5000);
  assert.equal(bucket.waitMs(1000), 0);
});

test('a burst below one still lets one in', () => {
  assert.equal(granted(new TokenBucket(10, 0, 1000), 1000), 1);
});

test('a clock that goes back grants nothing twice', () => {
  const bucket = new TokenBucket(10, 5, 1000);
  granted(bucket, 1000);
  assert.equal(granted(bucket, 500), 0);
  assert.equal(granted(bucket, 1100), 1);
});

test('addresses are counted up and down, and forgotten at zero', () => {
  const counts = new AddressCounts();
  assert.equal(counts.of('192.0.2.1'), 0);
  counts.add('192.0.2.1');
  counts.add('192.0.2.1');
  counts.add('2001:db8::1');
  assert.deepEqual([counts.of('192.0.2.1'), counts.of('2001:db8::1')], [2, 1]);
  counts.remove('192.0.2.1');
  counts.remove('2001:db8::1');
  assert.deepEqual([counts.of('192.0.2.1'), counts.of('2001:db8::1')], [1, 0]);
  counts.remove('2001:db8::1');
  assert.equal(counts.of('2001:db8::1'), 0);
});
