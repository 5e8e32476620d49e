// The loops that take keys: what comes of a look decides when the next one is.

import assert from 'node:assert/strict';
import test from 'node:test';
import { KubeError } from '../../../../src/kube/error.ts';
import { Queue } from '../../../../src/operator/engine/queue.ts';
import { Runner, StaleError, TerminalError, UnfinishedError, type Result } from '../../../../src/operator/engine/runner.ts';
import { silentLogger } from '../../../../src/ops/log.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { soon, turns } from '../../../support/turns.ts';

const backoff = { minMs: 200, maxMs: 300_000 };

function start(reconcile: (key: string, signal: AbortSignal) => Promise<Result>, concurrency = 2) {
  const clock = new ManualClock();
  const queue = new Queue({ clock, random: () => 0.5, backoff });
  const told: string[] = [];
  const observer = {
    ran: (outcome: string) => told.push(outcome),
    terminal: () => told.push('terminal'),
    timedOut: () => told.push('timed out'),
    panicked: () => told.push('panicked'),
  };
  const runner = new Runner({ queue, reconcile, clock, log: silentLogger(), concurrency, timeoutMs: 60_000, observer });
  runner.start();
  return { clock, queue, runner, told };
}

test('what comes of a look decides when the next one is', async () => {
  const outcomes: (() => Result)[] = [];
  const { clock, queue, told, runner } = start(async () => outcomes.shift()?.());
  const refuse = (error: Error) => () => {
    throw error;
  };
  const refused = (status: number, retryAfterMs?: number) => new KubeError('no', { status, reason: 'X', retryAfterMs });
  for (const [outcome, expected, nextMs] of [
    [() => undefined, ['success'], undefined],
    [() => ({ againMs: 30_000 }), ['requeue_after'], 30_000],
    [refuse(new Error('no')), ['error'], 200],
    [refuse(new Error('no')), ['error'], 400],
    [refuse(refused(429, 5000)), ['error'], 5000],
    [refuse(new StaleError('old')), ['requeue'], 100],
    [() => undefined, ['success'], undefined],
    [refuse(new Error('no')), ['error'], 200],
    [refuse(new UnfinishedError([new Error('no')], 1000)), ['error'], 400],
    [refuse(new UnfinishedError([new Error('no')], 1000)), ['error'], 800],
    [refuse(new UnfinishedError([new Error('no'), new Error('no')], 1000)), ['error'], 1000],
    [refuse(new UnfinishedError([refused(429, 5000)], 1000)), ['error'], 5000],
    [refuse(new TerminalError('never')), ['terminal', 'error'], undefined],
  ] as const) {
    told.length = 0;
    outcomes.push(outcome);
    queue.add('a');
    await soon(() => told.length === expected.length, 'it ran');
    await turns();
    assert.deepEqual(told, expected);
    assert.equal(clock.nextMs, nextMs);
  }
  await stopped(runner, clock);
});

/** Lets the graces of stop() go by. */
async function stopped(runner: Runner, clock: ManualClock): Promise<void> {
  let isOver = false;
  const over = runner.stop(30_000).then(() => (isOver = true));
  await soon(() => {
    if (!isOver) clock.advance(1000);
    return isOver;
  }, 'it has stopped');
  await over;
}

test('several keys run at a time, never one twice at once', async () => {
  const running: string[] = [];
  let most = 0;
  const gates = new Map<string, () => void>();
  const { queue, runner, clock } = start(async (key) => {
    assert.ok(!running.includes(key));
    running.push(key);
    most = Math.max(most, running.length);
    await new Promise<void>((resolve) => gates.set(key, resolve));
    running.splice(running.indexOf(key), 1);
  });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await soon(() => running.length === 2, 'two run');
  queue.add('a');
  await turns();
  gates.get('a')!();
  await soon(() => running.includes('c'), 'the next runs');
  for (const key of ['b', 'c']) gates.get(key)!();
  await soon(() => running.join() === 'a', 'a runs again');
  gates.get('a')!();
  await turns();
  assert.equal(most, 2);
  await stopped(runner, clock);
});

test('a look that takes too long is told so, and one that never ends makes the process unhealthy', async () => {
  let signal: AbortSignal | undefined;
  const { clock, queue, runner, told } = start(
    (_, given) =>
      new Promise(() => {
        signal = given;
      }),
  );
  queue.add('a');
  await soon(() => signal !== undefined, 'it runs');
  clock.advance(60_000);
  assert.equal(signal?.aborted, true);
  assert.deepEqual(told, ['timed out']);
  assert.equal(runner.problem, undefined, 'it may still come to its end');
  clock.advance(60_001);
  assert.match(runner.problem!, /^the look at a does not end, after 120 s$/);
  await stopped(runner, clock);
});

test('keys that wait though nobody is busy make the process unhealthy', async () => {
  const { clock, queue, runner } = start(async () => undefined, 1);
  assert.equal(runner.problem, undefined);
  // a loop that has died takes nothing
  const dead = new Queue({ clock, backoff });
  dead.add('a');
  const without = new Runner({ queue: dead, reconcile: () => Promise.resolve(), clock, log: silentLogger(), concurrency: 1 });
  dead.next = () => new Promise(() => undefined);
  without.start();
  clock.advance(60_001);
  assert.equal(without.problem, 'keys wait though loops are free');
  queue.next = () => Promise.reject(new Error('broken'));
  queue.add('b');
  await stopped(runner, clock).catch(() => undefined);
  assert.match(runner.problem!, /1 of 1 loops have ended/);
});

test('stopping lets what runs come to its end, starts nothing new, and gives up on what does not listen', async () => {
  let finish: (() => void) | undefined;
  const ran: string[] = [];
  const one = start(async (key) => {
    ran.push(key);
    await new Promise<void>((resolve) => (finish = resolve));
  }, 1);
  one.queue.add('a');
  one.queue.add('b');
  await soon(() => finish !== undefined, 'it runs');
  let isOver = false;
  const over = one.runner.stop(30_000).then(() => (isOver = true));
  await turns();
  assert.equal(isOver, false);
  finish!();
  await over;
  assert.deepEqual(ran, ['a']);

  let signal: AbortSignal | undefined;
  const other = start(
    (_, given) =>
      new Promise(() => {
        signal = given;
      }),
  );
  other.queue.add('a');
  await soon(() => signal !== undefined, 'it runs');
  await stopped(other.runner, other.clock);
  assert.equal(signal?.aborted, true);
});

test('a loop that has died is no reason not to end in order', async () => {
  const { clock, queue, runner } = start(async () => undefined, 2);
  queue.next = () => Promise.reject(new Error('broken'));
  for (const key of ['a', 'b']) queue.add(key);
  await soon(() => runner.problem !== undefined, 'it is noticed');
  assert.equal(runner.problem, '2 of 2 loops have ended');
  await stopped(runner, clock);
});

test('mistakes of the program are told apart from what goes wrong around it', async () => {
  const errors: Error[] = [
    new TypeError("Cannot read properties of undefined (reading 'spec')"),
    new AggregateError([new Error('no'), new RangeError('too deep')]),
    new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }),
    new KubeError('no', { status: 500, reason: 'X' }),
  ];
  const { clock, queue, told, runner } = start(async () => {
    throw errors.shift()!;
  });
  for (const expected of [['panicked', 'error'], ['panicked', 'error'], ['error'], ['error']]) {
    told.length = 0;
    queue.add('a');
    await soon(() => told.length === expected.length, 'it ran');
    await turns();
    assert.deepEqual(told, expected);
  }
  await stopped(runner, clock);
});
