// What a plan does with a cluster that is there: growing, shrinking, rollouts, what changes live, what goes wrong. Kept as files to be read.

import test from 'node:test';
import type { KimCluster } from '../../../../src/config/cluster.ts';
import { assertGolden, noOtherGolden } from '../../../support/golden.ts';
import { doings } from './situations.ts';
import { iso, kim, World, type PodShape } from './support.ts';

const FOLDER = 'test/golden/plan/doings';

interface Asked {
  replicas?: number;
  logics?: number;
  gate?: string;
  more?: string;
  metadata?: Partial<KimCluster['metadata']>;
}

/** Gates without modules, logic nodes beside them, discovery by Kubernetes. */
function demo({ replicas = 3, logics = 2, gate = '', more = '', metadata = {} }: Asked = {}): KimCluster {
  return kim(
    `{ gate: { replicas: ${replicas}, listeners: [{ port: 3355 }], ${gate} }, logic: { replicas: ${logics}, modules: [test] }, discovery: { kubernetes: {} }, ${more} }`,
    metadata,
  );
}

const annotated = (key: string, value = 'true') => ({ metadata: { annotations: { [`kimserver.io/${key}`]: value } } });
const NEW = 'image: "kimserver:0.2.0"';
const NEWER = demo({ more: NEW });
/** It was told to end a while ago, and its machine does not answer any more. */
const LOST: PodShape = { overdue: 10, ready: false, deaf: true, connections: 40 };
const three = () => World.of(demo());
/** The new image has been applied: pods with "revision: new" are those of the new one. */
function rolling(cluster: KimCluster, shapes: readonly PodShape[] = []): World {
  const world = three();
  world.apply(world.plan(cluster));
  const [, revision = ''] =
    Object.entries(world.deployment('gate').metadata.annotations ?? {}).find(([key]) => key === 'kimserver.io/revision') ?? [];
  // the logic nodes have been replaced already
  world.without('logic');
  world.pod('logic');
  world.pod('logic');
  const fixed = new World(cluster, world.more);
  fixed.objects = world.objects;
  fixed.pods.push(...world.pods.filter(({ metadata }) => metadata.name.includes('logic')));
  for (const [name, node] of world.nodes) if (name.includes('logic')) fixed.nodes.set(name, node);
  return fixed.gates(...shapes.map((shape) => ({ ...shape, revision: shape.revision === 'new' ? revision : 'old' })));
}

const situations: Readonly<Record<string, () => string>> = {
  'nothing-to-do': () => doings(three().plan()),
  'a-new-cluster': () => doings(new World(demo()).plan()),
  'pods-are-starting': () =>
    doings(three().gates({ ready: false, state: 'starting' }, { ready: false, deaf: true }, { ready: true }).plan()),
  'an-image-that-is-not-there': () => doings(three().gates({}, {}, { ready: false, deaf: true, waiting: 'ImagePullBackOff' }).plan()),
  grow: () => doings(three().plan(demo({ replicas: 5 }))),
  'grow-while-an-autoscaler-writes-the-deployment': () => {
    const world = three();
    world.more = { autoscalers: [autoscaler('Deployment', 'demo-gate')] };
    world.change('Deployment', 'demo-gate', (object) => ({ ...object, spec: { ...(object['spec'] as object), replicas: 7 } }));
    return doings(world.plan());
  },
  'an-autoscaler-as-it-is-meant': () => {
    const world = three();
    world.more = { autoscalers: [autoscaler('KimCluster', 'demo')] };
    return doings(world.plan());
  },

  'shrink-1-the-one-with-the-fewest-connections-drains': () =>
    doings(
      three()
        .gates({ connections: 50 }, { connections: 20 }, { connections: 70 })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-of-equals-the-youngest': () =>
    doings(
      three()
        .gates({ age: 900 }, { age: 100 }, { age: 500 })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-the-one-that-is-not-ready': () =>
    doings(
      three()
        .gates({ connections: 5 }, { connections: 9, ready: false }, { connections: 0 })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-the-one-that-drains-though-nothing-says-so': () =>
    doings(
      three()
        .gates({ connections: 5 }, { connections: 90, state: 'draining' }, { connections: 0 })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-waits-while-two-are-not-ready': () =>
    doings(
      three()
        .gates({}, { ready: false }, { ready: false })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-waits-while-kubernetes-is-behind': () =>
    doings(
      three()
        .gates({}, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-refused-because-it-does-not-fit': () =>
    doings(
      three()
        .gates({ connections: 15_000 }, { connections: 14_000 }, { connections: 13_000 })
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-1-forced-though-it-does-not-fit': () =>
    doings(
      three()
        .gates({ connections: 15_000 }, { connections: 14_000 }, { connections: 13_000 })
        .plan(demo({ replicas: 2, ...annotated('force-scale') })),
    ),
  'shrink-2-drains': () =>
    doings(
      three()
        .gates({}, { drains: 20, connections: 12, ready: false }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-2-the-order-to-drain-got-lost': () =>
    doings(
      three()
        .gates({}, { drains: 20, connections: 12, state: 'serving' }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-2-another-is-not-ready': () =>
    doings(
      three()
        .gates({ ready: false }, { drains: 20, ready: false }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-2-the-cost-is-not-there-yet': () =>
    doings(
      three()
        .gates({}, { drains: 20, ready: false, cost: false }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-3-empty-so-the-deployment-is-lowered': () =>
    doings(
      three()
        .gates({}, { drains: 20, ready: false, node: { left: { moved: 30, closed: 12, forced: 0 } } }, {})
        .plan(demo({ replicas: 1 })),
    ),
  'shrink-3-its-time-is-over': () =>
    doings(
      three()
        .gates({}, { drains: 80, ready: false, connections: 3 }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-3-it-does-not-answer-any-more': () =>
    doings(
      three()
        .gates({}, { drains: 80, ready: false, deaf: true }, {})
        .plan(demo({ replicas: 2 })),
    ),
  'shrink-4-another-went': () => {
    const world = three();
    world.change('Deployment', 'demo-gate', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'kimserver.io/leaving': 'demo-gate-b' } },
      spec: { ...(object['spec'] as object), replicas: 2 },
      status: { observedGeneration: 1, replicas: 2 },
    }));
    return doings(world.gates({}, { drains: 30, ready: false }).plan(demo({ replicas: 2 })));
  },
  'shrink-taken-back-while-it-drains': () => doings(three().gates({}, { drains: 20, ready: false, connections: 9 }, {}).plan()),
  'shrink-taken-back-after-it-drained': () => doings(three().gates({}, { drains: 20, ready: false }, {}).plan()),
  'shrink-logic-nodes': () => doings(three().plan(demo({ logics: 1 }))),

  'workers-of-running-pods': () => doings(three().plan(demo({ gate: 'workers: 4', metadata: { generation: 2 } }))),
  'limits-of-running-pods': () =>
    doings(
      three()
        .gates({}, { deaf: true }, { state: 'draining', drains: 5, cause: 'Requested' })
        .plan(demo({ gate: 'limits: { maxClients: 500 }, keepAlive: 30s', metadata: { generation: 7 } })),
    ),

  'rollout-1-logic-nodes-first': () => doings(three().plan(demo({ more: NEW }))),
  'rollout-2-gates-begin': () => doings(rolling(NEWER, [{}, {}, {}]).plan()),
  'rollout-3-waits-for-a-new-pod': () => doings(rolling(NEWER, [{}, {}, {}, { revision: 'new', ready: false, age: 3 }]).plan()),
  'rollout-4-the-new-one-is-ready': () => doings(rolling(NEWER, [{}, {}, {}, { revision: 'new' }]).plan()),
  'rollout-4-not-ready-for-long-enough': () =>
    doings(rolling(demo({ more: NEW, gate: 'update: { minReadySeconds: 30 }' }), [{}, {}, {}, { revision: 'new', age: 20 }]).plan()),
  'rollout-5-waits-until-an-old-one-has-drained': () =>
    doings(rolling(NEWER, [{ ending: true, ready: false, state: 'draining', connections: 40 }, {}, {}, { revision: 'new' }]).plan()),
  'rollout-paused-by-the-user': () => doings(rolling(demo({ more: NEW, gate: 'update: { paused: true }' }), [{}, {}, {}]).plan()),
  'rollout-stalls-because-pods-crash': () =>
    doings(rolling(NEWER, [{}, {}, {}, { revision: 'new', ready: false, waiting: 'CrashLoopBackOff', deaf: true }]).plan()),
  'rollout-stalls-because-nothing-gets-ready': () =>
    doings(rolling(NEWER, [{}, {}, {}, { revision: 'new', ready: false, age: 700 }]).plan()),
  'rollout-stalls-because-requests-fail': () =>
    doings(
      rolling(NEWER, [
        { node: { replies: 10_000, failures: 10 } },
        { node: { replies: 10_000, failures: 30 } },
        { revision: 'new', node: { replies: 1000, failures: 200 } },
      ]).plan(),
    ),
  'rollout-goes-on-though-few-requests-fail': () =>
    doings(
      rolling(NEWER, [{ node: { replies: 10_000, failures: 100 } }, {}, { revision: 'new', node: { replies: 1000, failures: 20 } }]).plan(),
    ),
  'rollout-stays-stalled': () => {
    const world = rolling(NEWER, [{}, {}, {}, { revision: 'new' }]);
    stall(world, 'demo-gate-d can not start');
    return doings(world.plan());
  },
  'rollout-resumed': () => {
    const world = rolling(NEWER, [{}, {}, {}, { revision: 'new' }]);
    const revision = stall(world, 'demo-gate-d can not start');
    return doings(world.plan(demo({ more: NEW, ...annotated('resume-rollout', revision) })));
  },
  'rollout-taken-back': () => {
    const world = rolling(NEWER, [{}, {}, { revision: 'new', ready: false, waiting: 'CrashLoopBackOff' }]);
    stall(world, 'demo-gate-c can not start');
    return doings(world.plan(demo({ more: 'image: "kimserver:0.1.0"' })));
  },
  'rollout-that-may-not-pause-itself': () =>
    doings(
      rolling(demo({ more: NEW, gate: 'update: { pauseOnTrouble: false }' }), [
        {},
        {},
        {},
        { revision: 'new', ready: false, waiting: 'CrashLoopBackOff', deaf: true },
      ]).plan(),
    ),
  'shrink-waits-for-the-rollout': () => doings(rolling(demo({ replicas: 1, more: NEW }), [{}, {}, { revision: 'new' }]).plan()),
  'a-machine-is-drained': () => {
    const world = three().gates({}, { ending: true, ready: false, state: 'draining', connections: 10 }, {}, { ready: false, age: 2 });
    const pod = world.pods.find(({ metadata }) => metadata.name === 'demo-gate-b')!;
    (pod.status!.conditions as { type: string; status: string }[]).push({ type: 'DisruptionTarget', status: 'True' });
    return doings(world.plan());
  },

  'a-machine-is-lost': () => doings(three().gates({}, LOST, {}, {}).plan()),
  'a-machine-is-lost-and-a-rollout-goes-on': () => doings(rolling(NEWER, [LOST, {}, {}, { revision: 'new' }]).plan()),
  'a-machine-is-lost-and-its-gate-may-still-serve': () =>
    doings(rolling(NEWER, [{ ...LOST, overdue: 4 }, {}, {}, { revision: 'new' }]).plan()),
  'a-gate-that-ends-late-and-still-serves': () =>
    doings(rolling(NEWER, [{ ...LOST, deaf: false, connections: 3 }, {}, {}, { revision: 'new' }]).plan()),
  'a-machine-is-lost-with-a-zookeeper-server': () => {
    const world = World.of(kim('{ gate: { listeners: [{ port: 3355 }] } }'));
    world.without('zookeeper');
    for (const shape of [{}, LOST, {}]) world.pod('zookeeper', shape);
    return doings(world.plan());
  },

  paused: () => doings(three().plan(demo({ replicas: 5, ...annotated('pause') }))),
  'dry-run': () => {
    const world = three().gates({ connections: 50 }, { connections: 20 }, { connections: 70 });
    return doings(world.plan(demo({ replicas: 2, more: NEW, gate: 'workers: 2, keepAlive: 1m', ...annotated('dry-run') })));
  },
  'an-object-of-somebody-else': () => {
    const world = three();
    world.change('Service', 'demo-gate', foreign({ kind: 'Shop', name: 'shop' }));
    return doings(world.plan());
  },
  'an-object-of-nobody': () => {
    const world = three();
    world.change('ConfigMap', 'demo-gate-live', foreign());
    return doings(world.plan());
  },
  'an-object-of-nobody-that-may-be-taken': () => {
    const world = three();
    world.change('ConfigMap', 'demo-gate-live', foreign());
    return doings(world.plan(demo({ ...annotated('adopt') })));
  },
  'an-object-of-an-earlier-cluster-of-this-name': () => {
    const world = three();
    world.change('Deployment', 'demo-gate', foreign({ kind: 'KimCluster', name: 'demo' }));
    return doings(world.plan());
  },
  'what-is-no-longer-wanted': () =>
    doings(
      three().plan(
        kim(
          '{ gate: { replicas: 3, listeners: [{ port: 3355 }], modules: [test], disruptionBudget: { enabled: false } }, networkPolicy: { enabled: false } }',
        ),
      ),
    ),
  'a-zookeeper-without-quorum': () => {
    const cluster = kim('{ gate: { listeners: [{ port: 3355 }] } }');
    const world = World.of(cluster);
    world.pods.splice(0, world.pods.length, ...world.pods.filter(({ metadata }) => !/zookeeper-[12]/.test(metadata.name)));
    return doings(world.plan());
  },
  'a-directory-that-a-node-lost': () =>
    doings(
      three()
        .gates({ node: { lostDirectories: ['kubernetes'] } }, {}, {})
        .plan(),
    ),

  'deleted-at-once': () => doings(three().plan(demo({ metadata: { deletionTimestamp: iso(1) } }))),
  'deleted-with-drain-1-wants-to-be-told': () => doings(three().plan(demo({ more: 'deletionPolicy: Drain' }))),
  'deleted-with-drain-2-drains': () =>
    doings(three().gates({ connections: 5 }, {}, { drains: 4, cause: 'Delete', connections: 2 }).plan(leaving())),
  'deleted-with-drain-3-has-drained': () =>
    doings(three().gates({ drains: 9, cause: 'Delete', ready: false }, { drains: 9, cause: 'Delete', ready: false }).plan(leaving())),
  'deleted-with-drain-3-a-machine-is-lost': () => doings(three().gates({ drains: 9, cause: 'Delete', ready: false }, LOST).plan(leaving())),
  'deleted-with-drain-after-ten-minutes': () => doings(three().gates({ drains: 30, connections: 5 }).plan(leaving(601))),
  'deleted-with-drain-forced': () =>
    doings(
      three()
        .gates({ drains: 30, connections: 5 })
        .plan(leaving(9, { 'kimserver.io/force-delete': 'true' })),
    ),
};

function leaving(seconds = 9, annotations: Record<string, string> = {}): KimCluster {
  return demo({
    more: 'deletionPolicy: Drain',
    metadata: { deletionTimestamp: iso(seconds), finalizers: ['kimserver.io/drain'], annotations },
  });
}

function autoscaler(kind: string, name: string) {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'gates', namespace: 'shop' },
    spec: { scaleTargetRef: { kind, name } },
  };
}

/** The object has another owner, or none. */
function foreign(owner?: { kind: string; name: string }): Parameters<World['change']>[2] {
  const ownerReferences = owner === undefined ? [] : [{ apiVersion: 'example.com/v1', ...owner, uid: 'another', controller: true }];
  return (object) => ({ ...object, metadata: { ...object.metadata, ownerReferences } });
}

/** Its rollout paused itself in an earlier pass. */
function stall(world: World, reason: string): string {
  const revision = world.deployment('gate').metadata.annotations!['kimserver.io/revision']!;
  const marks = { 'kimserver.io/stalled-revision': revision, 'kimserver.io/stalled-reason': reason };
  world.change('Deployment', 'demo-gate', (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...marks } },
  }));
  return revision;
}

for (const [name, made] of Object.entries(situations)) {
  test(`plan: ${name.replaceAll('-', ' ')}`, () => assertGolden(`${FOLDER}/${name}.yaml`, made()));
}

test('no golden file of doings is left over', () => {
  noOtherGolden(
    FOLDER,
    Object.keys(situations).map((name) => `${name}.yaml`),
  );
});
