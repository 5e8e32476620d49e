// What nodes tell each other, against the field numbers of the original.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemType } from '../../../src/wire/protobuf.ts';
import { hex } from '../../support/frames.ts';
import { field, varint } from '../../support/protobuf-bytes.ts';

const number = (n: number, value: number) => Buffer.concat([varint(n * 8), varint(value)]);
const real = (n: number, value: number) => {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return Buffer.concat([varint(n * 8 + 1), out]);
};

const target = { node_type: 'gate', ip: '127.0.0.1', port: 3344, worker_index: 1 };
const zkNode = {
  path: '/kimserver/nodes/gate/kim-gate-gate0000000012',
  type: 'gate',
  host: '127.0.0.1',
  port: 3344,
  worker_cnt: 2,
  active_time: 1_612_345_678.123,
};
const zkBytes = Buffer.concat([
  field(1, zkNode.path),
  field(2, 'gate'),
  field(3, '127.0.0.1'),
  number(4, 3344),
  number(5, 2),
  real(6, zkNode.active_time),
]);
const payload = {
  worker_index: 1,
  conn_cnt: 2,
  cmd_cnt: 3,
  read_cnt: 4,
  read_bytes: 500,
  write_cnt: 6,
  write_bytes: 0xffffffff,
  create_time: 8.5,
};
const payloadBytes = Buffer.concat([
  ...Object.values(payload)
    .slice(0, 7)
    .map((value, i) => number(i + 1, value)),
  real(8, 8.5),
]);
const nodeData = {
  zk_path: '/kimserver/payload/gate/x',
  node_type: 'gate',
  node_host: '10.0.0.1',
  node_port: 3344,
  gate_host: '10.0.0.2',
  gate_port: 3355,
  worker_cnt: 4,
};
const nodeBytes = Buffer.concat([
  field(1, nodeData.zk_path),
  field(2, 'gate'),
  field(3, '10.0.0.1'),
  number(4, 3344),
  field(5, '10.0.0.2'),
  number(6, 3355),
  number(7, 4),
]);

const messages: [file: 'nodes' | 'payload', type: string, value: Record<string, unknown>, bytes: Buffer][] = [
  ['nodes', 'target_node', target, Buffer.concat([field(1, 'gate'), field(2, '127.0.0.1'), number(3, 3344), number(4, 1)])],
  ['nodes', 'zk_node', zkNode, zkBytes],
  [
    'nodes',
    'register_node',
    { version: 7, my_zk_path: zkNode.path, nodes: [zkNode, zkNode] },
    Buffer.concat([number(1, 7), field(2, zkNode.path), field(3, zkBytes), field(3, zkBytes)]),
  ],
  ['payload', 'Payload', payload, payloadBytes],
  ['payload', 'NodeData', nodeData, nodeBytes],
  [
    'payload',
    'PayloadStats',
    { node: nodeData, manager: payload, workers: [payload, payload] },
    Buffer.concat([field(1, nodeBytes), field(2, payloadBytes), field(3, payloadBytes), field(3, payloadBytes)]),
  ],
];

for (const [file, name, value, bytes] of messages) {
  test(`${name} has the bytes of the original, and comes back from them`, () => {
    const type = systemType(file, name);
    assert.deepEqual(type.encode(value), bytes);
    assert.deepEqual(type.decode(bytes), value);
    assert.equal(type.name, name);
  });

  test(`${name} without a field has the default of each`, () => {
    const empty = systemType(file, name).decode(Buffer.alloc(0));
    for (const [key, given] of Object.entries(value)) {
      const expected = typeof given === 'number' ? 0 : typeof given === 'string' ? '' : Array.isArray(given) ? [] : null;
      assert.deepEqual(empty[key], expected, key);
    }
  });
}

test('what is cut off does not parse', () => {
  for (const [file, name, , bytes] of messages) assert.throws(() => systemType(file, name).decode(bytes.subarray(0, -1)), name);
});

test('fields that an old node does not know are stepped over', () => {
  const type = systemType('nodes', 'target_node');
  assert.deepEqual(type.decode(Buffer.concat([type.encode(target), field(15, 'more'), hex('8001 01')])), target);
});

test('a value that does not fit is named', () => {
  const type = systemType('nodes', 'target_node');
  assert.throws(() => type.encode({ ...target, port: 'x' }), /^Error: port: integer expected/);
  assert.throws(
    () => type.encode({ ...target, prot: 1 }),
    /^Error: prot: no such field in target_node; fields: node_type, ip, port, worker_index$/,
  );
});

test('a type that is not there is named together with those that are', () => {
  assert.throws(
    () => systemType('nodes', 'target'),
    /no message type "target" in .*nodes\.proto; there is: target_node, greeting, zk_node, register_node, description$/,
  );
});
