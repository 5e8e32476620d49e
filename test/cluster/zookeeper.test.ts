// The ZooKeeper directory against a real server: what stands there, in which order it changes, and what is read.

import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import type { ZookeeperConnection } from '../../src/cluster/directories/zookeeper-client.ts';
import { endOfSuite, gate, observe, rawClient, tree, whenGone } from '../support/zookeeper-cluster.ts';
import { until } from '../support/until.ts';
import { noZookeeper, startZookeeper, type ZookeeperServer } from '../support/zookeeper.ts';

suite('a ZooKeeper directory', { skip: noZookeeper }, () => {
  let server: ZookeeperServer;
  let raw: ZookeeperConnection;
  let servers: string;
  let count = 0;
  const end = endOfSuite();
  const root = () => `/kim-${count}`;

  before(async () => {
    server = await startZookeeper(end);
    servers = server.address;
    raw = await rawClient(end, servers);
  });

  test('announces a node byte for byte as the originals do, and its facts beside them', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    directory.payload('{"node":{}}');
    await directory.announce(gate());
    const leaf = 'kim-gate-gate0000000000';
    const path = `${root()}/nodes/gate/${leaf}`;
    await until(async () => (await tree(raw, root()))[`payload/gate/${leaf}`] === '{"node":{}}', 'the payload stands there');
    assert.deepEqual(await tree(raw, root()), {
      kim: '',
      'kim/gate': '',
      'kim/gate/10.0.0.1:3344':
        '{"name":"kim-gate","type":"gate","host":"10.0.0.1","port":3344,"worker_cnt":2,"active_time":1700000000.25,' +
        '"state":"serving","version":"0.1.0","connections":3,"gate":"10.0.0.1:3355"}',
      'kim/logic': '',
      nodes: '',
      'nodes/gate': '',
      [`nodes/gate/${leaf}`]: `{"path":"${path}","type":"gate","host":"10.0.0.1","port":"3344","worker_cnt":2,"active_time":1700000000.25}`,
      'nodes/logic': '',
      payload: '',
      'payload/gate': '',
      [`payload/gate/${leaf}`]: '{"node":{}}',
      'payload/logic': '',
    });
  });

  test('reports payload again and again into the same node', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const read = async () => (await raw.get(`${root()}/payload/gate/kim-gate-gate0000000000`)).data.toString();
    directory.payload('1');
    await until(async () => (await read()) === '1', 'the first report stands there');
    directory.payload('2');
    directory.payload('3');
    await until(async () => (await read()) === '3', 'the last report stands there');
    await raw.remove(`${root()}/payload/gate/kim-gate-gate0000000000`);
    directory.payload('4');
    await until(async () => (await read()) === '4', 'a report stands in the node that was removed');
  });

  test('reads nodes of originals, whose port is text or a number, and skips what is no record', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const folder = `${root()}/nodes/logic`;
    const cpp = (leaf: string, port: unknown) =>
      JSON.stringify({ path: `${folder}/${leaf}`, type: 'logic', host: '10.0.0.9', port, worker_cnt: 1, active_time: 1612345678.123 });
    await raw.create(`${folder}/cpp-logic0000000005`, Buffer.from(cpp('cpp-logic0000000005', '4344')));
    await raw.create(`${folder}/cpp-logic0000000006`, Buffer.from(cpp('cpp-logic0000000006', 4345)));
    await raw.create(`${folder}/bad-logic0000000007`, Buffer.from('{"path":'));
    await raw.create(`${folder}/cpp-logic0000000008`, Buffer.alloc(0));
    const reader = observe(t, { servers, root: root() });
    const list = await reader.when((members) => members.length === 3, 'three nodes are read');
    assert.deepEqual(
      list
        .filter(({ type }) => type === 'logic')
        .map(({ name, port, workers, activeTime, source, facts }) => [name, port, workers, activeTime, source, facts]),
      [
        ['cpp', 4344, 1, 1612345678.123, 'zookeeper', undefined],
        ['cpp', 4345, 1, 1612345678.123, 'zookeeper', undefined],
      ],
    );
    assert.equal(reader.directory.unreadable, 1);
    // it was empty when it was found: what is set later is seen
    await raw.set(`${folder}/cpp-logic0000000008`, Buffer.from(cpp('cpp-logic0000000008', '4346')));
    await reader.when((members) => members.some(({ port }) => port === 4346), 'the data of a node that was empty is read');
    await raw.remove(`${folder}/cpp-logic0000000005`);
    await reader.when((members) => members.every(({ port }) => port !== 4344), 'a node that is gone is gone from the list');
  });

  test('notices a type whose folder appears later', async (t) => {
    count++;
    const reader = observe(t, { servers, root: root() });
    await reader.when((members) => members.length === 0, 'nothing is there');
    const { directory } = observe(t, { servers, root: root(), types: [] });
    await directory.announce(gate({ type: 'logic', name: 'late' }));
    const [member] = await reader.when((members) => members.length === 1, 'the late node is seen');
    assert.equal(member?.name, 'late');
    assert.equal(member.facts?.gate, '10.0.0.1:3355');
  });

  test('announces another number of workers as a new record, newer than the old, which goes only then', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const folder = `${root()}/nodes/gate`;
    // as a C++ node watches: each change of the list, then the data of what is there
    const seen: string[][] = [];
    const watch = async (): Promise<void> => {
      const leaves = await raw.children(folder, () => void watch());
      seen.push(leaves.sort());
    };
    await watch();
    await directory.announce(gate({ workers: 3 }));
    await until(() => seen.length >= 3, 'the list changed twice');
    assert.deepEqual(seen, [
      ['kim-gate-gate0000000000'],
      ['kim-gate-gate0000000000', 'kim-gate-gate0000000001'],
      ['kim-gate-gate0000000001'],
    ]);
    const { data } = await raw.get(`${folder}/kim-gate-gate0000000001`);
    const record = JSON.parse(data.toString()) as { worker_cnt: number; active_time: number };
    assert.equal(record.worker_cnt, 3);
    assert.ok(record.active_time > gate().activeTime);
    const reports = async () => (await raw.children(`${root()}/payload/gate`)).join();
    await until(async () => (await reports()) === 'kim-gate-gate0000000001', 'the payload has moved too');
  });

  test('changes facts in place and leaves the original record alone', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const reader = observe(t, { servers, root: root() });
    await directory.announce(gate({ facts: { state: 'serving', version: '0.1.0', connections: 77, gate: '' } }));
    await reader.when(([member]) => member?.facts?.connections === 77, 'the new facts are seen');
    assert.deepEqual(await raw.children(`${root()}/nodes/gate`), ['kim-gate-gate0000000000']);
  });

  test('hides a draining node from originals and shows it to ours, and brings it back', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const reader = observe(t, { servers, root: root() });
    await reader.when((members) => members.length === 1, 'the node is there');
    const draining = { state: 'draining', version: '0.1.0', connections: 2, gate: '' } as const;
    await directory.announce(gate({ facts: draining }));
    assert.deepEqual(await raw.children(`${root()}/nodes/gate`), []);
    await reader.when(([member]) => member?.facts?.state === 'draining', 'ours see it draining');
    await directory.announce(gate());
    await reader.when(([member]) => member?.facts?.state === 'serving', 'ours see it serving');
    assert.equal((await raw.children(`${root()}/nodes/gate`)).length, 1);
    assert.ok(reader.lists.every((list) => list.length <= 1));
    const first = reader.lists.findIndex((list) => list.length === 1);
    assert.ok(
      reader.lists.slice(first).every((list) => list.length === 1),
      'it was never gone',
    );
  });

  test('announces again what somebody removed or overwrote', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    const reader = observe(t, { servers, root: root() });
    await raw.remove(`${root()}/nodes/gate/kim-gate-gate0000000000`);
    await until(async () => (await raw.children(`${root()}/nodes/gate`))[0] === 'kim-gate-gate0000000001', 'it has a new record');
    await raw.set(`${root()}/nodes/gate/kim-gate-gate0000000001`, Buffer.from('nonsense'));
    await raw.remove(`${root()}/kim/gate/10.0.0.1:3344`);
    await reader.when(([member]) => member?.facts?.connections === 3, 'both records are mended');
  });

  test('mends its folders when somebody removed everything', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root(), types: ['gate'] });
    await directory.announce(gate());
    const reader = observe(t, { servers, root: root(), types: ['gate'] });
    await reader.when((members) => members.length === 1, 'the node is there');
    const wipe = async (): Promise<boolean> => {
      for (const path of Object.keys(await tree(raw, root())).sort((a, b) => b.length - a.length)) await raw.remove(`${root()}/${path}`);
      await raw.remove(root());
      return true;
    };
    await until(wipe, 'all is removed');
    await reader.when(
      (members) => members.length === 1 && members[0]!.facts !== undefined && members[0]!.activeTime > gate().activeTime,
      'the node is announced anew',
    );
  });

  test('takes the place of a process that died without a word, and is newer even when the clock went back', async (t) => {
    count++;
    const { directory: dead } = observe(t, { servers, root: root() });
    await dead.announce(gate({ activeTime: 1_900_000_000 }));
    const reader = observe(t, { servers, root: root() });
    await reader.when((members) => members.length === 1, 'the first process is there');
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate({ activeTime: 1_700_000_000, workers: 5 }));
    await reader.when(([member]) => member?.workers === 5, 'the second process is seen');
    assert.ok(reader.members[0]!.activeTime > 1_900_000_000);
    assert.ok(reader.lists.every((list) => list.length <= 1));
  });

  test('lets two nodes that announce one address not fight for ever', async (t) => {
    count++;
    const first = observe(t, { servers, root: root() });
    const second = observe(t, { servers, root: root() });
    const reader = observe(t, { servers, root: root() });
    const names = async () => (await raw.children(`${root()}/nodes/gate`)).sort();
    await first.directory.announce(gate({ workers: 1 }));
    await second.directory.announce(gate({ workers: 2, activeTime: 1_700_000_001 }));
    // the second takes the first for one that died; the first comes back, and both let each other be
    await until(async () => (await names()).length === 2, 'both records stand');
    const [, ...both] = ['0', '1', '2'].map((n) => `kim-gate-gate000000000${n}`);
    await first.directory.announce(gate({ workers: 1 }));
    await second.directory.announce(gate({ workers: 2, activeTime: 1_700_000_001 }));
    assert.deepEqual(await names(), both);
    await reader.when(([member]) => member?.workers === 2, 'the newer counts');
    await second.directory.close();
    await reader.when(([member]) => member?.workers === 1 && member.facts !== undefined, 'the older is back when the newer goes');
  });

  test('takes its announcement back, and with its end everything that is its own', async (t) => {
    count++;
    const { directory } = observe(t, { servers, root: root() });
    await directory.announce(gate());
    await directory.withdraw();
    assert.deepEqual(await raw.children(`${root()}/nodes/gate`), []);
    assert.deepEqual(await raw.children(`${root()}/kim/gate`), []);
    await directory.announce(gate());
    await directory.close();
    await whenGone(raw, `${root()}/nodes/gate/kim-gate-gate0000000001`);
    assert.deepEqual(await raw.children(`${root()}/payload/gate`), []);
  });

  test('keeps others out with digest authentication and the access list of its creator', async (t) => {
    count++;
    const auth = { user: 'kim', password: 'secret' };
    const { directory } = observe(t, { servers, root: root(), auth, acl: 'creator' });
    await directory.announce(gate());
    await assert.rejects(raw.get(`${root()}/nodes/gate/kim-gate-gate0000000000`), /cannot read .*: it is not allowed/);
    const stranger = observe(t, { servers, root: root() });
    await stranger.whenHealth('down');
    assert.match(stranger.directory.health.detail, /connected to .*, but cannot list .*: it is not allowed/);
    const friend = observe(t, { servers, root: root(), auth, acl: 'creator' });
    await friend.when((members) => members.length === 1, 'who has the credentials sees it');
  });

  test('200 nodes announced at once are all seen, each once', async (t) => {
    count++;
    const reader = observe(t, { servers, root: root() });
    const client = await rawClient(t, servers);
    const maker = observe(t, { servers, root: root() });
    await maker.directory.announce(gate());
    await Promise.all(
      Array.from({ length: 199 }, async (_, i) => {
        const path = await client.create(`${root()}/nodes/logic/n${i}-logic`, Buffer.alloc(0), { ephemeral: true, sequential: true });
        const record = { path, type: 'logic', host: '10.0.1.1', port: String(1000 + i), worker_cnt: 8, active_time: 1.7e9 };
        await client.set(path, Buffer.from(JSON.stringify(record)));
      }),
    );
    const list = await reader.when((members) => members.length === 200, '200 nodes are seen');
    assert.equal(new Set(list.map(({ port }) => port)).size, 200);
  });
});
