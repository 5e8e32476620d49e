// A node ends: replies in flight leave, idle clients are ended at a pace, and nobody sees a reset.

import assert from 'node:assert/strict';
import test from 'node:test';
import { closedGate } from '../support/gate.ts';
import { startNode } from '../support/node.ts';
import { frame, RawClient } from '../support/raw-client.ts';

test('accepting stops, and replies in flight leave before their connections are ended', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 10_000 });
  const { port } = node;
  const clients = await node.connectAll(4);
  for (const client of clients) client.write(frame(2021, 1, gate.name));
  await node.statusWhen(({ totals }) => totals.inFlight === 4, 'all are busy');
  const drained = node.manager.drain();
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
  assert.deepEqual(JSON.parse(await node.get('/readyz')), {
    ready: false,
    state: 'draining',
    reasons: ['the node is draining'],
    details: [],
  });
  gate.open();
  for (const client of clients) {
    assert.equal((await client.next()).data, gate.name);
    assert.equal(await client.closed, 'end');
  }
  await drained;
  node.assertNothingHeld();
  assert.equal(node.left.length, 2);
});

test('idle clients are ended at a pace, and those whose turn has not come are still answered', async (t) => {
  const node = await startNode(t, { drain_ms: 20_000 });
  const clients = await node.connectAll(60);
  await node.statusWhen(({ totals }) => totals.connections === 60, 'all are served');
  const drained = node.manager.drain();
  await Promise.race(clients.map((client) => client.closed));
  const open = clients.filter(({ ended }) => ended === undefined);
  assert.ok(open.length > 50, `${open.length} of 60 are still open when the first is ended`);
  const asked = open.at(-1)!;
  assert.equal((await asked.request(2001, 'still served')).data, 'still served');
  // those that leave by themselves are not waited for
  for (const client of clients) client.socket.end();
  for (const client of clients) assert.equal(await client.closed, 'end');
  await drained;
});

test('what is busy when drain_ms is over is closed, in order as well', async (t) => {
  const node = await startNode(t, { drain_ms: 300 });
  const clients = await node.connectAll(3);
  for (const client of clients) client.write(frame(2013, 1));
  await node.statusWhen(({ totals }) => totals.inFlight === 3, 'all are busy');
  await node.manager.drain();
  for (const client of clients) assert.equal(await client.closed, 'end');
  assert.deepEqual(node.manager.pool.book.total().closed, { drain: 3 });
});

test('clients that go on sending see an end, not a reset', async (t) => {
  const node = await startNode(t, { drain_ms: 1000 });
  const clients = await node.connectAll(10);
  for (const client of clients) {
    let seq = 0;
    const more = () => client.ended === undefined && client.write(...Array.from({ length: 20 }, () => frame(2001, ++seq, 'more')));
    client.onAnswer = (answer) => {
      if (answer.seq % 20 === 0) more();
    };
    more();
  }
  await node.statusWhen(({ totals }) => totals.framesIn > 1000, 'all are being served');
  await node.manager.drain();
  assert.deepEqual(
    clients.map(({ ended }) => ended),
    clients.map(() => 'end'),
  );
});

test('with drain_ms 0 everything is ended at once', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 0 });
  const clients = await node.connectAll(20);
  clients[0]!.write(frame(2013, 1));
  await node.statusWhen(({ totals }) => totals.connections === 20 && totals.inFlight === 1, 'all are served and one is busy');
  await node.manager.drain();
  for (const client of clients) assert.equal(await client.closed, 'end');
});

test('a node without clients ends at once', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 60_000 });
  await node.manager.drain();
  assert.equal(node.left.length, 2);
});

test('a drain that is asked for over the admin page is answered, and the node ends', async (t) => {
  const node = await startNode(t, { drain_ms: 500 });
  const clients = await node.connectAll(5);
  await node.statusWhen(({ totals }) => totals.connections === 5, 'all are served');
  const { status, body } = await node.post('/drain', {});
  assert.deepEqual([status, body], [202, { state: 'draining', connections: 5, drainMs: 500 }]);
  await node.manager.ended;
  for (const client of clients) assert.equal(await client.closed, 'end');
  node.assertNothingHeld();
});

test('a drain that stays waits, with nobody left, for somebody to end the node', async (t) => {
  const node = await startNode(t);
  const client = await node.connect();
  client.write(frame(2001, 1, 'before'));
  assert.equal((await client.next()).data, 'before');
  await node.statusWhen(({ totals }) => totals.connections === 1, 'it is counted');
  const answer = await node.post('/drain', { stay: true, seconds: 3 });
  assert.deepEqual([answer.status, answer.body['drainMs'], answer.body['connections']], [202, 3000, 1]);
  assert.equal(await client.closed, 'end');
  await node.statusWhen(({ workers, state }) => workers.length === 0 && state === 'draining', 'nobody is left, and it still answers');
  assert.deepEqual(JSON.parse(await node.get('/readyz')).ready, false);
  await node.manager.drain();
  assert.equal(node.manager.state, 'stopping');
});
