// A node that nobody can keep from its peers, but that ZooKeeper does not hear any more: it serves whom it has, and is back when it is heard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireLoad } from '../support/counted-load.ts';
import { NetworkNamespace, noNamespaces } from '../support/network-namespace.ts';
import { NodeProcesses } from '../support/node-processes.ts';
import { until } from '../support/until.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

test(
  'a node that is cut off from ZooKeeper alone serves on, and is announced again when the network is back',
  { skip: noZookeeper || noNamespaces },
  async (t) => {
    const nodes = new NodeProcesses(t, { directory_path: '' });
    const network = new NetworkNamespace(t);
    const server = await startZookeeper(t, { host: '0.0.0.0' });
    const discovery = (host: string) => ({
      zookeeper: { is_open: true, servers: `${host}:${server.port}`, root: '/kim-test', session_timeout_ms: 2000 },
    });
    const near = { ...discovery('127.0.0.1'), node_host: network.here };
    const far = { ...discovery(network.zookeeperHost), node_host: network.there, admin_host: network.there };
    const [gate, , cutOff] = await Promise.all([
      nodes.gate({ ...near, worker_cnt: 2 }),
      nodes.logic(near),
      nodes.logic(far, { within: network.command }),
    ]);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 16 });
    await load.more(20);
    const isOut = (names: readonly string[]) => !names.includes(cutOff.name);
    const served = async () => (await cutOff.status()).totals.commands['1101']?.codes['0'] ?? 0;
    assert.ok((await served()) > 0, 'it has clients');

    network.cut();
    await gate.knows((members) => isOut(members.map(({ name }) => name)), 'its session is over');
    await until(async () => /directory zookeeper is/.test((await cutOff.readiness()).details.join()), 'it says what it has lost');
    const before = await served();
    const late = await WireLoad.start(gate.port, { clients: 8 });
    await Promise.all([load.more(40), late.more(40)]);
    assert.ok((await served()) > before, 'it serves on');
    assert.equal((await cutOff.members()).length, 3, 'and knows whom it knew');
    assert.equal((await cutOff.readiness()).ready, true);

    network.mend();
    await Promise.all([gate, cutOff].map((node) => node.knows(3)));
    await until(async () => (await cutOff.readiness()).details.length === 0, 'it has lost nothing any more');
    await Promise.all([load.more(20), late.more(20)]);
    for (const each of [load, late]) assert.equal(each.failures, 0);
    assert.deepEqual([load.open, late.open], [16, 8]);
    await Promise.all([load.stop(), late.stop()]);
  },
);
