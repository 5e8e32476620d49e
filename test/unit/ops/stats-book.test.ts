// The manager's book: counters survive deaths, gauges do not, and no total ever decreases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statsSchema } from '../../../src/ops/snapshot.ts';
import { LATENCY_BOUNDS, Stats, type StatsSnapshot } from '../../../src/ops/stats.ts';
import { emptyStats, StatsBook, sumStats } from '../../../src/ops/stats-book.ts';

function counted(work: (stats: Stats) => void): StatsSnapshot {
  const stats = new Stats();
  work(stats);
  return stats.snapshot();
}

test('what a worker counts has the shape that the schema says, and so has nothing', () => {
  const snapshot = counted((stats) => {
    stats.countClosed('peer');
    stats.countRefused('max_clients');
    stats.countLimit('max_frame');
    stats.command('1001').done(0, 0.001);
    stats.command('1001').done(77, 100);
  });
  assert.deepEqual(statsSchema.parse(snapshot), snapshot);
  assert.deepEqual(statsSchema.parse(emptyStats()), emptyStats());
  assert.deepEqual(Object.keys(emptyStats()).toSorted(), Object.keys(snapshot).toSorted());
});

test('sums counters of all and gauges of the living, and takes the longest loop lag', () => {
  const base = { ...emptyStats(), connections: 9, loopLagSeconds: 9, framesIn: 100, closed: { peer: 1 } };
  const one = { ...emptyStats(), connections: 2, loopLagSeconds: 0.2, framesIn: 10, closed: { peer: 2, idle: 1 }, rssBytes: 5 };
  const two = { ...emptyStats(), connections: 3, loopLagSeconds: 0.1, framesIn: 1, limits: { max_frame: 4 }, rssBytes: 6 };
  const sum = sumStats([one, two], base);
  assert.deepEqual([sum.connections, sum.loopLagSeconds, sum.framesIn, sum.rssBytes], [5, 0.2, 111, 11]);
  assert.deepEqual([sum.closed, sum.limits], [{ peer: 3, idle: 1 }, { max_frame: 4 }]);
});

test('sums commands by code and bucket', () => {
  const one = counted((stats) => {
    stats.command('1001').done(0, 0.0004, 3);
    stats.command('1003').done(4, 20);
  });
  const two = counted((stats) => {
    stats.command('1001').done(0, 0.7);
    stats.command('1001').done(18, 0.0004);
  });
  const { commands } = sumStats([one, two]);
  const buckets = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0);
  assert.deepEqual(commands['1001'], { codes: { 0: 4, 18: 1 }, buckets: buckets.with(0, 4).with(10, 1), sumSeconds: 0.7016 });
  assert.deepEqual(commands['1003'], { codes: { 4: 1 }, buckets: buckets.with(-1, 1), sumSeconds: 20 });
});

test('the counters of a worker that died stay, its gauges go', () => {
  const book = new StatsBook();
  book.update(1, 1, { ...emptyStats(), connections: 7, framesIn: 100 });
  book.update(2, 1, { ...emptyStats(), connections: 1, framesIn: 5 });
  book.ended(1, 1);
  assert.deepEqual([book.ofWorker(1).connections, book.ofWorker(1).framesIn], [0, 100]);
  assert.deepEqual([book.total().connections, book.total().framesIn], [1, 105]);

  book.update(1, 2, { ...emptyStats(), connections: 2, framesIn: 3 });
  assert.deepEqual([book.ofWorker(1).connections, book.ofWorker(1).framesIn], [2, 103]);
  assert.deepEqual([book.total().connections, book.total().framesIn], [3, 108]);
});

test('while a worker is replaced both of its processes count', () => {
  const book = new StatsBook();
  book.update(1, 1, { ...emptyStats(), connections: 7, framesIn: 100 });
  book.update(1, 2, { ...emptyStats(), connections: 1, framesIn: 1 });
  assert.deepEqual([book.ofWorker(1).connections, book.ofWorker(1).framesIn], [8, 101]);
  book.update(1, 1, { ...emptyStats(), connections: 0, framesIn: 110 });
  book.ended(1, 1);
  assert.deepEqual([book.ofWorker(1).connections, book.ofWorker(1).framesIn], [1, 111]);
});

test('a report that comes after the end of its worker changes nothing, and one never heard of is zero', () => {
  const book = new StatsBook();
  book.update(1, 1, { ...emptyStats(), framesIn: 100 });
  book.ended(1, 1);
  book.ended(1, 1);
  book.update(1, 1, { ...emptyStats(), framesIn: 101, connections: 4 });
  assert.deepEqual([book.total().framesIn, book.total().connections], [100, 0]);
  assert.deepEqual(book.ofWorker(9), emptyStats());
  assert.deepEqual(new StatsBook().total(), emptyStats());
});

test('no counter ever decreases over a thousand reports and deaths, not even by a rounding error', () => {
  const book = new StatsBook();
  const incarnations = [1, 1, 1, 1];
  const live = incarnations.map(() => emptyStats());
  let seed = 42;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  let before = counters(book.total());
  for (let step = 0; step < 1000; step++) {
    const worker = Math.floor(random() * live.length);
    const stats = live[worker]!;
    if (random() < 0.1) {
      book.ended(worker, incarnations[worker]!);
      incarnations[worker]!++;
      live[worker] = emptyStats();
    } else {
      stats.framesIn += 1;
      stats.cpuSeconds += random() / 3;
      stats.closed = { peer: (stats.closed.peer ?? 0) + 1 };
      const command = (stats.commands['1001'] ??= { codes: { 0: 0 }, buckets: [], sumSeconds: 0 });
      command.codes[0]! += 1;
      command.sumSeconds += random() / 7;
      book.update(worker, incarnations[worker]!, structuredClone(stats));
    }
    const now = counters(book.total());
    for (const [name, value] of Object.entries(now)) assert.ok(value >= before[name]!, `${name} fell from ${before[name]} to ${value}`);
    before = now;
  }
  assert.ok(before.framesIn! > 500);
});

function counters({ framesIn, cpuSeconds, closed, commands }: StatsSnapshot): Record<string, number> {
  const counts = commands['1001'];
  return { framesIn, cpuSeconds, peer: closed.peer ?? 0, replies: counts?.codes[0] ?? 0, seconds: counts?.sumSeconds ?? 0 };
}
