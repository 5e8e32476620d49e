// Processes that stand still, and workers whose manager is gone.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { folderOf, isAlive, KimNode } from '../support/kim.ts';
import { MODULES, startNode, testConfig } from '../support/node.ts';
import { childrenOf, cpuOf } from '../support/processes.ts';
import { frame, RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const CONFIG = {
  server_name: 'kim-hang-test',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  admin_port: 0,
  max_clients: 100,
  worker_cnt: 2,
  modules: [`${MODULES}/load.ts`],
};

async function serving(t: TestContext, raw: object = {}, env: NodeJS.ProcessEnv = {}): Promise<{ node: KimNode; workers: number[] }> {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, ...raw } });
  const node = await KimNode.serving(t, [`${folder}/node.json`], { env });
  const workers = childrenOf(node.child.pid!);
  assert.equal(workers.length, 2);
  t.after(() => {
    for (const pid of workers.filter(isAlive)) process.kill(pid, 'SIGKILL');
  });
  return { node, workers };
}

test('a worker whose event loop stands still for hang_ms is replaced, and the clients of the others notice nothing', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, hang_ms: 2000, restart_min_ms: 1 });
  const [victim, other] = await node.connectAll(2);
  const pid = Number((await victim!.request(2017)).data);
  victim!.write(frame(2009, 1));
  const answered: string[] = [];
  const ask = async () => {
    while (victim!.ended === undefined) answered.push((await other!.request(2001, 'quick')).data);
  };
  await Promise.all([ask(), victim!.closed]);
  assert.ok(answered.length > 100 && answered.every((data) => data === 'quick'));
  const status = await node.statusWhen(
    ({ workers }) => workers.some(({ restarts }) => restarts === 1) && workers.every(({ state }) => state === 'serving'),
    'both workers serve again',
  );
  assert.equal(isAlive(pid), false);
  const replaced = status.workers.find(({ restarts }) => restarts === 1);
  assert.match(replaced!.lastExit!, /^its event loop stood still for \d+ ms \(hang_ms\)$/);
});

test('a hang_ms that workers could not keep is refused', () => {
  assert.throws(() => testConfig({ hang_ms: 500 }), /hang_ms is 500 ms.*2000/);
  assert.equal(testConfig({ hang_ms: 0 }).hang_ms, 0);
  assert.equal(testConfig({ hang_ms: 2000 }).hang_ms, 2000);
});

test('a manager that stood still itself blames nobody', async (t) => {
  const { node, workers } = await serving(t, { hang_ms: 2000 });
  const client = await RawClient.connect(node.port);
  t.after(() => client.destroy());
  await client.request(2001, 'x');
  node.signal('SIGSTOP');
  // the workers go on without it for longer than hang_ms
  let asked = 0;
  const deadline = performance.now() + 3000;
  while (performance.now() < deadline) {
    assert.equal((await client.request(2003, '20 x')).data, '20 x');
    asked++;
  }
  node.signal('SIGCONT');
  assert.ok(asked > 10);
  // it has looked at its workers again when it has answered this
  await until(async () => ((await (await fetch(`http://${node.admin}/status`)).json()) as { ready: boolean }).ready, 'the manager answers');
  assert.deepEqual(
    childrenOf(node.child.pid!).sort((a, b) => a - b),
    workers.sort((a, b) => a - b),
  );
  assert.ok(workers.every(isAlive));
  assert.equal((await client.request(2001, 'x')).data, 'x');
});

test('workers whose manager is killed leave, and so do their connections', async (t) => {
  const { node, workers } = await serving(t);
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(node.port)));
  for (const client of clients) await client.request(2001, 'x');
  node.signal('SIGKILL');
  await until(() => !workers.some(isAlive), 'all workers are gone');
  for (const client of clients) assert.match(await client.closed, /^(end|ECONNRESET)$/);
});

for (const [how, env] of [
  ['as this machine has it', {}],
  ['without setpriv', { PATH: '/nowhere' }],
] as const) {
  test(`a worker that is caught in an endless loop when its manager is killed ends too, ${how}`, async (t) => {
    const { node, workers } = await serving(t, {}, env);
    const client = await RawClient.connect(node.port);
    const pid = Number((await client.request(2017)).data);
    const before = cpuOf(pid);
    client.write(frame(2009, 1));
    await until(() => cpuOf(pid) > before + 0.5, 'the worker does nothing else');
    node.signal('SIGKILL');
    await until(() => !workers.some(isAlive), 'both workers are gone');
    assert.match(await client.closed, /^(end|ECONNRESET)$/);
  });
}
