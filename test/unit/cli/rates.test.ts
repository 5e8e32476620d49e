// Rates and quantiles between two looks at a node.

import assert from 'node:assert/strict';
import test from 'node:test';
import { quantile, ratesOf, sumBuckets } from '../../../src/cli/rates.ts';
import { LATENCY_BOUNDS } from '../../../src/ops/stats.ts';
import { command, look, nodeStatus } from './status.ts';

const before = look(
  10,
  nodeStatus({ framesIn: 100, bytesIn: 1000, cpuSeconds: 2, limits: { max_frame: 1 }, commands: { 1001: command({ 0: 90, 4: 10 }) } }),
);
const after = look(
  12,
  nodeStatus({ framesIn: 300, bytesIn: 5000, cpuSeconds: 3, limits: { max_frame: 2 }, commands: { 1001: command({ 0: 280, 4: 20 }) } }),
);

test('rates are what happened between two looks, per second', () => {
  const { seconds, sinceStart, total, workers } = ratesOf(after, before);
  assert.equal(seconds, 2);
  assert.equal(sinceStart, false);
  assert.equal(total.requests, 100);
  assert.equal(total.bytesIn, 2000);
  assert.equal(total.cpu, 0.5);
  assert.deepEqual(total.limits, { max_frame: 0.5 });
  assert.deepEqual({ ...total.commands['1001'], buckets: undefined }, { replies: 100, failures: 5, buckets: undefined });
  assert.equal(total.commands['1001']?.buckets[0], 200);
  assert.equal(workers.get(1)?.requests, 100);
});

test('without an earlier look rates are averages since the start', () => {
  const { seconds, sinceStart, total } = ratesOf(before);
  assert.equal(seconds, 10);
  assert.equal(sinceStart, true);
  assert.equal(total.requests, 10);
});

test('a node that was started again meanwhile begins anew, and nothing is negative', () => {
  const restarted = look(12, nodeStatus({ framesIn: 6 }, { pid: 1234 }));
  assert.equal(ratesOf(restarted, before).sinceStart, true);
  assert.equal(ratesOf(look(12, nodeStatus({ framesIn: 6 })), before).total.requests, 0);
});

test('a quantile is estimated within its bucket', () => {
  const buckets = sumBuckets([[10, 0, 10]]);
  assert.equal(buckets.length, LATENCY_BOUNDS.length + 1);
  assert.equal(quantile(buckets, 0.25), 0.00025);
  assert.equal(quantile(buckets, 0.5), 0.0005);
  assert.equal(quantile(buckets, 0.75), 0.00175);
  assert.equal(quantile(buckets, 1), 0.0025);
});

test('a quantile of nothing is no number, and one above all bounds has none', () => {
  assert.equal(quantile([], 0.5), NaN);
  assert.equal(quantile([...new Array<number>(LATENCY_BOUNDS.length).fill(0), 1], 0.5), Infinity);
});
