// Who gets the next client: the worker with the fewest, or whoever accepts first on a shared handle.

import assert from 'node:assert/strict';
import test from 'node:test';
import { startNode } from '../support/node.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const counts = (workers: { stats: { connections: number } }[]) => workers.map(({ stats }) => stats.connections);

test('passes each new client to the worker with the fewest connections', async (t) => {
  const node = await startNode(t, { worker_cnt: 3 });
  const clients = await node.connectAll(30);
  const status = await node.statusWhen(({ totals }) => totals.connections === 30, 'all clients are served');
  assert.deepEqual(counts(status.workers), [10, 10, 10]);
  assert.equal(status.manager.passes, 30);

  // all clients of one worker leave: the next ones make up for them
  const served = await Promise.all(clients.map(async (client) => ({ client, pid: (await client.request(2017)).data })));
  const emptied = served.filter(({ pid }) => pid === String(status.workers[1]!.pid));
  assert.equal(emptied.length, 10);
  for (const { client } of emptied) client.destroy();
  await node.statusWhen(({ totals }) => totals.connections === 20, 'the clients that left are gone');
  await node.connectAll(10);
  const again = await node.statusWhen(({ totals }) => totals.connections === 30, 'the new clients are served');
  assert.deepEqual(counts(again.workers), [10, 10, 10]);
});

test('with is_reuseport workers accept from one shared handle, and their counts are right', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, is_reuseport: true });
  const clients: RawClient[] = [];
  // the kernel wakes whom it likes, and a worker takes all that wait: one alone may get a whole crowd
  const status = await until(async () => {
    const more = await node.connectAll(50);
    const replies = await Promise.all(more.map((client) => client.request(2001, 'hello')));
    assert.ok(replies.every(({ cmd, code, data }) => cmd === 2002 && code === 0 && data === 'hello'));
    const count = clients.push(...more);
    const now = await node.statusWhen(({ totals }) => totals.connections === count, 'all clients are served');
    return now.workers.every(({ stats }) => stats.connections > 0) && now;
  }, 'both workers accept');
  assert.equal(status.manager.accepted, 0, 'nothing went through the manager');

  for (const client of clients.slice(25)) client.destroy();
  await node.statusWhen(({ totals }) => totals.connections === 25, 'those that left are gone');
  assert.deepEqual(
    (await node.status()).workers.map(({ stats }) => stats.connections),
    node.manager.pool.serving().map(({ connections }) => connections),
    'what workers count and what the manager thinks of them agree',
  );
});

test('with is_reuseport a worker count can change under clients that notice nothing', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, is_reuseport: true });
  const clients = await node.connectAll(40);
  for (const client of clients) await client.request(2005);
  await node.manager.setWorkers(1);
  await node.statusWhen(({ workers }) => workers.length === 1 && workers[0]!.stats.connections === 40, 'one worker serves all');
  await node.manager.setWorkers(3);
  const late = await node.connectAll(40);
  for (const client of [...clients, ...late]) assert.equal((await client.request(2001, 'x')).data, 'x');
  for (const client of clients) assert.equal((JSON.parse((await client.request(2005)).data) as { count: number }).count, 2);
});
