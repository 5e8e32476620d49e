// The histogram of the benchmark.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../../src/bench/histogram.ts';

test('small values are kept exactly', () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 100; us++) histogram.record(us);
  assert.deepEqual(
    [0, 0.01, 0.5, 0.99, 1].map((share) => histogram.percentile(share)),
    [1, 1, 50, 99, 100],
  );
});

test('a percentile of large values is at most 1.6 % above the value and never below it', () => {
  for (let us = 100; us < 4e9; us = Math.round(us * 1.37)) {
    const histogram = new Histogram();
    histogram.record(us);
    histogram.record(0xffffffff);
    const found = histogram.percentile(0.5);
    assert.ok(found >= us && found <= us * 1.016, `${us} became ${found}`);
  }
});

test('many values of one kind are counted in one step', () => {
  const histogram = new Histogram();
  histogram.record(10, 999);
  histogram.record(5000);
  assert.equal(histogram.count, 1000);
  assert.equal(histogram.percentile(0.999), 10);
  assert.equal(histogram.percentile(0.9999), 5000);
  assert.equal(histogram.maxUs, 5000);
});

test('counts of several processes become one histogram', () => {
  const one = new Histogram();
  const other = new Histogram();
  one.record(100, 3);
  other.record(100, 2);
  other.record(70_000);
  const both = Histogram.of(one.counts(), other.counts());
  assert.equal(both.count, 6);
  assert.equal(both.percentile(0.8), 100);
  assert.ok(both.percentile(1) >= 70_000 && both.percentile(1) <= 70_000 * 1.016);
});

test('what is out of range is counted at the end of the range, and nothing gives 0', () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentile(0.5), 0);
  histogram.record(-5);
  assert.equal(histogram.percentile(1), 0);
  histogram.record(1e15);
  assert.equal(histogram.percentile(1), 0xffffffff);
});
