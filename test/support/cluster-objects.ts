// KimClusters that are good: the least one, one with everything, and some at the edges.

/** What stands in an object, in parts. */
export type Part = Readonly<Record<string, unknown>>;

const base = { gate: { listeners: [{ port: 3355 }] }, logic: {} };

/** The least cluster with gates and logic nodes, and this in its spec too. */
export function clusterObject(spec: Part = {}, name = 'demo'): Part {
  return { apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', metadata: { name }, spec: merged(base, spec) };
}

/** Objects are merged, everything else is replaced; undefined removes. */
function merged(one: unknown, other: unknown): unknown {
  if (!isPart(one) || !isPart(other)) return other;
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const entries = keys.map((key) => [key, key in other ? merged(one[key], other[key]) : one[key]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const template = {
  metadata: { labels: { team: 'games' }, annotations: { 'example.com/note': 'x' } },
  nodeSelector: { disk: 'fast' },
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', matchLabelKeys: ['pod-template-hash'] }],
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'gates', effect: 'NoExecute', tolerationSeconds: 5 }],
  priorityClassName: 'high',
  schedulerName: 'default-scheduler',
  runtimeClassName: 'gvisor',
  env: [
    { name: 'SHOP', value: '1' },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'shop', key: 'token' } } },
  ],
  envFrom: [{ secretRef: { name: 'shop' } }],
  volumes: [{ name: 'data', emptyDir: {} }],
  volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
  containers: [{ name: 'proxy', image: 'proxy:1', ports: [{ containerPort: 8080 }] }],
  initContainers: [{ name: 'fetch', image: 'fetch:1' }],
};

const tier = {
  replicas: 3,
  workers: 2,
  modules: ['test'],
  logLevel: 'WARNING',
  keepAlive: '1m30s',
  config: { isReuseport: true, watchTypes: ['logic'] },
  limits: { maxClients: 100, maxFrame: '1MiB', outgoingBurst: '2MiB', requestTimeoutMs: 500, frameMs: '0s', hangMs: '2s' },
  links: { connectMs: '1.5s', maxFrame: '1GiB', queue: 5 },
  sessions: { secondLogin: 'refuse', resumeMs: '0.4ms', clientHeartbeatMs: 1000 },
  drain: { seconds: 0.5 },
  resources: { requests: { cpu: '500m', memory: '64Mi' }, limits: { cpu: 1, memory: '0.5Gi', 'example.com/card': 1 } },
  update: { maxSurge: '25%', maxUnavailable: 1, minReadySeconds: 5, progressDeadlineSeconds: 60, paused: true, pauseOnTrouble: false },
  disruptionBudget: { enabled: false, maxUnavailable: '50%' },
  template,
};

/** Good ones by what is special about them. */
export const good: Readonly<Record<string, Part>> = {
  'the least': clusterObject(),
  'gates alone': clusterObject({ logic: undefined }),
  'everything at once': clusterObject({
    image: 'images.example.com/kimserver:1@sha256:abc',
    imagePullPolicy: 'Always',
    imagePullSecrets: [{ name: 'pull' }],
    modules: { image: 'shop:7', folder: './modules' },
    gate: {
      ...tier,
      listeners: [{ name: 'tcp', host: '0.0.0.0', port: 4000, codec: ' ProtoBuf ', advertise: 'kim.example.com:80' }],
      nodePort: 4001,
      nodeHost: '10.0.0.1',
      admin: { host: '::1', port: 4002 },
      routes: [
        {
          commands: '1000-1999',
          to: 'logic',
          key: 'field:id',
          message: { proto: 'a.proto', type: 'A' },
          timeout: '2s',
          retry: 'IDEMPOTENT',
        },
        { commands: '2000', to: 'shop', rate: 5 },
        { commands: '2001-', to: 'logic', key: 'user' },
      ],
      service: {
        type: 'LoadBalancer',
        annotations: { 'example.com/kind': 'nlb' },
        labels: { team: 'games' },
        externalTrafficPolicy: 'Local',
        internalTrafficPolicy: 'Cluster',
        loadBalancerClass: 'example.com/internal',
        loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'],
        nodePort: 30_000,
      },
    },
    logic: { ...tier, nodePort: 5000, admin: { port: 'none' } },
    discovery: {
      primary: 'kubernetes',
      fallback: 'zookeeper',
      kubernetes: {},
      zookeeper: {
        managed: {
          replicas: 5,
          image: 'zookeeper:3.9',
          storage: { size: '1Gi', className: 'fast', retain: true },
          resources: {},
          template,
        },
        root: '/shop/',
        authSecret: { name: 'zk' },
        acl: 'Creator',
        sessionTimeoutMs: '5s',
      },
      static: { members: [{ type: 'cpp', host: '10.0.0.7', port: 4344 }] },
      file: { path: './members' },
    },
    stores: { redis: { secretRef: { name: 'redis' } }, mysql: { secretRef: { name: 'mysql', key: 'a' } } },
    networkPolicy: { enabled: false, from: [{ ipBlock: { cidr: '10.0.0.0/8' } }], metricsFrom: [{ namespaceSelector: {} }] },
    monitoring: { enabled: false, serviceMonitor: { interval: '30s', labels: { release: 'prom' } } },
    deletionPolicy: 'Drain',
  }),
  'a ZooKeeper that is there': clusterObject({
    discovery: { zookeeper: { hosts: 'zk-0:2181,zk-1:2181', auth: 'kim:secret', acl: 'creator' } },
  }),
  'discovery by Kubernetes alone': clusterObject({ discovery: { kubernetes: {} } }),
  'all free ports': clusterObject({ gate: { listeners: [{ port: 0 }], nodePort: 0, admin: { port: 0 } }, logic: { nodePort: 0 } }),
  'a missing value is no value': clusterObject({
    gate: { limits: null, keepAlive: null },
    logic: { template: { affinity: { nodeAffinity: null } } },
  }),
  'limits at their ends': clusterObject({
    gate: {
      replicas: 0,
      workers: 512,
      keepAlive: '576h',
      drain: { seconds: 86_400 },
      limits: { maxFrame: '64B', outgoingBurst: '4GiB', workerMemory: '1KiB' },
    },
  }),
};
