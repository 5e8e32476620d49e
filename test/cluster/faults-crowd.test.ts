// Nodes that are announced and not there: very many of them at once, and one that comes and goes all the time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setInterval as ticks } from 'node:timers/promises';
import { WireLoad } from '../support/counted-load.ts';
import { NodeProcesses, type NodeProcess } from '../support/node-processes.ts';
import { ROUTE } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { Proxy } from '../support/zookeeper-cluster.ts';

const CROWD = 200;
/** Nobody listens there, and nobody is given such a port. */
const DEAD_PORTS = 12_000;
const FLAP_MS = 300;
const FLAPS = 12;

/** Its requests go to all logic nodes in turn, whatever became of those before. */
function gateByData(nodes: NodeProcesses): Promise<NodeProcess> {
  return nodes.gate({ worker_cnt: 2, routes: [{ ...ROUTE, key: 'data' }] });
}

test('200 nodes announced at once, of which two are there: the others are left alone, and every request has its end', async (t) => {
  const nodes = new NodeProcesses(t);
  const [gate] = await Promise.all([nodes.gate({ worker_cnt: 2 }), nodes.logic(), nodes.logic()]);
  await nodes.settled();
  const load = await WireLoad.start(gate.port, { clients: 12 });
  await load.more(20);
  const ports = Array.from({ length: CROWD - 3 }, (_, i) => DEAD_PORTS + i);
  const crowd = await Promise.all(ports.map((port) => nodes.pretend({ type: 'logic', port })));
  await gate.knows(CROWD);
  // clients that were there stay where they are; those that come now are given to whoever is announced
  const late = await WireLoad.start(gate.port, { clients: 12 });
  await Promise.all([load.more(40), late.more(40)]);
  assert.equal(load.failures, 0, 'who had a node keeps it');
  await gate.knows((members) => members.some(({ leftAloneBy }) => leftAloneBy.length > 0), 'some are left alone');
  await Promise.all(crowd.map((one) => one.go()));
  await gate.knows(3);
  await Promise.all([load.more(20), late.more(20)]);
  assert.deepEqual([load.open, late.open], [12, 12]);
  const { failed } = await late.stop();
  assert.deepEqual(
    Object.keys(failed).filter((code) => code !== '14'),
    [],
  );
  await load.stop();
});

test('a node that comes and goes every 300 ms costs only what it had in flight', async (t) => {
  const nodes = new NodeProcesses(t);
  const elsewhere = new NodeProcesses(t);
  // known to the gate by an address that is there only now and then
  const [gate, , flapping] = await Promise.all([gateByData(nodes), nodes.logic(), elsewhere.logic()]);
  const proxy = await Proxy.start(t, flapping.nodePort);
  const announced = await nodes.pretend({ type: 'logic', port: Number(proxy.address.split(':')[1]) });
  const come = async () => {
    await proxy.mend();
    await announced.come();
  };
  const go = async () => {
    await proxy.cut();
    await announced.go();
  };
  await gate.knows(3);
  const load = await WireLoad.start(gate.port, { clients: 16, cmd: 2003 });
  await load.more(10);
  let isThere = true;
  let left = FLAPS;
  for await (const _ of ticks(FLAP_MS)) {
    await (isThere ? go() : come());
    isThere = !isThere;
    if (--left === 0) break;
  }
  await load.more(20);
  await until(async () => (await gate.links()).every(({ leftAlone }) => !leftAlone), 'nobody is left alone any more');
  assert.equal(load.open, 16);
  await load.stop();
  assert.ok(load.failures > 0, 'it had something in flight');
});
