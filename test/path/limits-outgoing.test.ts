// Clients that do not read what they asked for: they are not read either, given some room and some time, and then closed.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { overdue } from '../../src/node/deadlines.ts';
import { request, requests } from '../support/frames.ts';
import { served, type ServedOptions } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const commands = { 1001: () => Buffer.alloc(100 * KIB), 1003: () => 'x' };

/** A client that asks and does not read, until the server stops reading from it. */
async function stubborn(t: TestContext, options: ServedOptions = {}) {
  const node = await served(t, { commands, ...options });
  const { client, connection } = await node.pair();
  client.socket.pause();
  client.send(requests(200, 1001));
  await soon(() => connection.paused || connection.state !== 'open', 'reading to pause');
  return { ...node, client, connection };
}

test('reading pauses above outgoing_limit, and no more is answered than is to be sent', async (t) => {
  const { connection, stats } = await stubborn(t);
  await turns();
  assert.ok(connection.outgoing > 256 * KIB && connection.outgoing < MIB, `${connection.outgoing} bytes are unsent`);
  assert.ok(connection.requests < 200);
  assert.deepEqual([stats.paused, stats.limits['outgoing_limit'], connection.state], [1, 1, 'open']);
});

test('reading goes on when the client reads, and it gets everything in order', async (t) => {
  const { client, connection, stats } = await stubborn(t);
  client.socket.resume();
  const frames = await client.frames(200);
  assert.ok(frames.every(({ seq }, i) => seq === i + 1));
  await soon(() => !connection.paused, 'reading to go on');
  assert.deepEqual([stats.paused, connection.slowSince], [0, 0]);
});

test('another client on the same worker does not notice', async (t) => {
  const { connect } = await stubborn(t);
  const other = await connect();
  other.send(requests(100, 1003));
  await other.frames(100);
});

test('a small limit is enough to pause, and small replies go on afterwards', async (t) => {
  const { client, connection } = await stubborn(t, { limits: { outgoingLimit: 1 } });
  client.socket.resume();
  await client.frames(200);
  client.send(requests(50, 1003));
  await client.frames(50);
  await soon(() => !connection.paused, 'reading to go on');
});

test('above outgoing_burst the connection is closed at once', async (t) => {
  const { pair, serve, stats, count } = await served(t, { limits: { outgoingBurst: 4 * MIB } });
  const { client, connection } = await pair();
  const other = await pair();
  client.socket.pause();
  for (let pushed = 0; connection.state === 'open' && pushed < 100; pushed++) {
    serve.clientOf(connection).push(2001, Buffer.alloc(MIB));
    await turns(1);
  }
  await count(1);
  assert.deepEqual([stats.closed, stats.limits['outgoing_burst']], [{ outgoing: 1 }, 1]);
  assert.equal(serve.clientOf(connection).push(2001, 'x'), false);
  assert.equal(serve.budget.used, 0);
  serve.clientOf(other.connection).push(2001, 'still here');
  assert.equal((await other.client.frame()).data, 'still here');
});

test('above outgoing_limit for longer than outgoing_deadline_ms the connection is closed', async (t) => {
  let now = 1000;
  const { connection, serve } = await stubborn(t, { now: () => now, limits: { outgoingDeadlineMs: 5000 } });
  now = 6000;
  assert.equal(overdue(connection, serve.limits, now), undefined);
  now = 6001;
  assert.deepEqual(overdue(connection, serve.limits, now), { reason: 'slow_reader', limit: 'outgoing_deadline_ms', destroy: true });
  assert.equal(overdue(connection, { ...serve.limits, outgoingDeadlineMs: 0 }, 1e9), undefined);
});

test('the deadline begins anew once everything was read', async (t) => {
  let now = 1000;
  const { client, connection, serve } = await stubborn(t, { now: () => now, limits: { outgoingDeadlineMs: 5000 } });
  now = 5000;
  client.socket.resume();
  await client.frames(200);
  await soon(() => !connection.paused, 'reading to go on');
  now = 100_000;
  client.socket.pause();
  client.send(requests(200, 1001));
  await soon(() => connection.paused, 'reading to pause again');
  now = 105_000;
  assert.equal(overdue(connection, serve.limits, now), undefined);
  now = 105_001;
  assert.equal(overdue(connection, serve.limits, now)?.reason, 'slow_reader');
});

test('a client that waits for a slow handler is not a slow reader', async (t) => {
  const never = new Promise<string>(() => undefined);
  let now = 1000;
  const { pair, serve, stats } = await served(t, { commands: { 1001: () => never }, limits: { requestTimeoutMs: 0 }, now: () => now });
  const { client, connection } = await pair();
  client.send(request(1001, 1), requests(5000, 1001, 'x'.repeat(50)));
  await soon(() => stats.inFlight === 1 && connection.paused, 'reading to pause');
  now = 1e9;
  assert.equal(overdue(connection, serve.limits, now), undefined);
});
