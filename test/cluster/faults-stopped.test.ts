// Processes that stand still under load for five seconds and go on: a worker, a whole node, and one that never goes on.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from '../support/kim.ts';
import { NodeProcesses } from '../support/node-processes.ts';
import { until } from '../support/until.ts';
import { WireLoad } from '../support/counted-load.ts';

const STOPPED_MS = 5000;

// each waits most of the time
suite('standing still', { concurrency: 2 }, () => {
  test('a logic worker that stands still fails its own requests in time, and answers again when it goes on', async (t) => {
    const nodes = new NodeProcesses(t);
    const [gate, first] = await Promise.all([
      nodes.gate({ worker_cnt: 2 }),
      nodes.logic({ worker_cnt: 2 }),
      nodes.logic({ worker_cnt: 2 }),
    ]);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 32 });
    await load.more(20);
    assert.equal(load.failures, 0);
    const [victim] = first.workers();
    process.kill(victim!, 'SIGSTOP');
    const stopped = pause(STOPPED_MS);
    await until(() => load.failures > 0, 'its clients are told');
    assert.ok(isAlive(victim!), 'while it still stands');
    await stopped;
    if (isAlive(victim!)) process.kill(victim!, 'SIGCONT');
    await load.more(20);
    assert.equal(load.open, 32, 'nobody lost a connection');
    const { failed } = await load.stop();
    assert.ok((failed[18] ?? 0) > 0);
  });

  test('nodes that stood still with all their workers take none of them for hanging', async (t) => {
    const nodes = new NodeProcesses(t, { hang_ms: 2000 });
    const starting = [nodes.gate({ worker_cnt: 2 }), nodes.logic({ worker_cnt: 2 }), nodes.gate(), nodes.logic()] as const;
    const [stoppedGate, stoppedLogic, gate] = await Promise.all(starting);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 12 });
    const atStopped = await WireLoad.start(stoppedGate.port, { clients: 6 });
    await Promise.all([load.more(20), atStopped.more(20)]);
    const stopped = [stoppedGate, stoppedLogic];
    const before = stopped.map((node) => node.workers());
    for (const node of stopped) node.signal('SIGSTOP');
    await pause(STOPPED_MS);
    for (const node of stopped) node.signal('SIGCONT');
    await until(async () => (await Promise.all(stopped.map((node) => node.readiness()))).every(({ ready }) => ready), 'managers answer');
    // they have looked at their workers more than once when all of this is answered
    await Promise.all([load.more(80), atStopped.more(80)]);
    assert.deepEqual(
      stopped.map((node) => node.workers()),
      before,
    );
    assert.deepEqual([load.open, atStopped.open], [12, 6], 'nobody lost a connection');
    await load.stop();
    await atStopped.stop();
  });

  test('a gate worker that stands still delays its own clients alone', async (t) => {
    const nodes = new NodeProcesses(t);
    const [gate] = await Promise.all([nodes.gate({ worker_cnt: 2 }), nodes.logic()]);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 16 });
    await load.more(20);
    const [victim] = gate.workers();
    process.kill(victim!, 'SIGSTOP');
    const stopped = pause(STOPPED_MS);
    const { answered } = load.counts;
    await until(() => load.counts.answered > answered + 1000, 'the others are answered');
    await stopped;
    process.kill(victim!, 'SIGCONT');
    await load.more(20);
    assert.ok(gate.workers().includes(victim!));
    assert.equal(load.open, 16);
    // an answer that came while it stood still may be too late for it
    assert.deepEqual(
      Object.keys((await load.stop()).failed).filter((code) => code !== '18'),
      [],
    );
  });

  test('the sessions of a node that stands still for good go on in the others', async (t) => {
    const nodes = new NodeProcesses(t, { link_heartbeat_ms: 800, link_timeout_ms: 500 });
    const [gate, first] = await Promise.all([nodes.gate(), nodes.logic(), nodes.logic()]);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 20 });
    await load.more(20);
    first.signal('SIGSTOP');
    await until(() => load.failures > 0, 'its clients are told');
    await load.more(20);
    assert.equal(load.open, 20);
    await load.stop();
  });
});
