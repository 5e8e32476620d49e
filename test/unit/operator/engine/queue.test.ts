// The queue of keys: each once, never twice at once, in good order.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Queue, type QueueOptions } from '../../../../src/operator/engine/queue.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { turns } from '../../../support/turns.ts';

function start(options: Partial<QueueOptions> = {}) {
  const clock = new ManualClock();
  const queue = new Queue({ clock, random: () => 0.5, backoff: { minMs: 200, maxMs: 300_000 }, ...options });
  return { clock, queue };
}

test('a key that is added many times is handed out once', async () => {
  const { queue } = start();
  for (let i = 0; i < 5; i++) queue.add('a');
  queue.add('b');
  assert.equal(queue.depth, 2);
  assert.equal(await queue.next(), 'a');
  assert.equal(await queue.next(), 'b');
  assert.equal(queue.depth, 0);
});

test('a key that is added while it runs runs once more, after it is done', async () => {
  const { queue } = start();
  queue.add('a');
  assert.equal(await queue.next(), 'a');
  queue.add('a');
  queue.add('a', 'background');
  let again: string | undefined;
  const next = queue.next().then((key) => (again = key));
  await turns();
  assert.equal(again, undefined, 'never twice at once');
  queue.done('a');
  assert.equal(await next, 'a');
  queue.done('a');
  assert.equal(queue.depth, 0);
});

test('what is urgent goes before the background, which still gets its turn', async () => {
  const { queue } = start();
  for (let i = 0; i < 3; i++) queue.add(`old-${i}`, 'background');
  for (let i = 0; i < 20; i++) queue.add(`new-${i}`);
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 16; i++) order.push(await queue.next());
  assert.deepEqual(order.slice(0, 9), [...Array.from({ length: 7 }, (_, i) => `new-${i}`), 'old-0', 'new-7']);
  assert.equal(order[15], 'old-1');
});

test('a key in the background becomes urgent when something happens to it', async () => {
  const { queue } = start();
  for (const key of ['a', 'b', 'c']) queue.add(key, 'background');
  queue.add('c');
  queue.add('a', 'background');
  assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['c', 'a', 'b']);
});

test('failures wait twice as long each time, up to a limit, and a success forgets them', async () => {
  const { clock, queue } = start({ backoff: { minMs: 100, maxMs: 1000 } });
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    waits.push(queue.retry('a'));
    clock.advance(waits[i]!);
    assert.equal(await queue.next(), 'a');
    queue.done('a');
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000]);
  queue.forget('a');
  assert.equal(queue.retry('a'), 100);
  assert.equal(queue.retry('b', 7000), 7000, 'as long as the server asks');
});

test('waits differ, so that what failed together does not come back together', () => {
  let n = 0;
  const { queue } = start({ random: () => (n++ % 10) / 10, backoff: { minMs: 1000, maxMs: 1000 } });
  const waits = Array.from({ length: 10 }, (_, i) => queue.retry(`key-${i}`));
  assert.equal(new Set(waits).size, 10);
  assert.ok(waits.every((ms) => ms >= 800 && ms <= 1200));
});

test('of several plans for a key the first counts, and a look clears them', async () => {
  const { clock, queue } = start();
  queue.addAfter('a', 5000);
  queue.addAfter('a', 1000);
  queue.addAfter('a', 9000);
  assert.equal(clock.waiting, 1);
  clock.advance(999);
  assert.equal(queue.depth, 0);
  clock.advance(1);
  assert.equal(await queue.next(), 'a');
  queue.done('a');
  queue.addAfter('a', 5000);
  queue.add('a');
  assert.equal(await queue.next(), 'a');
  queue.done('a');
  assert.equal(clock.waiting, 0);
});

test('a queue that is closed hands out nothing and takes nothing', async () => {
  const { clock, queue } = start();
  const waiting = queue.next();
  queue.addAfter('later', 10);
  queue.close();
  queue.add('a');
  queue.addAfter('b', 10);
  assert.equal(await waiting, undefined);
  assert.equal(await queue.next(), undefined);
  assert.equal(clock.waiting, 0);
  assert.equal(queue.depth, 0);
});

test('it knows how long keys wait and run, and what a process that stood still missed is due at once', async () => {
  const waited: number[] = [];
  const { clock, queue } = start({ observer: { waited: (seconds) => waited.push(seconds) } });
  queue.add('a');
  queue.addAfter('b', 60_000);
  clock.advance(3000);
  assert.equal(queue.oldestMs, 3000);
  assert.equal(await queue.next(), 'a');
  clock.advance(2000);
  assert.deepEqual([...queue.runningMs], [['a', 2000]]);
  assert.deepEqual(waited, [3]);
  clock.freeze(600_000);
  clock.advance(0);
  assert.equal(await queue.next(), 'b');
});
