// How fast one client may ask, and how much at once: above it reading pauses, nothing is lost and nobody is closed.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { request, requests, type Seen } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served, type ServedOptions } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const commands = { 1001: (data: Buffer) => data };
const inOrder = (frames: Seen[]) => frames.every(({ seq, code }, i) => seq === i + 1 && code === 0);

/** A node whose clock only the test moves. */
async function stopped(t: TestContext, options: ServedOptions) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 1000;
  const node = await served(t, { commands, ...options, now: () => now });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      now++;
      t.mock.timers.tick(1);
    }
    await turns();
  };
  return { ...node, ...(await node.pair()), pass };
}

for (const n of [300, 20_000]) {
  test(`a burst of ${n} requests passes under the defaults`, async (t) => {
    const { connect, stats } = await served(t, { commands });
    const client = await connect();
    client.send(requests(n, 1001, '1 - hello'));
    assert.ok(inOrder(await client.frames(n)));
    assert.deepEqual([stats.limits['request_rate'], stats.limits['outgoing_burst'], stats.closed], [undefined, undefined, {}]);
  });
}

test('20,000 requests whose answers are read only when all are sent pass under the defaults', async (t) => {
  const { connect, stats } = await served(t, { commands });
  const client = await connect();
  client.socket.pause();
  await new Promise<void>((sent) => client.socket.write(requests(20_000, 1001, '1 - hello'), () => sent()));
  client.socket.resume();
  assert.ok(inOrder(await client.frames(20_000)));
  assert.deepEqual(stats.closed, {});
});

test('above request_rate reading pauses, goes on at the rate, and nothing is lost', async (t) => {
  const { client, connection, pass, stats } = await stopped(t, { limits: { requestRate: 100, requestBurst: 10 } });
  client.send(requests(25, 1001, 'x'));
  await client.frames(10);
  await turns();
  assert.deepEqual([client.seen.length, connection.paused, stats.paused, stats.limits['request_rate']], [10, true, 1, 1]);
  await pass(9);
  assert.equal(client.seen.length, 10);
  await pass(1);
  await client.frames(1);
  await pass(140);
  await client.frames(14);
  assert.ok(inOrder(client.seen));
  assert.deepEqual([connection.paused, stats.paused], [false, 0]);
});

test('a client that rested has its burst again', async (t) => {
  const { client, pass } = await stopped(t, { limits: { requestRate: 100, requestBurst: 10 } });
  client.send(requests(10, 1001));
  await client.frames(10);
  await pass(1000);
  client.send(requests(10, 1001));
  await client.frames(10);
});

test('each client has a rate of its own', async (t) => {
  const { client, connect } = await stopped(t, { limits: { requestRate: 1, requestBurst: 5 } });
  const other = await connect();
  client.send(requests(9, 1001));
  await client.frames(5);
  other.send(requests(5, 1001));
  await other.frames(5);
});

test('a client that leaves while it is held up leaves no timer', async (t) => {
  const { client, pass, ledger, count, stats } = await stopped(t, { limits: { requestRate: 1, requestBurst: 1 } });
  client.send(requests(5, 1001));
  await client.frames(1);
  assert.equal(ledger.timers.held, 1);
  client.halfClose();
  await pass(4000);
  await count(0);
  assert.equal(client.seen.length, 5);
  assert.deepEqual([ledger.timers.held, stats.paused], [0, 0]);
});

test('a new rate counts at once, also for clients that are connected', async (t) => {
  const { client, serve, pass } = await stopped(t, { limits: { requestRate: 1, requestBurst: 2 } });
  client.send(requests(6, 1001));
  await client.frames(2);
  serve.limits = { ...serve.limits, requestRate: 1000, requestBurst: 2 };
  await pass(1010);
  await client.frames(4);
  await pass(10_000);
  serve.limits = { ...serve.limits, requestRate: 1, requestBurst: 1 };
  client.send(requests(3, 1001));
  await client.frames(1);
  await pass(999);
  assert.equal(client.seen.length, 7);
  await pass(1);
  await client.frames(1);
});

test('with request_rate 0 there is no limit', async (t) => {
  const { client } = await stopped(t, { limits: { requestRate: 0, requestBurst: 1 } });
  client.send(requests(3000, 1001));
  await client.frames(3000);
});

test('above max_in_flight no more requests begin, and all are answered in the end', async (t) => {
  const gates = new Gates();
  const { connect, stats } = await served(t, {
    commands: { 1001: { handler: gates.handler, concurrent: 1000 } },
    limits: { maxInFlight: 4 },
  });
  const client = await connect();
  client.send(...Array.from({ length: 10 }, (_, i) => request(1001, i + 1, String(i))));
  await soon(() => gates.begun.length === 4, 'four handlers');
  await turns();
  assert.deepEqual([gates.begun.length, stats.inFlight, stats.limits['max_in_flight']], [4, 4, 1]);
  gates.open('2');
  await turns();
  assert.equal(gates.begun.length, 4, 'a reply that waits for its turn still holds its place');
  gates.open('0');
  await soon(() => gates.begun.length === 5, 'the next handler');
  while (client.seen.length < 10) {
    for (const text of gates.waiting) gates.open(text);
    await turns(1);
  }
  assert.ok(inOrder(client.seen));
});

test('max_in_flight counts as a limit that took effect only if somebody had to wait', async (t) => {
  const gates = new Gates();
  const { connect, stats } = await served(t, { commands: { 1001: { handler: gates.handler, concurrent: 9 } }, limits: { maxInFlight: 2 } });
  const client = await connect();
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'));
  await soon(() => gates.begun.length === 2, 'both handlers');
  for (const text of gates.waiting) gates.open(text);
  await client.frames(2);
  assert.equal(stats.limits['max_in_flight'], undefined);
});

test('a client that sends on and on while its handler takes its time is read no further than a little ahead', async (t) => {
  const gates = new Gates();
  const { pair } = await served(t, { commands: { 1001: gates.handler } });
  const { client, connection } = await pair();
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  for (let i = 0; i < 40; i++) client.send(request(1001, i + 2, Buffer.alloc(250_000, 'b')));
  await soon(() => connection.paused, 'reading to pause');
  await turns(50);
  assert.ok(connection.decoder.held < 400_000, `${connection.decoder.held} bytes are held`);
  assert.ok(connection.bytesIn < 1_000_000, `${connection.bytesIn} bytes were read`);
  while (client.seen.length < 41) {
    for (const text of gates.waiting) gates.open(text);
    await turns(1);
  }
  assert.ok(inOrder(client.seen));
});
