// How long a dead worker waits before it is started again.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from '../../../src/node/backoff.ts';

const rules = { restart_min_ms: 100, restart_max_ms: 1000, restart_limit: 6, restart_window_ms: 10_000, held_ms: 30_000 };

test('the wait doubles with each death at once, up to its maximum, and then the worker is held back', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 8 }, () => backoff.died(5, rules));
  assert.deepEqual(
    waits.map(({ againInMs }) => againInMs),
    [100, 200, 400, 800, 1000, 30_000, 30_000, 30_000],
  );
  assert.deepEqual(
    waits.map(({ held }) => held),
    [false, false, false, false, false, true, true, true],
  );
});

test('a worker that lived long enough begins anew, however often it died before', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 20; i++) backoff.died(5, rules);
  assert.deepEqual(backoff.died(10_001, rules), { againInMs: 100, held: false });
  assert.deepEqual(backoff.died(10_000, rules), { againInMs: 100, held: false });
  assert.deepEqual(backoff.died(10_000, rules), { againInMs: 200, held: false });
});

test('what counts is how long each lived, not how fast they followed each other', () => {
  const backoff = new Backoff();
  const slow = { ...rules, restart_limit: 3 };
  assert.deepEqual(
    [9000, 9000, 9000].map((livedMs) => backoff.died(livedMs, slow).held),
    [false, false, true],
  );
});

test('a limit of 0 never holds a worker back, and the wait stays finite', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 2000; i++) assert.equal(backoff.died(1, { ...rules, restart_limit: 0, restart_min_ms: 0 }).againInMs, 0);
  assert.deepEqual(backoff.died(1, { ...rules, restart_limit: 0 }), { againInMs: 1000, held: false });
});
