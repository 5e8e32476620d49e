// Gates and workers killed with -9 under load: whose connection ends, who notices nothing, and that nobody waits for ever.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientLoad, WireLoad } from '../support/counted-load.ts';
import { isAlive } from '../support/kim.ts';
import { KimUp } from '../support/kim-up.ts';
import { NodeProcesses } from '../support/node-processes.ts';
import { childrenOf } from '../support/processes.ts';
import { until } from '../support/until.ts';

test('a gate that is killed ends the connections of its clients alone, and ours are back by themselves', async (t) => {
  const up = await KimUp.serving(t, { gates: 3, logics: 2, workers: 1 });
  const [port, otherPort] = [up.gatePorts(1)[1]!, up.gatePorts(2)[1]!];
  const [plain, others] = await Promise.all([WireLoad.start(port), WireLoad.start(otherPort)]);
  const [ours, anywhere] = [new ClientLoad(port), new ClientLoad(up.port)];
  const all = [plain, others, ours, anywhere];
  await Promise.all(all.map((load) => load.more(20)));
  plain.mayEnd = true;
  const { pid } = up.rows.find(({ node }) => node === 'up-test-gate-1')!;
  for (const each of [pid, ...childrenOf(pid)]) process.kill(each, 'SIGKILL');
  await until(() => plain.open === 0, 'its clients see the end');
  await Promise.all([others, ours, anywhere].map((load) => load.more(30)));
  assert.ok(ours.connected > ours.clients.length, 'they were connected again');
  assert.deepEqual([others.failures, others.open], [0, others.clients.length], 'those of another gate noticed nothing');
  const counts = await Promise.all(all.map((load) => load.stop()));
  assert.ok(counts[0]!.ended > 0);
  // nothing was answered twice, and what had been sent was not sent again
  for (const { failed } of counts.slice(2))
    assert.deepEqual(
      Object.keys(failed).filter((why) => why !== 'closed'),
      [],
    );
});

test('a gate worker that is killed ends the connections of its clients alone, and another takes its place', async (t) => {
  const nodes = new NodeProcesses(t);
  const [gate] = await Promise.all([nodes.gate({ worker_cnt: 2 }), nodes.logic(), nodes.logic()]);
  await nodes.settled();
  const load = await WireLoad.start(gate.port, { clients: 16 });
  await load.more(20);
  load.mayEnd = true;
  const [victim, other] = gate.workers();
  process.kill(victim!, 'SIGKILL');
  await until(() => load.open === 8, 'half of the clients see the end');
  await load.more(20);
  assert.equal(load.failures, 0);
  await until(() => gate.workers().length === 2 && !isAlive(victim!), 'there are two workers again');
  const late = await WireLoad.start(gate.port, { clients: 16 });
  await Promise.all([late.more(20), load.more(20)]);
  assert.equal(load.open, 8);
  assert.ok(isAlive(other!));
  assert.ok((await load.stop()).ended > 0);
  assert.equal((await late.stop()).ended, 0);
});

test('a logic worker that is killed fails what it had, and nobody loses a connection', async (t) => {
  const nodes = new NodeProcesses(t);
  const [gate, first] = await Promise.all([nodes.gate({ worker_cnt: 2 }), nodes.logic({ worker_cnt: 2 }), nodes.logic()]);
  await nodes.settled();
  const load = await WireLoad.start(gate.port, { clients: 24, cmd: 2003 });
  await load.more(10);
  for (let round = 1; round <= 2; round++) {
    const [victim] = first.workers();
    process.kill(victim!, 'SIGKILL');
    await load.more(10);
    await until(() => first.workers().length === 2 && !first.workers().includes(victim!), 'another takes its place');
    await load.more(10);
  }
  assert.equal(load.open, 24);
  const { failed } = await load.stop();
  assert.ok(load.failures > 0, 'it had something');
  assert.deepEqual(
    Object.keys(failed).filter((code) => code === '18'),
    [],
    'none has to wait for its deadline',
  );
});
