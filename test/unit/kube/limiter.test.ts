// The rate of requests: some at once, then so many in a second, first come first served.

import assert from 'node:assert/strict';
import test from 'node:test';
import { RateLimiter } from '../../../src/kube/limiter.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { turns } from '../../support/turns.ts';

function start() {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ perSecond: 10, burst: 3 }, clock);
  const told: string[] = [];
  const take = async (name: string, withinMs = 60_000, signal?: AbortSignal) =>
    told.push(`${name} ${await limiter.turn(withinMs, signal)}`);
  return { clock, told, take };
}

test('some go at once, the others one after another', async () => {
  const { clock, told, take } = start();
  for (const name of ['a', 'b', 'c', 'd', 'e']) void take(name);
  await turns();
  assert.deepEqual(told, ['a 0', 'b 0', 'c 0']);
  clock.advance(100);
  await turns();
  clock.advance(100);
  await turns();
  assert.deepEqual(told.slice(3), ['d 100', 'e 200']);
});

test('after a while without any as many go at once as before, and no more', async () => {
  const { clock, told, take } = start();
  for (const name of ['a', 'b', 'c']) await take(name);
  clock.advance(3_600_000);
  for (const name of ['d', 'e', 'f', 'g']) void take(name);
  await turns();
  assert.deepEqual(told.slice(3), ['d 0', 'e 0', 'f 0']);
});

test('who can not wait so long is told at once, and who gives up leaves the place to others', async () => {
  const { clock, told, take } = start();
  for (const name of ['a', 'b', 'c']) await take(name);
  await take('hasty', 99);
  assert.deepEqual(told.slice(3), ['hasty undefined']);
  const abort = new AbortController();
  const gone = take('gone', 1000, abort.signal);
  abort.abort();
  await gone;
  void take('next');
  clock.advance(100);
  await turns();
  assert.deepEqual(told.slice(4), ['gone 0', 'next 100']);
});
