// Clients that are silent or slow, at the moments just before and behind each deadline.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { overdue, sweepMs } from '../../src/node/deadlines.ts';
import { head, request } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { defaultLimits, served, type ServedOptions } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const limits = { firstByteMs: 1000, frameMs: 2000, keepAliveMs: 10_000, outgoingDeadlineMs: 5000 };

/** A client on a clock that the test moves; `at` says what is overdue at a time. */
async function open(t: TestContext, options: ServedOptions = {}) {
  const clock = { now: 50_000 };
  const node = await served(t, {
    commands: { 1001: () => 'x' },
    ...options,
    limits: { ...limits, ...options.limits },
    now: () => clock.now,
  });
  const pair = await node.pair();
  const at = (now: number) => {
    clock.now = now;
    return overdue(pair.connection, node.serve.limits, now)?.reason;
  };
  const say = async (bytes: Buffer) => {
    const before = pair.connection.bytesIn;
    pair.client.send(bytes);
    await soon(() => pair.connection.bytesIn === before + bytes.length, 'the bytes');
  };
  return { ...node, ...pair, clock, at, say };
}

test('a client that says nothing is closed after first_byte_ms', async (t) => {
  const { at, connection, serve } = await open(t);
  assert.equal(at(51_000), undefined);
  assert.equal(at(51_001), 'first_byte');
  assert.deepEqual(overdue(connection, serve.limits, 51_001), { reason: 'first_byte', limit: 'first_byte_ms', destroy: false });
});

test('one byte is enough to be there', async (t) => {
  const { at, say } = await open(t);
  await say(Buffer.from([0x0d]));
  assert.equal(at(51_500), undefined);
});

test('a frame that is not finished in frame_ms closes its connection', async (t) => {
  const { at, say, clock, connection, serve } = await open(t);
  await say(head(1001, 1, 10).subarray(0, 7));
  clock.now = 51_500;
  await say(head(1001, 1, 10).subarray(7));
  assert.equal(at(52_000), undefined);
  assert.equal(at(52_001), 'slow_sender');
  assert.deepEqual(overdue(connection, serve.limits, 52_001), { reason: 'slow_sender', limit: 'frame_ms', destroy: false });
});

test('every frame has its own time', async (t) => {
  const { at, say, clock } = await open(t);
  const bytes = request(1001, 1, 'data');
  await say(bytes.subarray(0, 7));
  clock.now = 51_900;
  await say(Buffer.concat([bytes.subarray(7), bytes.subarray(0, 7)]));
  assert.equal(at(53_900), undefined);
  assert.equal(at(53_901), 'slow_sender');
  await say(bytes.subarray(7));
  assert.equal(at(55_000), undefined);
});

test('a client that has said nothing more for keep_alive is closed', async (t) => {
  const { at, say, client, connection, serve } = await open(t);
  await say(request(1001, 1));
  await client.frame();
  assert.equal(at(60_000), undefined);
  assert.equal(at(60_001), 'idle');
  assert.deepEqual(overdue(connection, serve.limits, 60_001), { reason: 'idle', limit: 'keep_alive', destroy: false });
  await say(request(1001, 2));
  assert.equal(at(70_001), undefined);
  assert.equal(at(70_002), 'idle');
});

test('a client that waits for an answer is not idle', async (t) => {
  const gates = new Gates();
  const { at, say, client } = await open(t, { commands: { 1001: gates.handler }, limits: { requestTimeoutMs: 0 } });
  await say(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  assert.equal(at(1e9), undefined);
  gates.open('a');
  await client.frame();
});

test('while we do not read, it is not the client who is slow, and afterwards it has its full time', async (t) => {
  const { at, say, client, connection, serve, clock } = await open(t);
  await say(head(1001, 1, 10));
  client.socket.pause();
  for (let i = 0; i < 3; i++) serve.clientOf(connection).push(2001, Buffer.alloc(4 << 20));
  await soon(() => connection.paused, 'reading to pause');
  assert.equal(at(53_000), undefined);
  client.socket.resume();
  await client.frames(3);
  await soon(() => !connection.paused, 'reading to go on');
  clock.now = 54_000;
  assert.equal(at(55_000), undefined);
  assert.equal(at(55_001), 'slow_sender');
});

test('a deadline of 0 is none', async (t) => {
  const off = { firstByteMs: 0, frameMs: 0, keepAliveMs: 0, outgoingDeadlineMs: 0 };
  const { at, say } = await open(t, { limits: off });
  assert.equal(at(1e9), undefined);
  await say(Buffer.from([0x0d]));
  assert.equal(at(2e9), undefined);
});

test('a connection that is ending has no deadlines but its last', async (t) => {
  const { at, serve, connection, count, client } = await open(t);
  serve.end(connection, 'module');
  assert.equal(at(1e9), undefined);
  client.halfClose();
  await count(0);
});

test('whoever is ended for a deadline gets an end, not a reset', async (t) => {
  const { serve, connection, client, stats } = await open(t);
  serve.end(connection, 'idle');
  await client.end();
  await turns();
  assert.equal(client.error, undefined);
  await soon(() => stats.closed.idle === 1, 'the connection to be closed');
});

test('one looks four times within the shortest deadline, between 20 ms and a second', () => {
  const at = (changed: Partial<typeof defaultLimits>) => sweepMs({ ...defaultLimits, ...changed });
  assert.equal(at({ firstByteMs: 800 }), 200);
  assert.equal(at({ frameMs: 10 }), 20);
  assert.equal(at({}), 1000);
  assert.equal(at({ firstByteMs: 0, frameMs: 0, keepAliveMs: 0, outgoingDeadlineMs: 0 }), 1000);
});
