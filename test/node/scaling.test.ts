// The number of workers changes while clients are served, and no client notices.

import assert from 'node:assert/strict';
import test from 'node:test';
import { closedGate } from '../support/gate.ts';
import { Load } from '../support/load.ts';
import { startNode } from '../support/node.ts';
import { frame, type RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const settled = (count: number) => ({
  fits: (status: { workers: { state: string }[] }) => status.workers.length === count && status.workers.every((w) => w.state === 'serving'),
  what: `${count} workers serve and none leaves`,
});

test('workers go from 2 to 4 to 1 to 3 under load, and nothing is lost, doubled or closed', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 5000 });
  const load = await Load.start(node, { pipelined: 6, slow: 6, idle: 60 });
  for (const count of [4, 1, 3]) {
    await load.more();
    await node.manager.setWorkers(count);
    const { fits, what } = settled(count);
    await node.statusWhen(fits, what);
  }
  await load.more();
  const report = await load.stop();
  assert.deepEqual(report.complaints, []);
  assert.equal(report.answered, report.sent);
  const { totals } = await node.status();
  assert.equal(totals.connections, 72);
  assert.deepEqual(totals.closed, {});
  assert.equal(totals.adopted, totals.handedOver);
  assert.ok(totals.handedOver >= 18, 'connections did move');
});

test('a frame of which half came travels with its connection', async (t) => {
  const node = await startNode(t, { worker_cnt: 2 });
  const clients = await node.connectAll(8);
  const bytes = frame(2001, 77, 'half here, half there');
  // cut in the head, between head and body, and in the body
  const cuts = [1, 5, 14, 15, 16, 20, 30, bytes.length - 1];
  for (const [i, client] of clients.entries()) client.write(frame(2001, 1, 'whole'), bytes.subarray(0, cuts[i]));
  for (const client of clients) assert.equal((await client.next()).data, 'whole');
  await node.manager.setWorkers(1);
  await node.statusWhen(({ workers }) => workers.length === 1, 'one worker is left');
  await node.manager.roll();
  for (const [i, client] of clients.entries()) client.write(bytes.subarray(cuts[i]));
  for (const client of clients)
    assert.deepEqual(await client.next(), { cmd: 2002, seq: 77, code: 0, msg: 'ok', data: 'half here, half there' });
});

test('what a slow handler is doing is finished before its connection moves, and what waits behind it is done after', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { worker_cnt: 1, drain_ms: 10_000 });
  const client = await node.connect();
  const [old] = node.pids();
  client.write(frame(2021, 1, gate.name), ...[2, 3, 4].map((seq) => frame(2017, seq)));
  await until(async () => (await node.status()).totals.inFlight === 1, 'the first request is in flight');
  const rolled = node.manager.roll();
  await node.statusWhen(({ workers }) => workers.some(({ state }) => state === 'leaving'), 'the old worker leaves');
  gate.open();
  await rolled;
  const [current] = node.pids();
  const answers = [await client.next(), await client.next(), await client.next(), await client.next()];
  assert.deepEqual(
    answers.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  assert.equal(answers[0]!.data, gate.name);
  assert.equal(answers[3]!.data, String(current));
  assert.notEqual(current, old);
});

test('what is still busy after drain_ms is closed, and only that', async (t) => {
  const node = await startNode(t, { worker_cnt: 1, drain_ms: 200 });
  const [busy, idle] = (await node.connectAll(2)) as [RawClient, RawClient];
  busy.write(frame(2013, 1));
  await idle.request(2005);
  await until(async () => (await node.status()).totals.inFlight === 1, 'the endless request is in flight');
  await node.manager.roll();
  assert.equal(await busy.closed, 'end');
  assert.equal((JSON.parse((await idle.request(2005)).data) as { count: number }).count, 2);
  assert.deepEqual((await node.status()).totals.closed, { drain: 1 });
});

test('clients that ended their side get all their replies although their worker leaves', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { worker_cnt: 1, drain_ms: 10_000 });
  const clients = await node.connectAll(4);
  for (const client of clients) {
    client.write(frame(2021, 1, gate.name), ...Array.from({ length: 50 }, (_, i) => frame(2001, i + 2, 'y')));
    client.socket.end();
  }
  await until(async () => (await node.status()).totals.inFlight === 4, 'all are in flight');
  const rolled = node.manager.roll();
  await node.statusWhen(({ workers }) => workers.some(({ state }) => state === 'leaving'), 'the old worker leaves');
  gate.open();
  await rolled;
  for (const client of clients) {
    await client.closed;
    assert.deepEqual(
      client.answers.map(({ seq }) => seq),
      Array.from({ length: 51 }, (_, i) => i + 1),
    );
  }
});

test('a client that said something once and is silent since is not closed for its first byte after a move', async (t) => {
  const node = await startNode(t, { worker_cnt: 1, first_byte_ms: 300, keep_alive: '1h' });
  const [spoke, silent] = (await node.connectAll(2)) as [RawClient, RawClient];
  await spoke.request(2005);
  await node.manager.roll();
  assert.equal(await silent.closed, 'end');
  const { totals } = await node.statusWhen(({ totals: { connections } }) => connections === 1, 'it is gone');
  assert.deepEqual(totals.closed, { first_byte: 1 });
  assert.equal((JSON.parse((await spoke.request(2005)).data) as { count: number }).count, 2);
});

test('what /connections shows of a client goes on counting after a move', async (t) => {
  const node = await startNode(t);
  const client = await node.connect();
  for (let i = 0; i < 5; i++) await client.request(2001, 'x');
  const shown = async () => (JSON.parse(await node.get('/connections')) as { connections: Record<string, unknown>[] }).connections[0]!;
  const before = await shown();
  await node.manager.roll();
  const after = await shown();
  for (const key of ['id', 'remote', 'requests', 'bytesIn', 'bytesOut']) assert.equal(after[key], before[key], key);
  const since = (view: Record<string, unknown>) => Date.parse(String(view['since']));
  assert.ok(Math.abs(since(after) - since(before)) < 2000, 'it is as old as it was');
});

test('workers that leave are shown until they are gone', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { worker_cnt: 3, drain_ms: 10_000 });
  const clients = await node.connectAll(3);
  for (const client of clients) client.write(frame(2021, 1, gate.name));
  await until(async () => (await node.status()).totals.inFlight === 3, 'all workers are busy');
  await node.manager.setWorkers(1);
  const states = (await node.status()).workers.map(({ index, state }) => `${index} ${state}`);
  assert.deepEqual(states, ['1 serving', '2 leaving', '3 leaving']);
  gate.open();
  await node.statusWhen(({ workers }) => workers.length === 1, 'they are gone');
  for (const client of clients) assert.equal((await client.next()).data, gate.name);
});

test('a client that has to wait for request_rate waits in its next worker, and gets every reply in order', async (t) => {
  const node = await startNode(t, { request_rate: 100, request_burst: 20, drain_ms: 10_000 });
  const client = await node.connect();
  client.write(...Array.from({ length: 90 }, (_, i) => frame(2001, i + 1, `${i}`)));
  for (let seq = 1; seq <= 20; seq++) assert.equal((await client.next()).seq, seq);
  await node.manager.roll();
  for (let seq = 21; seq <= 90; seq++) assert.deepEqual(await client.next(), { cmd: 2002, seq, code: 0, msg: 'ok', data: `${seq - 1}` });
  assert.ok((await node.status()).totals.limits['request_rate']! > 0);
});

test('a client that is slow to read gets the whole reply before its connection moves', async (t) => {
  const node = await startNode(t, { drain_ms: 10_000 });
  const clients = await node.connectAll(4);
  // more than the kernel takes: from just above to far above it
  const sizes = [3_000_000, 5_000_000, 7_000_000, 9_000_000];
  for (const [i, client] of clients.entries()) {
    client.socket.pause();
    client.write(frame(2005, 1), frame(2007, 2, String(sizes[i])));
  }
  await node.statusWhen(({ totals }) => totals.framesIn === 8 && totals.outgoingBytes > 0, 'replies wait to be read');
  const rolled = node.manager.roll();
  await node.statusWhen(({ workers }) => workers.some(({ state }) => state === 'leaving'), 'the worker leaves');
  for (const client of clients) client.socket.resume();
  for (const [i, client] of clients.entries()) {
    assert.equal((await client.next()).seq, 1);
    assert.equal((await client.next()).data.length, sizes[i]);
  }
  await rolled;
  for (const client of clients) assert.equal((JSON.parse((await client.request(2005)).data) as { count: number }).count, 2);
  assert.deepEqual((await node.status()).totals.closed, {});
});

test('a client that ends its side and reads late gets the whole reply, and then an end', async (t) => {
  const node = await startNode(t);
  const client = await node.connect();
  client.socket.pause();
  client.socket.end(frame(2007, 1, '6000000'));
  await node.statusWhen(({ totals }) => totals.framesIn === 1 && totals.outgoingBytes > 0, 'the reply waits to be read');
  client.socket.resume();
  assert.equal((await client.next()).data.length, 6_000_000);
  assert.equal(await client.closed, 'end');
  assert.deepEqual((await node.statusWhen(({ totals }) => totals.connections === 0, 'it is gone')).totals.closed, { peer: 1 });
});
