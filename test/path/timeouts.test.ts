// A handler that takes too long: the client gets code 18, and what comes later is dropped. The clock is stopped and moved by hand.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Context } from '../../src/route/context.ts';
import { request } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served, type ServedOptions } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

async function open(t: TestContext, gates: Gates, { timeoutMs, ...options }: ServedOptions & { timeoutMs?: number } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const contexts: Context[] = [];
  const handler = (data: Buffer, ctx: Context) => {
    contexts.push(ctx);
    return gates.handler(data);
  };
  const commands = { 1001: { handler, concurrent: 4, ...(timeoutMs === undefined ? {} : { timeoutMs }) }, 1003: () => 'quick' };
  const node = await served(t, { commands, ...options });
  return { ...node, ...(await node.pair()), contexts };
}

test('a request is answered with code 18 after timeoutMs, not before', async (t) => {
  const gates = new Gates();
  const { client, stats } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 7, 'a'));
  await soon(() => gates.begun.length === 1, 'the handler');
  t.mock.timers.tick(499);
  await turns();
  assert.equal(client.seen.length, 0);
  t.mock.timers.tick(1);
  const reply = await client.frame();
  assert.deepEqual([reply.cmd, reply.seq, reply.code, reply.msg], [1002, 7, 18, 'request timed out']);
  assert.equal(stats.limits['request_timeout_ms'], 1);
  assert.deepEqual(stats.command('1001').snapshot().codes, { 18: 1 });
  assert.equal(client.ended, false);
});

test('the late answer is dropped, and so is the late error', async (t) => {
  const gates = new Gates();
  const { client, log, stats } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'));
  await soon(() => gates.begun.length === 2, 'the handlers');
  t.mock.timers.tick(500);
  await client.frames(2);
  gates.open('a');
  gates.fail('b', new Error('late'));
  await turns();
  client.send(request(1003, 3));
  assert.deepEqual((await client.frame()).seq, 3);
  assert.equal(client.seen.length, 3);
  assert.deepEqual(stats.command('1001').snapshot().codes, { 18: 2 });
  assert.equal(log.filter(({ msg }) => msg === 'handler failed').length, 1, 'the late error is for the log');
});

test('the handler is told: its signal is aborted', async (t) => {
  const gates = new Gates();
  const { client, contexts } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'));
  await soon(() => contexts.length === 1, 'the handler');
  const { signal } = contexts[0]!;
  assert.equal(signal.aborted, false);
  t.mock.timers.tick(500);
  assert.equal(signal.aborted, true);
  await client.frame();
});

test('an answer in time ends the deadline, and aborts nothing', async (t) => {
  const gates = new Gates();
  const { client, contexts, ledger } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'));
  await soon(() => contexts.length === 1, 'the handler');
  assert.equal(ledger.timers.held, 1);
  gates.open('a');
  assert.equal((await client.frame()).data, 'a');
  assert.equal(ledger.timers.held, 0);
  t.mock.timers.tick(10_000);
  await turns();
  assert.deepEqual([contexts[0]!.signal.aborted, client.seen.length], [false, 1]);
});

test('without a deadline of its own a command has that of the node', async (t) => {
  const gates = new Gates();
  const { client } = await open(t, gates, { limits: { requestTimeoutMs: 300 } });
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.begun.length === 1, 'the handler');
  t.mock.timers.tick(300);
  assert.equal((await client.frame()).code, 18);
});

test('with request_timeout_ms 0 a handler may take for ever', async (t) => {
  const gates = new Gates();
  const { client, ledger } = await open(t, gates, { limits: { requestTimeoutMs: 0 } });
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.begun.length === 1, 'the handler');
  assert.equal(ledger.timers.held, 0);
  t.mock.timers.tick(1e9);
  await turns();
  assert.equal(client.seen.length, 0);
  gates.open('a');
  assert.equal((await client.frame()).data, 'a');
});

test('a reply that timed out keeps its place among the others', async (t) => {
  const gates = new Gates();
  const { client } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'));
  await soon(() => gates.begun.length === 2, 'the handlers');
  gates.open('b');
  await turns();
  assert.equal(client.seen.length, 0);
  t.mock.timers.tick(500);
  const frames = await client.frames(2);
  assert.deepEqual(
    frames.map(({ seq, code }) => [seq, code]),
    [
      [1, 18],
      [2, 0],
    ],
  );
});

test('what waited behind a request that timed out goes on', async (t) => {
  const gates = new Gates();
  const { client } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'), request(1003, 2));
  await soon(() => gates.begun.length === 1, 'the handler');
  t.mock.timers.tick(500);
  const [, second] = await client.frames(2);
  assert.deepEqual([second!.seq, second!.data], [2, 'quick']);
});

test('a client that leaves takes its deadlines along, and its handlers are told', async (t) => {
  const gates = new Gates();
  const { client, contexts, ledger, stats, count } = await open(t, gates, { timeoutMs: 500 });
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'));
  await soon(() => contexts.length === 2, 'the handlers');
  const { signal } = contexts[0]!;
  assert.deepEqual([ledger.timers.held, ledger.messages.held, stats.inFlight], [2, 2, 2]);
  client.reset();
  await count(0);
  assert.deepEqual([ledger.timers.held, ledger.messages.held, stats.inFlight], [0, 0, 0]);
  assert.deepEqual([signal.aborted, contexts[1]!.signal.aborted], [true, true]);
  gates.open('a');
  gates.fail('b', new Error('too late'));
  await turns();
  t.mock.timers.tick(500);
  assert.equal(stats.limits['request_timeout_ms'], undefined);
});
