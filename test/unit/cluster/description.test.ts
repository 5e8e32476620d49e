// What a node says of itself on its node port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDescription, Describer, encodeDescription, type Described } from '../../../src/cluster/description.ts';
import { systemType } from '../../../src/wire/protobuf.ts';

const said: Described = {
  type: 'gate',
  name: 'demo-gate-7',
  workers: 4,
  activeTime: 1_700_000_000.5,
  facts: { state: 'draining', version: '0.1.0', connections: 4711, gate: 'gate.example.com:3355' },
};

test('a description is read as it was written, also by protobufjs', () => {
  assert.deepEqual(decodeDescription(encodeDescription(said)), said);
  const { active_time, draining, connections } = systemType('nodes', 'description').decode(encodeDescription(said));
  assert.deepEqual([active_time, draining, connections], [1_700_000_000.5, true, 4711]);
});

test('nothing is said of a node that is not to be found, and what can not be is nothing', () => {
  for (const bad of [
    undefined,
    { ...said, type: '' },
    { ...said, workers: 0 },
    { ...said, activeTime: NaN },
    { ...said, name: 'x'.repeat(257) },
  ]) {
    assert.equal(decodeDescription(encodeDescription(bad)), undefined);
  }
  assert.throws(() => decodeDescription(Buffer.from('0affff', 'hex')), { fault: 'invalidMessage' });
});

test('those who listen are told what changes, and when it ends', () => {
  const describer = new Describer();
  const told: (Described | undefined)[] = [];
  let ended = 0;
  const stop = describer.listen({ changed: (data) => told.push(decodeDescription(data)), ended: () => ended++ });
  describer.say(said);
  describer.say({ ...said });
  describer.close();
  assert.deepEqual([told, ended], [[said, undefined], 1]);
  stop();
  describer.say(said);
  assert.equal(told.length, 2);
});
