// What unfinished frames and unsent bytes may take: of one connection, and of all together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { head, request, requests } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const commands = { 1001: (data: Buffer) => `${data.length} bytes`, 1003: () => Buffer.alloc(100 * KIB) };

test('a frame above max_frame closes its connection before its body is kept', async (t) => {
  const { pair, stats, serve } = await served(t, { commands, limits: { maxFrame: 1000 } });
  const { client, connection } = await pair();
  const other = await pair();
  client.send(request(1001, 1, Buffer.alloc(990)), head(1001, 2, 1001), Buffer.alloc(100));
  await client.end();
  assert.deepEqual(
    client.seen.map(({ data }) => data),
    ['990 bytes'],
  );
  await soon(() => stats.closed.size === 1, 'the connection to be closed');
  assert.deepEqual([stats.limits['max_frame'], connection.decoder.held, serve.budget.used], [1, 0, 0]);
  other.client.send(request(1001, 1, 'x'));
  await other.client.frame();
});

test('a frame of 8 MiB passes under the defaults, in pieces and with a reply', async (t) => {
  const { connect, serve } = await served(t, { commands });
  const client = await connect();
  const body = Buffer.alloc(8 * MIB - 5);
  client.send(request(1001, 1, body));
  assert.equal((await client.frame()).data, `${body.length} bytes`);
  assert.equal(serve.budget.used, 0);
});

test('above worker_memory who holds most is closed, and the others go on', async (t) => {
  const { pair, serve, stats, log, count } = await served(t, { commands, limits: { workerMemory: MIB } });
  const [large, small, smallest] = [await pair(), await pair(), await pair()];
  const frame = request(1001, 1, Buffer.alloc(900 * KIB));
  smallest.client.send(frame.subarray(0, 10 * KIB));
  small.client.send(frame.subarray(0, 150 * KIB));
  await soon(() => small.connection.bytesIn === 150 * KIB && smallest.connection.bytesIn === 10 * KIB, 'the small ones');
  assert.equal(serve.budget.isFull, false);
  large.client.send(frame.subarray(0, -1));
  await count(2);
  assert.deepEqual([large.connection.reason, stats.closed, stats.limits['worker_memory']], ['memory', { memory: 1 }, 1]);
  assert.deepEqual(
    log.map(({ level, client }) => [level, client]),
    [['warn', large.connection.id]],
  );
  small.client.send(frame.subarray(150 * KIB));
  assert.equal((await small.client.frame()).data, `${900 * KIB} bytes`);
  smallest.client.send(frame.subarray(10 * KIB));
  assert.equal((await smallest.client.frame()).data, `${900 * KIB} bytes`);
});

test('a worker whose memory was exceeded takes clients in again when there is room', async (t) => {
  const { pair, serve, count } = await served(t, { commands, limits: { workerMemory: 100 * KIB } });
  const { client } = await pair();
  client.send(request(1001, 1, Buffer.alloc(400 * KIB)).subarray(0, 300 * KIB));
  await count(0);
  assert.deepEqual([serve.budget.isFull, serve.budget.used], [false, 0]);
});

test('unsent bytes count as well', async (t) => {
  const { pair, stats, count, serve } = await served(t, {
    commands,
    limits: { workerMemory: 3 * MIB, outgoingLimit: 64 * MIB, outgoingBurst: 64 * MIB },
  });
  const { client } = await pair();
  client.socket.pause();
  client.send(requests(300, 1003));
  await count(0);
  assert.deepEqual([stats.closed, serve.budget.used], [{ memory: 1 }, 0]);
});

test('replies that wait for their turn count as well', async (t) => {
  const gates = new Gates();
  const large = { handler: async () => Buffer.alloc(512 * KIB), concurrent: 64 };
  const { pair, stats, count } = await served(t, {
    commands: { 1001: { handler: gates.handler, concurrent: 64 }, 1003: large },
    limits: { workerMemory: 4 * MIB },
  });
  const { client } = await pair();
  client.send(request(1001, 1, 'first'), requests(30, 1003));
  await count(0);
  assert.deepEqual(stats.closed, { memory: 1 });
});

test('many clients that send a byte and stop take little', async (t) => {
  const { connect, serve, stats, count } = await served(t, { commands });
  for (let i = 0; i < 100; i++) (await connect()).send(head(1001, 1, 8 * MIB).subarray(0, (i % 15) + 1));
  await count(100);
  await soon(() => stats.bytesIn >= 100, 'the bytes');
  await turns();
  assert.ok(serve.budget.used > 0 && serve.budget.used < 100 * 2 * KIB, `${serve.budget.used} bytes are held`);
});
