// A worker dies: who notices, and when another one takes its place.

import assert from 'node:assert/strict';
import test from 'node:test';
import { isAlive } from '../support/kim.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { ownModules } from '../support/own-modules.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const QUICK = { restart_min_ms: 10, restart_max_ms: 20, restart_limit: 3, held_ms: 700 };

async function byPid(clients: RawClient[]): Promise<Map<number, RawClient[]>> {
  const pids = await Promise.all(clients.map(async (client) => Number((await client.request(2017)).data)));
  return Map.groupBy(clients, (client) => pids[clients.indexOf(client)]!);
}

const readiness = async (node: TestNode) => JSON.parse(await node.get('/readyz')) as { ready: boolean; reasons: string[] };

test('the clients of a worker that is killed see a close, those of the others nothing, and another worker takes its place', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, ...QUICK });
  const clients = await node.connectAll(20);
  const served = await byPid(clients);
  const [victim, other] = node.pids() as [number, number];
  const before = await node.status();
  process.kill(victim, 'SIGKILL');
  for (const client of served.get(victim)!) assert.match(await client.closed, /^(end|ECONNRESET)$/);
  const status = await node.statusWhen(
    ({ workers }) => workers.some(({ restarts }) => restarts === 1) && workers.every(({ state }) => state === 'serving'),
    'two workers serve again',
  );
  for (const client of served.get(other)!) assert.equal((await client.request(2017)).data, String(other));
  assert.equal(isAlive(victim), false);
  const [again] = status.workers.filter(({ restarts }) => restarts === 1);
  assert.equal(again!.lastExit, 'signal SIGKILL');
  assert.equal((await readiness(node)).ready, true);
  // what the dead one had counted is not forgotten
  assert.equal(before.totals.accepted, 20);
  assert.equal(status.totals.accepted, 20);
  assert.ok(status.totals.framesIn >= before.totals.framesIn);
});

test('a worker that ends by itself is started again, and the reason is told', async (t) => {
  const node = await startNode(t, QUICK);
  const client = await node.connect();
  await assert.rejects(client.request(2011));
  const status = await node.statusWhen(({ workers }) => workers[0]!.restarts === 1 && workers[0]!.state === 'serving', 'it serves again');
  assert.equal(status.workers[0]!.lastExit, 'exit code 7');
});

test('clients on their way to a worker that dies are served by another one', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, ...QUICK });
  const [victim] = node.pids() as [number];
  process.kill(victim, 'SIGSTOP');
  const clients = await node.connectAll(20);
  const answers = clients.map((client) =>
    client.request(2001, 'hello').then(
      ({ data }) => data,
      () => 'closed',
    ),
  );
  // half of them have been answered, the others wait for the stopped one
  await until(() => node.manager.pool.serving().some(({ pid, passing }) => pid === victim && passing >= 9), 'clients wait for it');
  process.kill(victim, 'SIGKILL');
  const results = await Promise.all(answers);
  // one may have been in its channel, where nobody can get it back
  assert.ok(results.filter((result) => result === 'hello').length >= 19, results.join());
});

test('a module that fails at the first start ends the start of the node with its name and reason', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': `{ name: 'shop', start() { throw new Error('no database at db:3306'); } }` });
  await assert.rejects(startNode(t, { modules: ['shop.mjs'], worker_cnt: 2 }, modules.folder), (error: Error) => {
    assert.match(error.message, /^worker \d ended: module "shop" failed to start: no database at db:3306$/);
    return true;
  });
});

for (const [how, source, reason] of [
  ['throws in start', `async start() { if (isOn()) throw new Error('no database'); }`, /failed to start: no database/],
  ['ends the process in start', `start() { if (isOn()) process.exit(9); }`, /exit code 9/],
  ['ends the process soon after', `start() { if (isOn()) setTimeout(() => process.exit(8), 30); }`, /exit code 8/],
] as const) {
  test(`a worker whose module ${how} again and again is held back, and the node is not ready until it serves`, async (t) => {
    const modules = ownModules(t, { 'shop.mjs': `{ name: 'shop', commands: { 1001: () => 'sold' }, ${source} }` });
    const node = await startNode(t, { modules: ['shop.mjs'], ...QUICK }, modules.folder);
    modules.turnOn();
    process.kill(node.pids()[0]!, 'SIGKILL');
    const held = await node.statusWhen(({ workers }) => workers[0]!.state === 'held', 'the worker is held back');
    assert.equal(held.ready, false);
    assert.match(held.reasons.join(), /^worker 1 is held back for 700 ms after it died 3 times in a row: /);
    assert.match(held.reasons.join(), reason);
    const page = await fetch(new URL('/readyz', node.manager.adminUrl));
    assert.equal(page.status, 503);
    assert.deepEqual(((await page.json()) as { reasons: string[] }).reasons, held.reasons);
    assert.match(await node.get('/metrics'), /^kim_workers\{state="held"\} 1$/m);

    modules.turnOff();
    await until(async () => (await readiness(node)).ready, 'the node is ready again');
    assert.equal((await (await node.connect()).request(1001)).data, 'sold');
  });
}

test('a worker that fails again after it was held back is held back at once', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': `{ name: 'shop', start() { if (isOn()) throw new Error('no database'); } }` });
  const node = await startNode(t, { modules: ['shop.mjs'], ...QUICK, held_ms: 50 }, modules.folder);
  modules.turnOn();
  process.kill(node.pids()[0]!, 'SIGKILL');
  await until(() => node.log.filter((line) => line.includes('"worker held back"')).length >= 3, 'it has been held back three times');
  const [first, ...others] = node.log.filter((line) => line.includes('"worker held back"') || line.includes('"worker died"'));
  assert.ok(first!.includes('"worker died"'));
  assert.equal(others.filter((line) => line.includes('"worker died"')).length, 1, 'only the first three deaths were counted anew');
  assert.equal((await readiness(node)).ready, false);
});

test('one worker that is held back makes the node not ready, and the clients of the others notice nothing', async (t) => {
  const modules = ownModules(t, {
    'shop.mjs': `{ name: 'shop', commands: { 1001: () => 'sold' }, start() { if (isOn()) process.exit(1); } }`,
  });
  const node = await startNode(t, { modules: ['shop.mjs'], worker_cnt: 2, ...QUICK, held_ms: 60_000 }, modules.folder);
  const clients = await node.connectAll(2);
  modules.turnOn();
  process.kill(node.pids()[0]!, 'SIGKILL');
  await node.statusWhen(({ workers }) => workers[0]!.state === 'held', 'the worker is held back');
  assert.equal((await readiness(node)).ready, false);
  const survivors = clients.filter(({ ended }) => ended === undefined);
  assert.equal(survivors.length, 1);
  assert.equal((await survivors[0]!.request(1001)).data, 'sold');
  // who comes now is served by the one that is left
  assert.equal((await (await node.connect()).request(1001)).data, 'sold');
});
