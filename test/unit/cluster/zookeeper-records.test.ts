// Records in ZooKeeper: written as the originals write them, read as tolerantly as they read.

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  factsText,
  hasPrefix,
  leafPrefix,
  mergeRecords,
  nodeText,
  pathsOf,
  readNode,
} from '../../../src/cluster/directories/zookeeper-records.ts';
import { parseServers } from '../../../src/cluster/directories/zookeeper-servers.ts';

const facts = { state: 'serving', version: '1', connections: 2, gate: 'g:1' } as const;
const self = { type: 'gate', host: '127.0.0.1', port: 3344, workers: 1, activeTime: 5, name: 'kim-gate', facts };
const LEAF = 'kim-gate-gate0000000000';
const PATH = `/kimserver/nodes/gate/${LEAF}`;
/** As read from a running original's node. */
const ORIGINAL = `{"path":"${PATH}","type":"gate","host":"127.0.0.1","port":"3344","worker_cnt":1,"active_time":1795218256.480686}`;

const node = (text: string, leaf = LEAF) => [leaf, Buffer.from(text)] as const;

test('a record is written as an original wrote it', () => {
  assert.equal(nodeText(PATH, self, 1795218256.480686), ORIGINAL);
});

test('a record of an original is read, its name from its leaf', () => {
  assert.deepEqual(readNode(LEAF, Buffer.from(ORIGINAL)), {
    type: 'gate',
    host: '127.0.0.1',
    port: 3344,
    workers: 1,
    activeTime: 1795218256.480686,
    name: 'kim-gate',
    source: 'zookeeper',
    facts: undefined,
  });
  assert.equal(readNode('kimserver-gate0000000312', Buffer.from(ORIGINAL))?.name, 'kimserver');
  assert.equal(readNode('whatever', Buffer.from(ORIGINAL))?.name, 'whatever');
});

test('numbers may be text', () => {
  const text = ORIGINAL.replace('"worker_cnt":1', '"worker_cnt":"3"').replace('"port":"3344"', '"port":3344');
  assert.equal(readNode(LEAF, Buffer.from(text))?.workers, 3);
  assert.equal(readNode(LEAF, Buffer.from(text))?.port, 3344);
});

test('what an original would refuse makes no member', () => {
  const wrong = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    ORIGINAL.replace('"type":"gate"', '"type":""'),
    ORIGINAL.replace('127.0.0.1', ''),
    ORIGINAL.replace('"3344"', '"0"'),
    ORIGINAL.replace('"3344"', '"http"'),
    ORIGINAL.replace('"3344"', '70000'),
    ORIGINAL.replace('"worker_cnt":1', '"worker_cnt":0'),
    ORIGINAL.replace('1795218256.480686', '0'),
    ORIGINAL.replace(PATH, ''),
  ];
  for (const text of wrong) assert.equal(readNode(LEAF, Buffer.from(text)), undefined, text);
  assert.deepEqual(mergeRecords([node('{', 'bad'), node('', 'empty')], [node('{', 'worse')]), { members: [], bad: ['worse', 'bad'] });
});

test('facts are joined by address; without a record a node counts only while it drains', () => {
  const ours = (state: 'serving' | 'draining') => factsText({ ...self, facts: { ...facts, state } }, 7);
  assert.deepEqual(mergeRecords([node(ORIGINAL)], [node(ours('serving'), 'a')]).members[0]?.facts, facts);
  assert.deepEqual(mergeRecords([], [node(ours('serving'), 'a')]).members, []);
  const [alone] = mergeRecords([], [node(ours('draining'), 'a')]).members;
  assert.deepEqual(alone, { ...self, activeTime: 7, source: 'zookeeper', facts: { ...facts, state: 'draining' } });
});

test('of two records of one address the newer counts', () => {
  const newer = ORIGINAL.replace('1795218256', '1795218257').replace('"worker_cnt":1', '"worker_cnt":2');
  for (const records of [
    [node(ORIGINAL), node(newer)],
    [node(newer), node(ORIGINAL)],
  ]) {
    const { members } = mergeRecords(records, []);
    assert.deepEqual(
      members.map(({ workers }) => workers),
      [2],
    );
  }
});

test('leaves belong to a name and a type', () => {
  const prefix = leafPrefix(self);
  assert.equal(prefix, 'kim-gate-gate');
  assert.ok(hasPrefix(LEAF, prefix));
  assert.ok(!hasPrefix('kim-gate-gate-gate0000000000', prefix));
  assert.ok(!hasPrefix('kim-gate-gate', prefix));
});

test('a root may end in a slash', () => {
  const paths = { nodes: '/kimserver/nodes', payload: '/kimserver/payload', kim: '/kimserver/kim' };
  assert.deepEqual(pathsOf('/kimserver'), paths);
  assert.deepEqual(pathsOf('/kimserver/'), paths);
  assert.deepEqual(pathsOf('/'), { nodes: '/nodes', payload: '/payload', kim: '/kim' });
  assert.throws(() => pathsOf('/a/../b'), /ZooKeeper path "\/a\/\.\.\/b" is none/);
});

test('servers are hosts with ports, 2181 where none is given', () => {
  assert.deepEqual(parseServers('zk-0:2182, 10.0.0.1 ,[::1]:2181,[fe80::2],'), [
    { host: 'zk-0', port: 2182 },
    { host: '10.0.0.1', port: 2181 },
    { host: '::1', port: 2181 },
    { host: 'fe80::2', port: 2181 },
  ]);
  for (const text of ['zk:', ':2181', 'zk:0', 'zk:65536', 'zk:abc', '::1:2181', 'a b:1']) {
    assert.throws(() => parseServers(text), /is no HOST:PORT/, text);
  }
});
