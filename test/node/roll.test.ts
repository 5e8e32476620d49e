// Workers are replaced by new processes, one by one, while clients are served.

import assert from 'node:assert/strict';
import test from 'node:test';
import { closedGate } from '../support/gate.ts';
import { Load } from '../support/load.ts';
import { isAlive } from '../support/kim.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { ownModules } from '../support/own-modules.ts';
import { childrenOf } from '../support/processes.ts';
import { frame } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

/** While the switch is on, a worker with this module does not get beyond its start. */
const SLOW_START = `{ name: 'shop', commands: { 1001: () => 'sold' }, async start() { while (isOn()) await sleep(5); } }`;

const isStarting = (node: TestNode) => node.manager.pool.status().some(({ state, pid }) => state === 'starting' && pid > 0);

test('rolling the workers under load loses nothing, doubles nothing and closes nothing; all processes are new', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 5000 });
  const load = await Load.start(node, { pipelined: 6, slow: 6, idle: 60, seed: 5 });
  const old = node.pids();
  for (let i = 0; i < 2; i++) {
    await load.more();
    await node.manager.roll();
  }
  await load.more();
  const report = await load.stop();
  assert.deepEqual(report.complaints, []);
  assert.equal(report.answered, report.sent);
  assert.equal(node.pids().length, 2);
  assert.ok(node.pids().every((pid) => !old.includes(pid)));
  assert.ok(old.every((pid) => !isAlive(pid)));
  const { totals } = await node.status();
  assert.deepEqual(totals.closed, {});
  assert.equal(totals.adopted, totals.handedOver);
  assert.ok(totals.adopted >= 144, 'all connections have moved twice');
});

test('with is_reuseport, too', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 5000, is_reuseport: true });
  const load = await Load.start(node, { pipelined: 4, slow: 4, idle: 20, seed: 6 });
  await load.more();
  await node.manager.roll();
  const late = await Load.start(node, { pipelined: 2, slow: 2, seed: 7 });
  for (const each of [load, late]) {
    await each.more();
    const report = await each.stop();
    assert.deepEqual(report.complaints, []);
    assert.equal(report.answered, report.sent);
  }
});

test('a module that is broken on disk stops the roll, and the old workers go on', async (t) => {
  const good = `{ name: 'shop', commands: { 1001: () => 'sold' } }`;
  const modules = ownModules(t, { 'shop.mjs': good });
  const node = await startNode(t, { worker_cnt: 2, modules: ['shop.mjs'] }, modules.folder);
  const clients = await node.connectAll(4);
  const old = node.pids();
  modules.write('shop.mjs', '{ name: 3 }');
  await assert.rejects(node.manager.roll(), /worker 1 ended: .*shop\.mjs is not a module: "name" must be a short lower-case word/);
  modules.write('shop.mjs', '{ name');
  await assert.rejects(node.manager.roll(), /module "shop\.mjs" .* can not be loaded: /);
  assert.deepEqual(node.pids(), old);
  assert.equal((await node.status()).ready, true);
  assert.equal(
    (await node.status()).workers.reduce((sum, { restarts }) => sum + restarts, 0),
    0,
  );
  for (const client of clients) assert.equal((await client.request(1001)).data, 'sold');

  modules.write('shop.mjs', good.replace('sold', 'sold anew'));
  await node.manager.roll();
  for (const client of clients) assert.equal((await client.request(1001)).data, 'sold anew');
});

test('a worker that is told to end by somebody else is replaced first, once, and its clients stay', async (t) => {
  const node = await startNode(t);
  const client = await node.connect();
  const [old] = node.pids() as [number];
  for (let i = 0; i < 3; i++) process.kill(old, 'SIGTERM');
  await until(() => !isAlive(old), 'the old worker is gone');
  await until(() => node.manager.pool.status().length === 1, 'the manager knows that it is gone');
  const status = await node.status();
  assert.deepEqual(
    status.workers.map(({ incarnation, restarts }) => [incarnation, restarts]),
    [[2, 0]],
  );
  assert.equal((await client.request(2001, 'still here')).data, 'still here');
});

test('a worker that dies while its successor starts is not started a second time', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': SLOW_START });
  const node = await startNode(t, { modules: ['shop.mjs'], restart_min_ms: 1 }, modules.folder);
  const [old] = node.pids() as [number];
  modules.turnOn();
  const rolled = node.manager.roll();
  await until(() => isStarting(node), 'the successor starts');
  process.kill(old, 'SIGKILL');
  await until(() => node.manager.pool.status().length === 1, 'the manager knows that it is dead');
  modules.turnOff();
  await rolled;
  const { workers } = await node.status();
  assert.deepEqual(
    workers.map(({ state, incarnation }) => [state, incarnation]),
    [['serving', 2]],
  );
  assert.equal((await (await node.connect()).request(1001)).data, 'sold');
});

test('a worker that is just being started again when its number is no longer wanted does not stay', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': SLOW_START });
  const node = await startNode(t, { modules: ['shop.mjs'], worker_cnt: 2, restart_min_ms: 1 }, modules.folder);
  const [, second] = node.pids() as [number, number];
  modules.turnOn();
  process.kill(second, 'SIGKILL');
  await until(() => isStarting(node), 'it is started again');
  await node.manager.setWorkers(1);
  modules.turnOff();
  await until(() => node.manager.pool.living.length === 1, 'it is gone');
  assert.deepEqual(
    (await node.status()).workers.map(({ index, state }) => [index, state]),
    [[1, 'serving']],
  );
  const workers = childrenOf(process.pid);
  assert.deepEqual(workers, node.pids());
});

test('a drain in the middle of a roll ends everything', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': SLOW_START });
  const node = await startNode(t, { modules: ['shop.mjs'], worker_cnt: 2 }, modules.folder);
  const client = await node.connect();
  modules.turnOn();
  const rolled = node.manager.roll().then(
    () => 'rolled',
    (error: Error) => error.message,
  );
  await until(() => isStarting(node), 'a successor starts');
  await node.manager.drain();
  assert.equal(await client.closed, 'end');
  assert.match(await rolled, /worker 1 ended/);
  assert.deepEqual(childrenOf(process.pid), []);
});

test('a drain while a worker hands over ends its clients in order, after what is in flight', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { worker_cnt: 2, drain_ms: 10_000 });
  const clients = await node.connectAll(6);
  for (const client of clients) client.write(frame(2021, 1, gate.name));
  await node.statusWhen(({ totals }) => totals.inFlight === 6, 'all are busy');
  await node.manager.setWorkers(1);
  const drained = node.manager.drain();
  gate.open();
  for (const client of clients) {
    assert.equal((await client.next()).data, gate.name);
    assert.equal(await client.closed, 'end');
  }
  await drained;
});
