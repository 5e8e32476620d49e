// What a KimCluster becomes: the objects, kept as files to be read. Further ones show only what differs from the small cluster, or its gates alone.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { KimCluster } from '../../../../src/config/cluster.ts';
import type { Observed } from '../../../../src/operator/plan/types.ts';
import { assertGolden, noOtherGolden } from '../../../support/golden.ts';
import { unlike, whole } from './situations.ts';
import { kim, operator, SMALL, World } from './support.ts';

const FOLDER = 'test/golden/plan/objects';
const GATE = 'listeners: [{ port: 3355 }]';
const KUBERNETES = 'discovery: { kubernetes: {} }';

interface Situation {
  readonly spec: string;
  readonly metadata?: Partial<KimCluster['metadata']>;
  readonly observed?: Partial<Observed>;
}

/** By what they show: the name of their file. */
const situations: Readonly<Record<string, Situation>> = {
  'zookeeper-of-one': { spec: `{ gate: { ${GATE} }, discovery: { zookeeper: { managed: { replicas: 1 } } } }` },
  'zookeeper-with-storage': {
    spec: `{ gate: { ${GATE} }, discovery: { zookeeper: { managed: { replicas: 5, image: "zk:1", storage: { size: 2Gi, className: fast, retain: true }, resources: { limits: { memory: 1Gi } }, template: { nodeSelector: { disk: ssd } } } } } }`,
  },
  'zookeeper-elsewhere': {
    spec: `{ gate: { ${GATE} }, discovery: { zookeeper: { hosts: "zk-0:2181,zk-1:2181", root: /shop, sessionTimeoutMs: 20s, authSecret: { name: zk }, acl: creator } } }`,
  },
  'zookeeper-and-kubernetes': { spec: `{ gate: { ${GATE} }, logic: {}, discovery: { zookeeper: { managed: {} }, kubernetes: {} } }` },
  'members-that-never-change': {
    spec: `{ gate: { ${GATE} }, discovery: { static: { members: [{ type: logic, host: 10.0.0.7, port: 4344 }] } } }`,
  },
  'no-logic-nodes': { spec: `{ gate: { ${GATE}, modules: [test] }, ${KUBERNETES} }` },
  'service-load-balancer': {
    spec: `{ gate: { ${GATE}, service: { type: LoadBalancer, annotations: { example.com/lb: internal }, labels: { team: shop }, externalTrafficPolicy: Local, loadBalancerClass: example.com/nlb, loadBalancerSourceRanges: [10.0.0.0/8] } }, ${KUBERNETES} }`,
  },
  'service-node-port': {
    spec: `{ gate: { ${GATE}, service: { type: NodePort, nodePort: 30355, internalTrafficPolicy: Local } }, ${KUBERNETES} }`,
  },
  'ports-of-ones-own': {
    spec: `{ gate: { listeners: [{ name: admin, port: 60000, advertise: "gate.example.com:60000" }], nodePort: 7000, admin: { port: 7001 } }, logic: { nodePort: 8000 }, ${KUBERNETES} }`,
  },
  'any-free-port-is-the-usual-one': { spec: `{ gate: { listeners: [{ port: 0 }], nodePort: 0, admin: { port: 0 } }, ${KUBERNETES} }` },
  'drain-of-ten-minutes': { spec: `{ gate: { ${GATE}, drain: { seconds: 600.5 } }, ${KUBERNETES} }` },
  'limits-change-no-pod': {
    spec: `{ gate: { ${GATE}, workers: 4, keepAlive: 1m, logLevel: debug, limits: { maxClients: 100 } }, logic: { modules: [test] }, ${KUBERNETES} }`,
  },
  'modules-of-an-image': { spec: `{ modules: { image: "shop-modules:7" }, gate: { ${GATE}, modules: [./shop.ts] }, ${KUBERNETES} }` },
  'modules-as-an-image-volume': {
    spec: `{ modules: { image: "shop-modules:7" }, imagePullPolicy: Always, gate: { ${GATE}, modules: [./shop.ts] }, ${KUBERNETES} }`,
    observed: { operator: { ...operator, imageVolumes: true } },
  },
  'image-and-pull-secrets': {
    spec: `{ image: "images.example.com/kimserver:1.2.3", imagePullPolicy: Always, imagePullSecrets: [{ name: registry }], gate: { ${GATE} }, ${KUBERNETES} }`,
  },
  'resources-as-numbers': {
    spec: `{ gate: { ${GATE}, resources: { requests: { cpu: 1, memory: 256Mi }, limits: { cpu: 2 } } }, ${KUBERNETES} }`,
  },
  'template-of-the-user': {
    spec: `
gate:
  ${GATE}
  template:
    metadata: { labels: { team: shop }, annotations: { example.com/note: hello } }
    nodeSelector: { kubernetes.io/arch: amd64 }
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
    topologySpreadConstraints: [{ topologyKey: rack, maxSkew: 2, whenUnsatisfiable: DoNotSchedule }]
    tolerations: [{ key: dedicated, operator: Equal, value: gates, effect: NoSchedule }, { key: node.kubernetes.io/unreachable, operator: Exists, tolerationSeconds: 5 }]
    priorityClassName: high
    schedulerName: other
    runtimeClassName: gvisor
    env: [{ name: SHOP, value: "1" }]
    envFrom: [{ secretRef: { name: shop } }]
    volumes: [{ name: cache, emptyDir: {} }]
    volumeMounts: [{ name: cache, mountPath: /cache }]
    containers: [{ name: proxy, image: "proxy:1" }]
    initContainers: [{ name: wait, image: "wait:1" }]
${KUBERNETES.replace('{ kubernetes: {} }', '{ kubernetes: {} }')}
`,
  },
  'template-that-goes-too-far': {
    spec: `
gate:
  ${GATE}
  template:
    env: [{ name: POD_IP, value: 10.0.0.1 }]
    volumes: [{ name: cache, emptyDir: {} }, { name: machine, hostPath: { path: / } }]
    volumeMounts: [{ name: cache, mountPath: /tmp }]
    containers: [{ name: tracer, image: "tracer:1", securityContext: { privileged: true } }]
${KUBERNETES}
`,
  },
  'network-of-known-peers': {
    spec: `{ gate: { ${GATE} }, networkPolicy: { from: [{ ipBlock: { cidr: 10.0.0.0/8 } }], metricsFrom: [{ namespaceSelector: { matchLabels: { name: monitoring } } }] }, ${KUBERNETES} }`,
  },
  'without-policies-and-budgets': {
    spec: `{ gate: { ${GATE}, disruptionBudget: { enabled: false } }, logic: { modules: [test], disruptionBudget: { maxUnavailable: 25% } }, networkPolicy: { enabled: false }, monitoring: { enabled: false }, ${KUBERNETES} }`,
  },
  'service-monitor': {
    spec: `{ gate: { ${GATE} }, monitoring: { serviceMonitor: { interval: 15s, labels: { release: prometheus } } }, ${KUBERNETES} }`,
    observed: { hasServiceMonitors: true },
  },
  'service-monitor-that-nobody-knows': {
    spec: `{ gate: { ${GATE} }, logic: { modules: [test] }, monitoring: { serviceMonitor: {} }, ${KUBERNETES} }`,
  },
  'secrets-of-stores': {
    spec: `{ gate: { ${GATE} }, stores: { redis: { secretRef: { name: redis } }, mysql: { secretRef: { name: mysql, key: shop.json } } }, ${KUBERNETES} }`,
  },
  'update-in-larger-steps': {
    spec: `{ gate: { ${GATE}, update: { maxSurge: 25%, maxUnavailable: 1, minReadySeconds: 10, progressDeadlineSeconds: 120 } }, ${KUBERNETES} }`,
  },
};

/** Where ports stand in a Deployment, a Service and a NetworkPolicy. */
interface Ported {
  readonly spec: {
    readonly template?: {
      readonly spec: { readonly containers: readonly { readonly ports: readonly { name: string; containerPort: number }[] }[] };
    };
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    readonly ingress?: readonly { readonly ports: readonly { readonly port: string }[] }[];
  };
}

const usual = new World(kim(SMALL)).plan();
const alone = new World(kim(`{ gate: { ${GATE} }, ${KUBERNETES} }`)).plan();

test('a small cluster with discovery by Kubernetes', () => assertGolden(`${FOLDER}/small.yaml`, whole(usual)));

test('a cluster with a ZooKeeper of its own, which is what it gets when nothing is said', () => {
  const spec = `{ gate: { replicas: 2, ${GATE} }, logic: { replicas: 3, modules: [test] } }`;
  assertGolden(`${FOLDER}/managed-zookeeper.yaml`, whole(new World(kim(spec)).plan()));
});

for (const [name, { spec, metadata, observed }] of Object.entries(situations)) {
  test(`objects: ${name.replaceAll('-', ' ')}`, () => {
    assertGolden(
      `${FOLDER}/${name}.yaml`,
      unlike(new World(kim(spec, metadata), observed).plan(), spec.includes('logic: {') ? usual : alone),
    );
  });
}

test('no golden file of objects is left over', () => {
  noOtherGolden(
    FOLDER,
    ['small', 'managed-zookeeper', ...Object.keys(situations)].map((name) => `${name}.yaml`),
  );
});

test('what can change in running pods changes no pod template', () => {
  const templates = (spec: string) => {
    const { apply } = new World(kim(spec)).plan();
    return apply.filter(({ kind }) => kind === 'Deployment').map((one) => (one['spec'] as { template: object }).template);
  };
  assert.deepEqual(templates(situations['limits-change-no-pod']!.spec), templates(SMALL));
});

test('a listener that gets another name or port stays reachable on pods of both revisions', () => {
  const ofClients = (listener: string) => {
    const { apply } = new World(kim(`{ gate: { listeners: [${listener}] }, ${KUBERNETES} }`)).plan();
    const find = (kind: string) => apply.find((one) => one.kind === kind && one.metadata.name === 'demo-gate') as unknown as Ported;
    const { ports } = find('Deployment').spec.template!.spec.containers[0]!;
    return {
      service: find('Service').spec.ports![0]!,
      pod: ports[0]!,
      policy: find('NetworkPolicy').spec.ingress!.map((one) => one.ports[0]!.port),
    };
  };
  const [old, next] = [ofClients('{ name: chat, port: 3355 }'), ofClients('{ name: game, port: 4000 }')];
  assert.deepEqual([old.service.name, next.service.name], ['chat', 'game']);
  assert.deepEqual([next.service.port, next.pod.containerPort], [4000, 4000]);
  for (const { service, pod, policy } of [old, next]) {
    assert.equal(service.targetPort, 'client');
    assert.equal(pod.name, 'client');
    assert.deepEqual(policy, ['client', 'node', 'admin']);
  }
});
