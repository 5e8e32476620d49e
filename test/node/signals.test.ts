// Signals that reach a whole node as a person or a service manager sends them.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { folderOf, isAlive, KimNode } from '../support/kim.ts';
import { MODULES } from '../support/node.ts';
import { childrenOf, titleOf } from '../support/processes.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

async function serving(t: TestContext, raw: object = {}): Promise<{ node: KimNode; workers: number[]; client: RawClient }> {
  const config = {
    server_name: 'kim-signals-test',
    node_type: 'gate',
    gate_host: '127.0.0.1',
    gate_port: 0,
    admin_port: 0,
    max_clients: 100,
    worker_cnt: 2,
    modules: [`${MODULES}/load.ts`],
    ...raw,
  };
  const node = await KimNode.serving(t, [`${folderOf(t, { 'node.json': config })}/node.json`]);
  const workers = childrenOf(node.child.pid!);
  t.after(() => {
    for (const pid of workers.filter(isAlive)) process.kill(pid, 'SIGKILL');
  });
  const client = await RawClient.connect(node.port);
  t.after(() => client.destroy());
  return { node, workers, client };
}

const visits = async (client: RawClient) => (JSON.parse((await client.request(2005)).data) as { count: number }).count;

test('SIGUSR1 replaces all workers, and their clients stay', async (t) => {
  const { node, workers, client } = await serving(t);
  assert.equal(await visits(client), 1);
  node.signal('SIGUSR1');
  await until(() => !workers.some(isAlive), 'the old workers are gone');
  assert.equal(await visits(client), 2);
  assert.equal(childrenOf(node.child.pid!).length, 2);
});

test('SIGUSR2 prints the resources that each process holds', async (t) => {
  const { node, client } = await serving(t);
  await visits(client);
  node.signal('SIGUSR2');
  // one table of each worker; one of them has a client with a session
  await until(() => (node.err.match(/^connection /gm) ?? []).length === 2, 'both workers have printed theirs');
  assert.match(node.err, /^connection +1 +1 +0/m);
  assert.match(node.err, /^session +1 +1 +0/m);
  assert.equal(await visits(client), 2);
});

test('what a terminal sends to all processes is the business of the manager alone', async (t) => {
  const { node, workers, client } = await serving(t);
  for (const pid of workers) for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1'] as const) process.kill(pid, signal);
  assert.equal(await visits(client), 1);
  assert.equal(await visits(client), 2);
  assert.deepEqual(childrenOf(node.child.pid!), workers);
  assert.doesNotMatch(node.err, /[Dd]ebugger/);
});

test('SIGTERM to all processes at once, as a service manager does it, drains the node and ends with 0', async (t) => {
  const { node, workers, client } = await serving(t, { drain_ms: 500 });
  await visits(client);
  for (const pid of [...workers, node.child.pid!]) process.kill(pid, 'SIGTERM');
  assert.equal(await client.closed, 'end');
  assert.equal(await node.ended(), 0);
  assert.deepEqual(workers.filter(isAlive), []);
});

test('the manager carries the name of the node', async (t) => {
  const { node, workers } = await serving(t);
  assert.equal(titleOf(node.child.pid!), 'kim-signals-test');
  assert.deepEqual(workers.map(titleOf).sort(), ['kim-signals-test_w_1', 'kim-signals-test_w_2']);
});
