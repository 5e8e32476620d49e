// What kim cluster shows of a cluster.

import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterJson, clusterLines, sharesOf } from '../../../src/cli/cluster-text.ts';
import type { ClusterLook } from '../../../src/cli/cluster-source.ts';
import { painter } from '../../../src/cli/terminal.ts';
import type { Member } from '../../../src/cluster/member.ts';

const plain = painter(false, {});
const AT = 1_700_000_100_000;

function member(values: Partial<Member>): Member {
  return {
    type: 'logic',
    host: '127.0.0.1',
    port: 3344,
    workers: 2,
    activeTime: AT / 1000 - 65,
    name: 'kim-logic',
    source: 'zookeeper',
    facts: undefined,
    ...values,
  };
}

const facts = { state: 'draining', version: '0.1.0', connections: 5, gate: '' } as const;
const report = { manager: { conn_cnt: 1234, read_cnt: 1, read_bytes: 2048, write_cnt: 1, write_bytes: 10 } };
const look: ClusterLook = {
  at: AT,
  from: 'ZooKeeper 127.0.0.1:2181, /kimserver',
  members: [
    member({ port: 4344, workers: 1 }),
    member({}),
    member({ type: 'gate', port: 3355, name: 'kim-gate', facts }),
    member({ type: 'gate', port: 3366, name: 'bad\u001b[2Jname', facts: { ...facts, state: 'serving' } }),
  ],
  payloads: new Map([
    ['127.0.0.1:3344', JSON.stringify(report)],
    ['127.0.0.1:4344', '{'],
  ]),
  bad: ['broken-logic0000000003'],
};

test('nodes are listed by type and address, with state, share of the keys and load', () => {
  const lines = clusterLines(look, plain);
  assert.equal(lines[0], 'ZooKeeper 127.0.0.1:2181, /kimserver  4 nodes, 7 workers');
  const rows = lines.slice(3, 7).map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows, [
    ['gate', '127.0.0.1:3355', 'kim-gate', '2', 'draining', '0.1.0', '1 min', '-', '5', '-', '-', 'zookeeper'],
    ['gate', '127.0.0.1:3366', 'bad\\u001b[2Jname', '2', 'serving', '0.1.0', '1 min', '100.0 %', '5', '-', '-', 'zookeeper'],
    ['logic', '127.0.0.1:3344', 'kim-logic', '2', 'serving', '-', '1 min', '68.5 %', '1,234', '2.0 KiB', '10 B', 'zookeeper'],
    ['logic', '127.0.0.1:4344', 'kim-logic', '1', 'serving', '-', '1 min', '31.5 %', '-', '-', '-', 'zookeeper'],
  ]);
  assert.equal(lines.at(-1), '1 record of no use: broken-logic0000000003');
});

test('a cluster without nodes says so, and why nothing newer is known', () => {
  const lines = clusterLines({ ...look, members: [], bad: [] }, plain, 'no answer');
  assert.deepEqual(lines, ['ZooKeeper 127.0.0.1:2181, /kimserver  0 nodes, 0 workers', 'no answer', '', 'no node is announced']);
});

test('the shares of the nodes of a type make a whole; who drains has none', () => {
  const shares = sharesOf(look.members);
  const sum = (shares.get('127.0.0.1:3344') ?? 0) + (shares.get('127.0.0.1:4344') ?? 0);
  assert.ok(Math.abs(sum - 1) < 1e-9);
  assert.equal(shares.has('127.0.0.1:3355'), false);
});

test('programs get the same as JSON, with the whole report', () => {
  const { members, unreadable } = clusterJson(look) as {
    members: { port: number; share: number; payload: unknown }[];
    unreadable: string[];
  };
  assert.deepEqual(unreadable, look.bad);
  assert.deepEqual(
    members.map(({ port, payload }) => [port, payload]),
    [
      [3355, null],
      [3366, null],
      [3344, report],
      [4344, null],
    ],
  );
  assert.equal(members[0]!.share, 0);
});
