// What a node tells about itself: counts that never go back, metrics, the admin's changes, titles of processes.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Load } from '../support/load.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { titleOf } from '../support/processes.ts';

/** Everything in a page of metrics that may only grow, by name and labels. */
async function counters(node: TestNode): Promise<Map<string, number>> {
  const page = await node.get('/metrics');
  const types = new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const samples = lines.map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))] as const;
  });
  const isCounter = (name: string) => types.get(name) === 'counter' || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
  return new Map(samples.filter(([key]) => isCounter(key.replace(/\{.*/, ''))));
}

function assertGrown(before: Map<string, number>, after: Map<string, number>, when: string): void {
  for (const [key, value] of before) {
    const now = after.get(key);
    // what a worker that is gone for good counted is in the sum of the node
    if (now === undefined) assert.match(key, /worker="/, `${key} is gone ${when}`);
    else assert.ok(now >= value, `${key} went from ${value} to ${now} ${when}`);
  }
}

test('no counter ever goes back: not when workers die, leave, come back or are rolled', async (t) => {
  const node = await startNode(t, { worker_cnt: 3, restart_min_ms: 1, drain_ms: 5000 });
  const load = await Load.start(node, { pipelined: 4, slow: 4, idle: 10 });
  await load.more();
  let before = await counters(node);
  const look = async (when: string) => {
    const after = await counters(node);
    assertGrown(before, after, when);
    before = after;
  };
  await node.manager.setWorkers(1);
  await look('while workers leave');
  await node.statusWhen(({ workers }) => workers.length === 1, 'they have left');
  await look('after they have left');
  await node.manager.setWorkers(3);
  await look('with their numbers given again');
  await node.manager.roll();
  await look('after a roll');
  await load.stop();
  await look('with nothing to do');
  process.kill(node.pids()[0]!, 'SIGKILL');
  await look('right after a death');
  await node.statusWhen(
    ({ workers }) => workers.some(({ restarts }) => restarts === 1) && workers.every(({ state }) => state === 'serving'),
    'all serve again',
  );
  await look('after a death');
});

test('every request of every client is counted once, wherever its worker went', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 5000 });
  const load = await Load.start(node, { pipelined: 4, slow: 4, idle: 20, seed: 3 });
  await load.more();
  await node.manager.roll();
  await node.manager.setWorkers(1);
  await load.more();
  const { sent } = await load.stop();
  const { totals } = await node.statusWhen(({ workers }) => workers.length === 1, 'one worker is left');
  assert.equal(totals.framesIn, sent);
  assert.equal(totals.framesOut, sent);
  const counted = Object.values(totals.commands).flatMap(({ codes }) => Object.entries(codes));
  assert.deepEqual([...new Set(counted.map(([code]) => code))], ['0']);
  assert.equal(
    counted.reduce((sum, [, n]) => sum + n, 0),
    sent,
  );
  assert.equal(totals.accepted, 28);
});

test('metrics show requests by command and code, for the node and by worker', async (t) => {
  const node = await startNode(t);
  const client = await node.connect();
  for (let i = 0; i < 3; i++) await client.request(2001, 'x');
  assert.equal((await client.request(4711)).code, 4);
  const page = await node.get('/metrics');
  for (const line of [
    'kim_requests_total{worker="1",command="2001",code="0"} 3',
    'kim_node_requests_total{command="2001",code="0"} 3',
    'kim_node_requests_total{command="unknown",code="4"} 1',
    'kim_node_request_duration_seconds_count{command="2001"} 3',
    'kim_node_connections_accepted_total 1',
    'kim_passes_total 1',
    'kim_workers{state="serving"} 1',
    'kim_ready 1',
  ]) {
    assert.ok(page.split('\n').includes(line), `${line} is on the page`);
  }
});

test('the number of workers is changed over the admin page, and connections are listed with their workers', async (t) => {
  const node = await startNode(t, { worker_cnt: 1 });
  const clients = await node.connectAll(4);
  assert.deepEqual(await node.post('/workers', { count: 3 }), { status: 200, body: { count: 3, was: 1 } });
  const late = await node.connectAll(2);
  for (const client of [...clients, ...late]) assert.equal((await client.request(2001, 'x')).data, 'x');
  const { connections } = JSON.parse(await node.get('/connections')) as {
    connections: { worker: number; requests: number; remote: string }[];
  };
  assert.equal(connections.length, 6);
  assert.deepEqual(
    [...new Set(connections.map(({ worker }) => worker))].sort((a, b) => a - b),
    [1, 2, 3],
  );
  assert.ok(connections.every(({ requests, remote }) => requests === 1 && remote.startsWith('127.0.0.1:')));
  assert.equal((JSON.parse(await node.get('/connections?limit=2')) as { connections: unknown[] }).connections.length, 2);
  const refused = await node.post('/workers', { count: 0 });
  assert.equal(refused.status, 400);
});

test('workers can not be changed while the node drains, and the answer says so', async (t) => {
  const node = await startNode(t, { drain_ms: 2000 });
  const client = await node.connect();
  await client.request(2001);
  const drained = node.manager.drain();
  const { status, body } = await node.post('/workers', { count: 2 });
  assert.equal(status, 409);
  assert.match(String(body['error']), /the node is draining; workers can be changed while it is serving/);
  client.destroy();
  await drained;
});

test('a worker that does not answer is shown as it was heard last', async (t) => {
  const node = await startNode(t, { worker_cnt: 2 });
  await node.connectAll(4);
  await node.statusWhen(({ totals }) => totals.connections === 4, 'all are served');
  const [stopped] = node.pids() as [number];
  process.kill(stopped, 'SIGSTOP');
  const status = await node.status().finally(() => process.kill(stopped, 'SIGCONT'));
  assert.deepEqual(
    status.workers.map(({ stats }) => stats.connections),
    [2, 2],
  );
});

test('processes carry the name of the node, workers their number as well', async (t) => {
  const node = await startNode(t, { server_name: 'kim-with-a-long-name', worker_cnt: 2 });
  const { workers } = await node.status();
  assert.deepEqual(
    workers.map(({ pid }) => titleOf(pid)),
    ['kim-with-a-long-name_w_1', 'kim-with-a-long-name_w_2'],
  );
});
