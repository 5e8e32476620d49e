// What is known of a drain: whose clock counts, how fast clients may leave, and what is written down when it has ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marks } from '../../../../src/operator/plan/names.ts';
import type { KimClusterStatus } from '../../../../src/operator/status-types.ts';
import { iso, kim, NOW, World, type PodShape } from './support.ts';

const spec = (replicas: number, gate = '') =>
  kim(`{ gate: { replicas: ${replicas}, listeners: [{ port: 3355 }], ${gate} }, discovery: { kubernetes: {} } }`);

/** The pod got this mark and started then, by the clock of its machine; milliseconds since 1970. */
function started(world: World, name: string, at: number, mark?: string): void {
  const i = world.pods.findIndex(({ metadata }) => metadata.name === name);
  const pod = world.pods[i]!;
  const annotations = { ...pod.metadata.annotations, ...(mark !== undefined && { [marks.draining]: mark }) };
  const state = { running: { startedAt: new Date(at).toISOString() } };
  world.pods[i] = {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    status: { ...pod.status, containerStatuses: [{ name: 'kimserver', state }] },
  };
}

function costs(world: World, name: string): void {
  const i = world.pods.findIndex(({ metadata }) => metadata.name === name);
  const pod = world.pods[i]!;
  const annotations = { ...pod.metadata.annotations, [marks.deletionCost]: '-1000000' };
  world.pods[i] = { ...pod, metadata: { ...pod.metadata, annotations } };
}

const replicasOf = (world: World, replicas: number) => {
  const gate = world.plan(spec(replicas)).apply.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-gate');
  return (gate!['spec'] as { replicas: number }).replicas;
};

test('a pod that drains has not started anew because the clock of its machine is ahead', () => {
  const world = World.of(spec(2)).gates({ connections: 50 }, { connections: 9, age: 20 });
  // a minute ahead of the operator
  const ahead = NOW + 40_000;
  started(world, 'demo-gate-b', ahead);
  const [annotate] = world.plan(spec(1)).actions;
  assert.ok(annotate?.kind === 'annotate' && annotate.pod === 'demo-gate-b');
  started(world, 'demo-gate-b', ahead, annotate.annotations[marks.draining]);
  costs(world, 'demo-gate-b');
  assert.equal(replicasOf(world, 1), 2);
  started(world, 'demo-gate-b', ahead + 5000);
  assert.equal(replicasOf(world, 1), 1);
});

test('a node that ended before it was told has nobody left, and its pod goes', () => {
  const world = World.of(spec(2)).gates({ connections: 50 }, { drains: 10, connections: 3, state: 'serving' });
  started(world, 'demo-gate-b', NOW - 60_000);
  assert.equal(replicasOf(world, 1), 2);
  started(world, 'demo-gate-b', NOW - 5000);
  assert.equal(replicasOf(world, 1), 1);
});

const paceOf = (world: World, cluster = spec(1)) =>
  world.plan(cluster).actions.flatMap((action) => (action.kind === 'drain' ? [action.perSecond] : []));

test('clients leave as fast as the pods that stay can take them', () => {
  assert.deepEqual(paceOf(World.of(spec(2))), [200]);
  assert.deepEqual(paceOf(World.of(spec(4)), spec(3)), [600]);
  const leaving = { drains: 5, connections: 9, state: 'serving' as const };
  assert.deepEqual(paceOf(World.of(spec(4)).gates({}, leaving, { drains: 5, connections: 3 }, { ready: false }), spec(1)), [200]);
  const slow = 'limits: { acceptRate: 50 }';
  assert.deepEqual(paceOf(World.of(spec(3, slow)), spec(2, slow)), [100]);
  const free = 'limits: { acceptRate: 0 }';
  assert.deepEqual(paceOf(World.of(spec(3, free)), spec(2, free)), [400]);
});

/** The last drain, when the status before was written with these gates and now there are others. */
function lastDrain(world: World, before: readonly PodShape[], now: readonly PodShape[]): KimClusterStatus['lastDrain'] {
  const { status } = world.gates(...before).plan();
  world.more = { status, statusAt: NOW, now: NOW + 30_000 };
  return world.gates(...now).plan().status.lastDrain;
}

const left = { moved: 7, closed: 2, forced: 1 };

test('when the pod that drained is gone, it is told what became of its clients', () => {
  const drained = { name: 'demo-gate-x', drains: 20, ready: false, node: { left } };
  assert.deepEqual(lastDrain(World.of(spec(1)), [{}, drained], [{}]), {
    pod: 'demo-gate-x',
    cause: 'ScaleDown',
    ...left,
    seconds: 50,
    endedAt: new Date(NOW + 30_000).toISOString(),
  });
});

test('the same of pods that a rollout or a drained machine took away', () => {
  const old = { name: 'demo-gate-x', ending: true, ready: false, revision: 'old', node: { state: 'draining' as const, left } };
  const { cause, moved } = lastDrain(World.of(spec(1)), [{}, old], [{}])!;
  assert.deepEqual([cause, moved], ['Rollout', 7]);
});

test('what the node said last counts when it says nothing any more', () => {
  const world = World.of(spec(1));
  const drained = { name: 'demo-gate-x', drains: 20, ready: false };
  const { status } = world.gates({}, { ...drained, node: { left } }).plan();
  world.more = { status, statusAt: NOW, now: NOW + 10_000 };
  const { status: mute } = world.gates({}, { ...drained, deaf: true }).plan();
  assert.deepEqual(mute.gate?.draining[0]?.moved, 7);
  world.more = { status: mute, statusAt: NOW, now: NOW + 20_000 };
  assert.equal(world.gates({}).plan().status.lastDrain?.moved, 7);
});

test('as long as it is there a drain has not ended, and one that ended stays written down', () => {
  const drained = { name: 'demo-gate-x', drains: 20, ready: false };
  assert.equal(lastDrain(World.of(spec(1)), [{}, drained], [{}, drained]), undefined);
  const world = World.of(spec(1));
  const ended = lastDrain(world, [{}, drained], [{}]);
  const { status } = world.plan();
  world.more = { status, statusAt: NOW, now: NOW + 90_000 };
  assert.deepEqual(world.plan().status.lastDrain, ended);
});

test('gates that stay keep a tenth of their room for clients that come meanwhile', () => {
  const busy = (connections: number) => World.of(spec(3)).gates({ connections }, { connections }, { connections: 1000 });
  // two of them take 32,000
  const refusal = (world: World) => world.plan(spec(2)).status.conditions?.find(({ type }) => type === 'Degraded')?.reason;
  assert.equal(refusal(busy(14_000)), 'AsExpected');
  assert.equal(refusal(busy(14_100)), 'ShrinkRefused');
});

test('links of other nodes are no clients: they count neither for whom to choose nor in the status', () => {
  const world = World.of(spec(2)).gates({ connections: 30, node: { links: 28 } }, { connections: 5 });
  const { actions, status } = world.plan(spec(1));
  assert.deepEqual(
    actions.flatMap((action) => (action.kind === 'drain' ? [action.pod] : [])),
    ['demo-gate-a'],
  );
  assert.equal(status.summary?.connections, 7);
});

test('a gate that does not answer has no room that anybody knows of', () => {
  const world = World.of(spec(3)).gates({ connections: 9000 }, { deaf: true }, { connections: 8000 });
  const refused = world.plan(spec(2)).status.conditions?.find(({ type }) => type === 'Degraded');
  assert.match(refused!.message, /17000 connections would not fit .+, which take 16000/);
});

test('the number of pods is not lowered again before Kubernetes has heard of it', () => {
  const world = World.of(spec(3)).gates({}, { drains: 10, ready: false }, {});
  assert.equal(replicasOf(world, 1), 2);
  world.change('Deployment', 'demo-gate', (object) => ({ ...object, metadata: { ...object.metadata, generation: 2 } }));
  assert.equal(replicasOf(world, 1), 3);
});

test('a drain ends at the pace of its clients so far, at the latest when its time is over', () => {
  const world = World.of(spec(1));
  const draining = (connections: number) => ({ name: 'demo-gate-x', drains: 10, connections, ready: false });
  const { status } = world.gates({}, draining(100)).plan();
  assert.equal(status.gate?.draining[0]?.estimatedEnd, iso(-65));
  world.more = { status, statusAt: NOW, now: NOW + 10_000 };
  // twenty in ten seconds, so the other eighty in forty
  assert.equal(world.gates({}, draining(80)).plan().status.gate?.draining[0]?.estimatedEnd, iso(-50));
  assert.equal(world.gates({}, draining(99)).plan().status.gate?.draining[0]?.estimatedEnd, iso(-65));
});
