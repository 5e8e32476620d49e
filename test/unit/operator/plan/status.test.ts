// When a status is written: at once when something happened, seldom when only clients came and went, never when it is as it was.

import assert from 'node:assert/strict';
import test from 'node:test';
import { isSame } from '../../../../src/kube/json.ts';
import type { KimClusterStatus } from '../../../../src/operator/status-types.ts';
import { kim, NOW, SMALL, World, type PodShape } from './support.ts';

/** The status of a pass so many seconds after the last one was written, in which two gates are as given. */
function statusAfter(seconds: number, before: readonly PodShape[], now: readonly PodShape[]): [KimClusterStatus, KimClusterStatus] {
  const world = World.of(kim(SMALL.replace('gate: {', 'gate: { replicas: 2,')));
  const { status } = world.gates(...before).plan();
  world.more = { status, statusAt: NOW, now: NOW + seconds * 1000 };
  return [status, world.gates(...now).plan().status];
}

test('what is as it was is not written again, however long ago it was', () => {
  const pods = [{ connections: 5 }, { connections: 6 }];
  const [before, now] = statusAfter(100_000, pods, pods);
  assert.ok(isSame(now, before));
});

test('counts of clients alone are written every 30 s at most', () => {
  const pods: [PodShape[], PodShape[]] = [
    [{ connections: 5 }, { connections: 6 }],
    [{ connections: 50 }, { connections: 60 }],
  ];
  const [before, soon] = statusAfter(29, ...pods);
  assert.ok(isSame(soon, before));
  const [, late] = statusAfter(30, ...pods);
  assert.equal(late.summary?.connections, 110);
});

test('while a gate drains its counts are written every 5 s at most', () => {
  const draining = (connections: number): PodShape[] => [{ connections: 1 }, { connections, drains: 3, ready: false }];
  const [before, soon] = statusAfter(4, draining(60), draining(40));
  assert.ok(isSame(soon, before));
  const [, late] = statusAfter(5, draining(60), draining(40));
  assert.equal(late.gate?.draining[0]?.connections, 40);
});

test('what happens to pods is written at once, with the counts of that moment', () => {
  const [, now] = statusAfter(1, [{ connections: 5 }, { connections: 6 }], [{ connections: 50 }, { connections: 6, ready: false }]);
  assert.equal(now.gate?.ready, 1);
  assert.equal(now.summary?.connections, 56);
});

test('the fallback counts when no node reaches the primary directory, not when some do not', () => {
  const both = kim(
    '{ gate: { replicas: 2, listeners: [{ port: 3355 }] }, discovery: { zookeeper: { hosts: "zk:2181" }, kubernetes: {} } }',
  );
  const lost = { node: { lostDirectories: ['zookeeper'] } };
  const seen = (...gates: PodShape[]) => {
    const { primary, fallback, active } = World.of(both)
      .gates(...gates)
      .plan().status.discovery!;
    return [primary?.healthy, fallback?.healthy, active];
  };
  assert.deepEqual(seen({}, {}), [true, true, 'zookeeper']);
  assert.deepEqual(seen({}, lost), [false, true, 'zookeeper']);
  assert.deepEqual(seen(lost, lost), [false, true, 'kubernetes']);
});

test('without a gate, wanted or not, clients are not served, and it is said why', () => {
  const available = (replicas: number, ...gates: PodShape[]) => {
    const world = World.of(kim(SMALL.replace('gate: {', `gate: { replicas: ${replicas},`))).gates(...gates);
    const { status, reason, message } = world.plan().status.conditions!.find(({ type }) => type === 'Available')!;
    return [status, reason, message];
  };
  assert.deepEqual(available(0), ['False', 'NoGate', 'spec.gate.replicas is 0, so clients can not connect']);
  assert.deepEqual(available(1, { ready: false }).slice(0, 2), ['False', 'NoGate']);
  assert.deepEqual(available(2, { ready: false }, {}).slice(0, 2), ['True', 'MinimumAvailable']);
});
