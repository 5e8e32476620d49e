// What holds of every plan, whatever the cluster is like.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { KimCluster } from '../../../../src/config/cluster.ts';
import { isSame } from '../../../../src/kube/json.ts';
import type { Deployment } from '../../../../src/operator/plan/deployment.ts';
import { isOurs } from '../../../../src/operator/plan/names.ts';
import type { Manifest } from '../../../../src/operator/plan/types.ts';
import { fc, forAll } from '../../../support/property.ts';
import { Kubernetes } from './kubernetes.ts';
import { kim, World, type PodShape } from './support.ts';

const shape: fc.Arbitrary<PodShape> = fc.record(
  {
    ready: fc.boolean(),
    age: fc.integer({ min: 1, max: 2000 }),
    connections: fc.integer({ min: 0, max: 40_000 }),
    state: fc.constantFrom('starting' as const, 'serving' as const, 'draining' as const, 'stopping' as const),
    drains: fc.integer({ min: 0, max: 200 }),
    cost: fc.boolean(),
    ending: fc.boolean(),
    revision: fc.constantFrom('old', 'older'),
    waiting: fc.constantFrom('CrashLoopBackOff', 'ContainerCreating'),
    deaf: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** Often nothing is the matter with a pod, or it has drained. */
const likely = fc.oneof(
  { weight: 4, arbitrary: fc.constant<PodShape>({}) },
  { weight: 2, arbitrary: fc.constant<PodShape>({ drains: 30, ready: false }) },
  { weight: 2, arbitrary: shape },
);

interface Case {
  readonly cluster: KimCluster;
  readonly next: KimCluster;
  readonly pods: readonly PodShape[];
  readonly current: number;
  readonly settled: boolean;
  readonly leaving: string | undefined;
  readonly foreign: readonly number[];
}

function cluster(replicas: number, image: string, more: string, annotations: Record<string, string> = {}): KimCluster {
  return kim(
    `{ image: "${image}", gate: { replicas: ${replicas}, listeners: [{ port: 3355 }], ${more} }, logic: { modules: [test] }, discovery: { kubernetes: {} } }`,
    { annotations },
  );
}

const wishes = ['force-scale', 'adopt', 'pause', 'dry-run'].map((wish) => ({ [`kimserver.io/${wish}`]: 'true' }));
const cases: fc.Arbitrary<Case> = fc
  .record({
    replicas: fc.integer({ min: 0, max: 6 }),
    image: fc.constantFrom('kim:1', 'kim:1', 'kim:2'),
    more: fc.constantFrom('', 'workers: 3', 'drain: { seconds: 0 }', 'update: { paused: true }', 'update: { pauseOnTrouble: false }'),
    wish: fc.constantFrom({}, {}, {}, ...wishes),
    pods: fc.array(likely, { maxLength: 6 }),
    current: fc.integer({ min: 0, max: 6 }),
    isExact: fc.constantFrom(true, true, false),
    settled: fc.constantFrom(true, true, false),
    leaving: fc.option(fc.constantFrom('demo-gate-a', 'demo-gate-b'), { nil: undefined }),
    foreign: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 2 }),
  })
  .map(({ replicas, image, more, wish, pods, current, isExact, ...rest }) => ({
    cluster: cluster(3, 'kim:1', ''),
    next: cluster(replicas, image, more, wish),
    pods,
    // often as many as there are: else nothing would ever be lowered
    current: isExact ? pods.filter(({ ending }) => ending !== true).length : current,
    ...rest,
  }));

function worldOf({ cluster: before, pods, current, settled, leaving, foreign }: Case): World {
  const world = World.of(before).gates(...pods);
  world.change('Deployment', 'demo-gate', (object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      generation: 2,
      annotations: { ...object.metadata.annotations, ...(leaving && { 'kimserver.io/leaving': leaving }) },
    },
    spec: { ...(object['spec'] as object), replicas: current },
    status: { observedGeneration: settled ? 2 : 1, replicas: current },
  }));
  world.objects = world.objects.map((object, i) =>
    foreign.includes(i) ? { ...object, metadata: { ...object.metadata, ownerReferences: [] } } : object,
  );
  return world;
}

const gateOf = (apply: readonly Manifest[]) =>
  apply.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-gate') as Deployment | undefined;

test('the same input gives the same plan, and nothing of the input is changed', () => {
  forAll(cases, (one) => {
    const world = worldOf(one);
    const before = JSON.stringify([world.objects, world.pods, [...world.nodes], one.next]);
    const [first, second] = [world.plan(one.next), world.plan(one.next)];
    assert.deepEqual(second, first);
    assert.equal(JSON.stringify([world.objects, world.pods, [...world.nodes], one.next]), before);
  });
});

test('the number of pods is lowered by one at most, never while another pod is not ready or a rollout runs', () => {
  let lowered = 0;
  forAll(
    cases,
    (one) => {
      const world = worldOf(one);
      const next = gateOf(world.plan(one.next).apply);
      if (next === undefined || next.spec.replicas! >= one.current) return;
      lowered++;
      assert.equal(next.spec.replicas, one.current - 1);
      const live = world.pods.filter(({ metadata }) => metadata.name.startsWith('demo-gate') && metadata.deletionTimestamp === undefined);
      const unready = live.filter(({ status }) => status?.conditions?.[0]?.status !== 'True');
      const victim = next.metadata.annotations!['kimserver.io/leaving'];
      assert.deepEqual(
        unready.map(({ metadata }) => metadata.name).filter((name) => name !== victim),
        [],
      );
      const chosen = live.find(({ metadata }) => metadata.name === victim)!;
      assert.ok(chosen.metadata.annotations!['kimserver.io/draining']);
      assert.equal(chosen.metadata.annotations!['controller.kubernetes.io/pod-deletion-cost'], '-1000000');
      const revisions = new Set(live.map(({ metadata }) => metadata.annotations!['kimserver.io/revision']));
      assert.deepEqual([...revisions], [next.metadata.annotations!['kimserver.io/revision']]);
    },
    1000,
  );
  assert.ok(lowered >= 10, `it was lowered ${lowered} times, too seldom to say something`);
});

test('an object that obeys somebody else, or nobody, is neither applied nor removed', () => {
  forAll(cases, (one) => {
    const world = worldOf(one);
    const { apply, remove } = world.plan(one.next);
    if (one.next.metadata.annotations?.['kimserver.io/adopt'] === 'true') return;
    const strangers = world.objects.filter((object) => !isOurs(one.next, object));
    for (const { kind, metadata } of strangers) {
      assert.ok(!apply.some((object) => object.kind === kind && object.metadata.name === metadata.name), `${kind} ${metadata.name}`);
      assert.ok(!remove.some((object) => object.kind === kind && object.name === metadata.name), `${kind} ${metadata.name}`);
    }
    for (const { uid } of remove) assert.ok(world.objects.some((object) => object.metadata.uid === uid && isOurs(one.next, object)));
  });
});

test('a plan that has been applied is the same again', () => {
  forAll(cases, (one) => {
    const world = worldOf(one);
    const first = world.plan(one.next);
    world.apply(first, false);
    const second = world.plan(one.next);
    const changed = second.apply.filter((object) => !first.apply.some((other) => isSame(other, object)));
    assert.deepEqual(changed, []);
    assert.deepEqual(second.remove, []);
  });
});

test('paused and tried dry, a plan changes nothing', () => {
  forAll(cases, (one) => {
    const annotations = one.next.metadata.annotations ?? {};
    if (annotations['kimserver.io/pause'] !== 'true' && annotations['kimserver.io/dry-run'] !== 'true') return;
    const { apply, remove, actions } = worldOf(one).plan(one.next);
    assert.deepEqual([apply, remove, actions], [[], [], []]);
  });
});

const MAX_STEPS = 600;
/** To none at all, too, where clients have nowhere to go. */
const FORCED = { 'kimserver.io/force-scale': 'true' };
const journeys = fc.record({
  from: fc.integer({ min: 1, max: 5 }),
  to: fc.array(
    fc.record({
      replicas: fc.integer({ min: 0, max: 6 }),
      image: fc.constantFrom('kim:1', 'kim:2', 'kim:3'),
      steps: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  connections: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 5, maxLength: 5 }),
  /** After how many objects and actions of its passes the operator dies, one after another; the last ones are whole. */
  lives: fc
    .array(fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 26 })), { maxLength: 120 })
    .map((all) => (all.length < 20 ? [] : all)),
});

test('whatever is edited, and whenever the operator dies, the cluster comes to rest as the spec says, and no gate is scaled away before it has drained', () => {
  forAll(
    journeys,
    ({ from, to, connections, lives }) => {
      const world = World.of(cluster(from, 'kim:1', ''));
      world.gates(...Array.from({ length: from }, (_, i) => ({ connections: connections[i]! })));
      const kubernetes = new Kubernetes(world);
      let passes = 0;
      for (const { replicas, image, steps } of to) {
        for (let i = 0; i < steps; i++) kubernetes.step(cluster(replicas, image, '', FORCED), lives[passes++]);
      }
      const last = to.at(-1)!;
      const wanted = cluster(last.replicas, last.image, '', FORCED);
      let steps = 0;
      while (kubernetes.step(wanted, lives[passes++]).requeueMs < 30_000) assert.ok(steps++ < MAX_STEPS, 'it does not come to rest');
      const { status, actions, remove } = kubernetes.step(wanted);
      assert.equal(status.summary?.gates, `${last.replicas}/${last.replicas}`);
      assert.deepEqual([actions, remove], [[], []]);
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      assert.equal(ready?.status, 'True', ready?.message);
      assert.deepEqual(
        kubernetes.scaledDown.filter((pod) => !pod.wasAsked || pod.connections > 0),
        [],
      );
      // while there is no operator nobody paces a rollout
      const wasAlive = lives.every((life) => life === Infinity);
      assert.ok(!wasAlive || kubernetes.mostEnding <= 2, `${kubernetes.mostEnding} pods of a tier ended at the same time`);
    },
    60,
  );
});
