// Directories that are lost under load, and clusters that share one: whoever is linked goes on.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { WireLoad } from '../support/counted-load.ts';
import { blockFolder } from '../support/folders.ts';
import { KimUp } from '../support/kim-up.ts';
import { NodeProcesses } from '../support/node-processes.ts';
import { until } from '../support/until.ts';
import { Proxy } from '../support/zookeeper-cluster.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

test('with ZooKeeper and the folder lost nothing fails, and every node says so until both are back', { skip: noZookeeper }, async (t) => {
  const server = await startZookeeper(t);
  const zookeeper = { is_open: true, servers: server.address, root: '/kim-test', session_timeout_ms: 2000 };
  const nodes = new NodeProcesses(t, { zookeeper });
  const all = await Promise.all([nodes.gate({ worker_cnt: 2 }), nodes.logic(), nodes.logic()]);
  const [gate] = all;
  await nodes.settled();
  const details = () => Promise.all(all.map(async (node) => (await node.readiness()).details.join('\n')));
  await until(async () => (await details()).every((text) => text === ''), 'both are up');
  const load = await WireLoad.start(gate.port, { clients: 12 });
  await load.more(20);
  await server.kill();
  // nodes put the folder back that they miss
  await until(() => {
    blockFolder(nodes.members);
    return true;
  }, 'a file stands where the folder was');
  await until(
    async () => (await details()).every((text) => /directory zookeeper is/.test(text) && /directory file is lost/.test(text)),
    'all nodes say what is lost',
  );
  for (const node of all) assert.equal((await node.readiness()).ready, true, 'and are ready all the same');
  // those that come now are served as well
  const late = await WireLoad.start(gate.port, { clients: 12 });
  await Promise.all([load.more(60), late.more(60)]);
  assert.equal((await gate.members()).length, 3);
  rmSync(nodes.members);
  await server.start({ isEmpty: true });
  await until(async () => (await details()).every((text) => text === ''), 'both are up again');
  await Promise.all([load.more(20), late.more(20)]);
  for (const { failures, open } of [load, late]) assert.deepEqual([failures, open], [0, 12]);
  await Promise.all([load.stop(), late.stop()]);
});

test(
  'a gate that lost its ZooKeeper does without a node that died meanwhile, and learns of a new one when it is back',
  { skip: noZookeeper },
  async (t) => {
    const server = await startZookeeper(t);
    const proxy = await Proxy.start(t, server.port);
    const discovery = (servers: string) => ({ zookeeper: { is_open: true, servers, root: '/kim-test', session_timeout_ms: 2000 } });
    const nodes = new NodeProcesses(t, { directory_path: '', ...discovery(server.address) });
    const [gate, dying] = await Promise.all([nodes.gate(discovery(proxy.address)), nodes.logic(), nodes.logic()]);
    await nodes.settled();
    const load = await WireLoad.start(gate.port, { clients: 12 });
    await load.more(20);
    await proxy.cut();
    await until(async () => (await gate.readiness()).details.length > 0, 'it says what it has lost');
    dying.signal('SIGKILL');
    const added = await nodes.logic();
    await load.more(20);
    const names = (await gate.members()).map(({ name }) => name);
    assert.ok(names.includes(dying.name) && !names.includes(added.name), 'the last list is kept');
    await proxy.mend();
    await gate.knows((members) => members.some(({ name }) => name === added.name), 'it knows who came');
    const late = await WireLoad.start(gate.port, { clients: 24 });
    await Promise.all([load.more(20), late.more(20)]);
    const up = (await gate.links()).filter(({ state }) => state === 'up');
    assert.ok(
      up.some(({ peer }) => peer === `127.0.0.1:${added.nodePort}.1`),
      'and relays to it',
    );
    assert.deepEqual([load.open, late.open], [12, 24]);
    await Promise.all([load.stop(), late.stop()]);
  },
);

test(
  'two clusters of "kim up" with one ZooKeeper are one: the gates of the first relay to the logic nodes of the second',
  { skip: noZookeeper },
  async (t) => {
    const server = await startZookeeper(t);
    const more = `  discovery: { zookeeper: { hosts: "${server.address}", sessionTimeoutMs: 2000 } }\n`;
    const gates = await KimUp.serving(t, { gates: 2, logics: 0, workers: 1, more });
    const logics = await KimUp.serving(t, { gates: 0, logics: 2, more });
    const [, other] = gates.gatePorts(1);
    const known = async (admin: string) => {
      const { members } = (await (await fetch(new URL('/members', admin))).json()) as { members: object[] };
      return members.length;
    };
    const admins = [...gates.rows, ...logics.rows].map(({ admin }) => admin);
    await until(async () => (await Promise.all(admins.map(known))).every((count) => count === 4), 'all know each other');
    const loads = [await WireLoad.start(gates.port), await WireLoad.start(other!)];
    await Promise.all(loads.map((load) => load.more(20)));
    logics.edit({ gates: 0, logics: 1, more });
    await logics.said(/^ended$/);
    await Promise.all(loads.map((load) => load.more(20)));
    for (const load of loads) assert.equal(load.failures, 0);
    await Promise.all(loads.map((load) => load.stop()));
  },
);
