// A node whose network cables are pulled: the one to ZooKeeper alone, or the one to its peers alone. Nobody is told, nothing is refused.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { WireLoad } from '../support/counted-load.ts';
import { NetworkNamespace, noNamespaces, type Cable } from '../support/network-namespace.ts';
import { NodeProcesses } from '../support/node-processes.ts';
import { until } from '../support/until.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

const skip = noZookeeper || noNamespaces;
const LINKS = { link_connect_ms: 500, link_handshake_ms: 500, link_timeout_ms: 700, link_heartbeat_ms: 500, breaker_ms: 500 };

/** A gate, a logic node beside it, and one in a network of its own, whose admin page is reached over the cable that stays. */
async function apart(t: TestContext, { stays }: { stays: Cable }) {
  const nodes = new NodeProcesses(t, { directory_path: '', ...LINKS });
  const network = new NetworkNamespace(t);
  const server = await startZookeeper(t, { host: '0.0.0.0' });
  const discovery = (host: string) => ({
    zookeeper: { is_open: true, servers: `${host}:${server.port}`, root: '/kim-test', session_timeout_ms: 2000 },
  });
  const near = discovery('127.0.0.1');
  const far = { ...discovery(network.here('zookeeper')), node_host: network.there('nodes'), admin_host: network.there(stays) };
  const starting = [nodes.gate({ ...near, worker_cnt: 2 }), nodes.logic(near), nodes.logic(far, { within: network.command })] as const;
  const [gate, , other] = await Promise.all(starting);
  await nodes.settled();
  const load = await WireLoad.start(gate.port, { clients: 16 });
  await load.more(20);
  const served = async () => (await other.status()).totals.commands['1101']?.codes['0'] ?? 0;
  assert.ok((await served()) > 0, 'it has clients');
  return { network, gate, other, load, served };
}

test('a node that is cut off from ZooKeeper alone serves on, and is announced again when the network is back', { skip }, async (t) => {
  const { network, gate, other, load, served } = await apart(t, { stays: 'nodes' });
  network.cut('zookeeper');
  await gate.knows((members) => members.every(({ name }) => name !== other.name), 'its session is over');
  await until(async () => /directory zookeeper is/.test((await other.readiness()).details.join()), 'it says what it has lost');
  const before = await served();
  const late = await WireLoad.start(gate.port, { clients: 8 });
  await Promise.all([load.more(40), late.more(40)]);
  assert.ok((await served()) > before, 'it serves on');
  assert.equal((await other.members()).length, 3, 'and knows whom it knew');
  assert.equal((await other.readiness()).ready, true);
  network.mend('zookeeper');
  await Promise.all([gate, other].map((node) => node.knows(3)));
  await until(async () => (await other.readiness()).details.length === 0, 'it has lost nothing any more');
  await Promise.all([load.more(20), late.more(20)]);
  for (const each of [load, late]) assert.equal(each.failures, 0);
  assert.deepEqual([load.open, late.open], [16, 8]);
  await Promise.all([load.stop(), late.stop()]);
});

test(
  'the sessions of a node that is announced and that no byte reaches go on elsewhere, and it is used again afterwards',
  { skip },
  async (t) => {
    const { network, gate, load, served } = await apart(t, { stays: 'zookeeper' });
    network.cut('nodes');
    await until(() => load.failures > 0, 'its clients are told');
    await load.more(20);
    // what was in flight, what came before anybody knew, and what came before its links were given up
    assert.ok(load.failures <= 16 * 4 * 3, `each is told a few times at most: ${JSON.stringify(load.counts)}`);
    const late = await WireLoad.start(gate.port, { clients: 8 });
    await Promise.all([load.more(20), late.more(20)]);
    assert.equal((await gate.members()).length, 3, 'ZooKeeper hears all of them');
    network.mend('nodes');
    await until(async () => (await gate.members()).every(({ leftAloneBy }) => leftAloneBy.length === 0), 'it gets another try');
    const before = await served();
    const later = await WireLoad.start(gate.port, { clients: 16 });
    await until(async () => (await served()) > before, 'new clients are given to it');
    await Promise.all([load, late, later].map((each) => each.more(20)));
    assert.deepEqual([load.open, late.open, later.open], [16, 8, 16]);
    await Promise.all([load, late, later].map((each) => each.stop()));
  },
);
