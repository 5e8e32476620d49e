// KimClusters that are good, and many that are not, each with the field and the sentence for which it has to be refused.

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
  links: { connectMs: '1.5s', maxFrame: '1.5GiB'.replace('1.5', '1'), queue: 5 },
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
    image: 'registry.example.com/kimserver:1@sha256:abc',
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

/** A change of the least good one, the field that has to be named, and what has to be said. */
export type BadRow = readonly [what: string, spec: Part, field: string, reason: RegExp];

const gate = (part: Part): Part => ({ gate: part });
const listener = (part: Part): Part => gate({ listeners: [{ port: 3355, ...part }] });
const routes = (...list: Part[]): Part => gate({ routes: list });
const pod = (part: Part): Part => gate({ template: part });
const zookeeper = (part: Part): Part => ({ discovery: { zookeeper: part } });
const route = { commands: '1000-', to: 'logic' };

/** Bad ones; the sentence is that of the API server. */
export const bad: readonly BadRow[] = [
  ['no gate', { gate: undefined }, 'spec.gate', /Required value/],
  ['no listener', gate({ listeners: [] }), 'spec.gate.listeners', /should have at least 1 items/],
  ['two listeners', gate({ listeners: [{ port: 1 }, { name: 'b', port: 2 }] }), 'spec.gate.listeners', /must have at most 1 item/],
  ['a listener without port', gate({ listeners: [{}] }), 'spec.gate.listeners[0].port', /Required value/],
  ['a port beyond all ports', listener({ port: 70_000 }), 'spec.gate.listeners[0].port', /less than or equal to 65535/],
  ['a codec that nobody speaks', listener({ codec: 'http' }), 'spec.gate.listeners[0].codec', /allowed: protobuf/],
  ['an empty host', listener({ host: '' }), 'spec.gate.listeners[0].host', /at least 1 chars/],
  ['a host with port', listener({ host: 'example.com:80' }), 'spec.gate.listeners[0].host', /a host name or address without port/],
  ['an address without port', listener({ advertise: 'example.com' }), 'spec.gate.listeners[0].advertise', /allowed: an address like gate/],
  ['a listener with capitals', listener({ name: 'TCP' }), 'spec.gate.listeners[0].name', /allowed: small letters/],
  ['an unknown key', gate({ wrokers: 2 }), 'spec.gate.wrokers', /unknown field/],
  ['an unknown key far inside', gate({ limits: { maxFrme: 1 } }), 'spec.gate.limits.maxFrme', /unknown field/],
  ['routes of logic nodes', { logic: { routes: [] } }, 'spec.logic.routes', /unknown field/],
  ['a grace period', pod({ terminationGracePeriodSeconds: 5 }), 'spec.gate.template.terminationGracePeriodSeconds', /unknown field/],
  ['too many replicas', gate({ replicas: 101 }), 'spec.gate.replicas', /less than or equal to 100/],
  ['half a replica', gate({ replicas: 1.5 }), 'spec.gate.replicas', /must be of type integer/],
  ['no workers', gate({ workers: 0 }), 'spec.gate.workers', /greater than or equal to 1/],
  ['workers as text', gate({ workers: '2' }), 'spec.gate.workers', /must be of type integer/],
  ['modules as one text', gate({ modules: 'test' }), 'spec.gate.modules', /must be of type array/],
  ['a log level that is none', gate({ logLevel: 'loud' }), 'spec.gate.logLevel', /allowed: trace, debug, info/],
  ['a time without sense', gate({ keepAlive: '30x' }), 'spec.gate.keepAlive', /milliseconds from 1 to/],
  ['a time that is too long', gate({ keepAlive: '1000h' }), 'spec.gate.keepAlive', /milliseconds from 1 to 2073600000 \(576h\)/],
  ['no time at all', gate({ keepAlive: 0 }), 'spec.gate.keepAlive', /milliseconds from 1 to/],
  ['a frame that is too small', gate({ limits: { maxFrame: '63B' } }), 'spec.gate.limits.maxFrame', /bytes from 64 to 1073741824/],
  ['a frame that is too large', gate({ limits: { maxFrame: '2GiB' } }), 'spec.gate.limits.maxFrame', /bytes from 64 to 1073741824/],
  ['a size without unit', gate({ limits: { maxFrame: '64' } }), 'spec.gate.limits.maxFrame', /bytes|should match/],
  [
    'frames above what may be unsent',
    gate({ limits: { maxFrame: '16MiB', outgoingBurst: 1_048_576 } }),
    'spec.gate.limits',
    /outgoingBurst is below maxFrame: the largest reply would close the client/,
  ],
  [
    'frames above the default of what may be unsent',
    gate({ limits: { maxFrame: '64MiB' } }),
    'spec.gate.limits',
    /outgoingBurst is below maxFrame/,
  ],
  ['frames above all memory', { logic: { limits: { workerMemory: '1MiB' } } }, 'spec.logic.limits', /workerMemory is below maxFrame/],
  ['waits in the wrong order', gate({ limits: { restartMinMs: '20s' } }), 'spec.gate.limits', /restartMaxMs is below restartMinMs/],
  ['workers that may not breathe', gate({ limits: { hangMs: '1s' } }), 'spec.gate.limits', /hangMs is below 2s/],
  ['a negative drain', gate({ drain: { seconds: -1 } }), 'spec.gate.drain.seconds', /greater than or equal to 0/],
  ['a drain of days', gate({ drain: { seconds: 86_401 } }), 'spec.gate.drain.seconds', /less than or equal to 86400/],
  [
    'a session that logs in somehow',
    gate({ sessions: { secondLogin: 'both' } }),
    'spec.gate.sessions.secondLogin',
    /allowed: replace, refuse/,
  ],
  ['an admin port that is a flag', gate({ admin: { port: false } }), 'spec.gate.admin.port', /must be of type/],
  ['an admin port that is a word', gate({ admin: { port: 'off' } }), 'spec.gate.admin.port', /should match/],
  ['clients and nodes on one port', gate({ nodePort: 3355 }), 'spec.gate', /listeners\[0\]\.port and nodePort are the same/],
  ['admin pages where clients are', gate({ admin: { port: 3355 } }), 'spec.gate', /listeners\[0\]\.port and admin\.port are the same/],
  ['admin pages where nodes are', gate({ admin: { port: 3344 } }), 'spec.gate', /nodePort and admin\.port are the same/],
  ['nodes where admin pages are by default', gate({ nodePort: 9355 }), 'spec.gate', /nodePort and admin\.port are the same/],
  [
    'one port for all of a logic node',
    { logic: { nodePort: 5000, admin: { port: 5000 } } },
    'spec.logic',
    /nodePort and admin\.port are the same/,
  ],
  ['a logic node for nobody', { logic: { nodeHost: '' } }, 'spec.logic', /nodeHost is empty/],
  ['a route to gates', routes({ ...route, to: 'gate' }), 'spec.gate.routes[0].to', /round in circles/],
  ['a route without target', routes({ commands: '1000-' }), 'spec.gate.routes[0].to', /Required value/],
  ['commands below all commands', routes({ ...route, commands: '999' }), 'spec.gate.routes[0].commands', /allowed: commands from 1000/],
  ['commands backwards', routes({ ...route, commands: '2000-1999' }), 'spec.gate.routes[0].commands', /commands from 1000 to 4294967295/],
  ['commands beyond all', routes({ ...route, commands: '4294967296' }), 'spec.gate.routes[0].commands', /commands from 1000 to 4294967295/],
  ['commands as a number', routes({ ...route, commands: 1001 }), 'spec.gate.routes[0].commands', /must be of type string/],
  ['routes that overlap', routes(route, { commands: '1001', to: 'shop' }), 'spec.gate.routes', /overlap/],
  ['a key of nothing', routes({ ...route, key: 'room' }), 'spec.gate.routes[0].key', /allowed: session, user, data or field:NAME/],
  [
    'a message without field',
    routes({ ...route, message: { proto: 'a', type: 'b' } }),
    'spec.gate.routes[0]',
    /message needs a key of that message/,
  ],
  ['a retry that is none', routes({ ...route, retry: 'often' }), 'spec.gate.routes[0].retry', /allowed: never, ifNotSent, idempotent/],
  ['a timeout of hours', routes({ ...route, timeout: '25h' }), 'spec.gate.routes[0].timeout', /milliseconds from 1 to 86400000 \(24h\)/],
  ['no pod to replace', gate({ update: { maxSurge: 0 } }), 'spec.gate.update', /maxSurge and maxUnavailable are both 0/],
  [
    'no share to replace',
    gate({ update: { maxSurge: '0%', maxUnavailable: '0%' } }),
    'spec.gate.update',
    /maxSurge and maxUnavailable are both 0/,
  ],
  ['a share above all', gate({ update: { maxSurge: '101%' } }), 'spec.gate.update.maxSurge', /should match/],
  [
    'a rollout that is late at once',
    gate({ update: { minReadySeconds: 600 } }),
    'spec.gate.update',
    /progressDeadlineSeconds is not above minReadySeconds/,
  ],
  [
    'a budget of nothing',
    gate({ disruptionBudget: { maxUnavailable: 0 } }),
    'spec.gate.disruptionBudget.maxUnavailable',
    /greater than or equal to 1/,
  ],
  ['a type of Service', gate({ service: { type: 'ExternalName' } }), 'spec.gate.service.type', /supported values/],
  [
    'a port of machines that nobody opens',
    gate({ service: { nodePort: 30_000 } }),
    'spec.gate.service',
    /nodePort needs type NodePort or LoadBalancer/,
  ],
  ['a policy for nobody', gate({ service: { externalTrafficPolicy: 'Local' } }), 'spec.gate.service', /externalTrafficPolicy needs type/],
  [
    'a class of no load balancer',
    gate({ service: { type: 'NodePort', loadBalancerClass: 'a' } }),
    'spec.gate.service',
    /loadBalancerClass needs type LoadBalancer/,
  ],
  [
    'ranges of no load balancer',
    gate({ service: { loadBalancerSourceRanges: ['10.0.0.0/8'] } }),
    'spec.gate.service',
    /loadBalancerSourceRanges needs type/,
  ],
  [
    'a range that is none',
    gate({ service: { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/33'] } }),
    'spec.gate.service.loadBalancerSourceRanges[0]',
    /cidr/,
  ],
  [
    'labels of the operator',
    pod({ metadata: { labels: { 'app.kubernetes.io/name': 'x' } } }),
    'spec.gate.template.metadata.labels',
    /belong to the operator/,
  ],
  ['a label with spaces', pod({ metadata: { labels: { a: 'b c' } } }), 'spec.gate.template.metadata.labels', /allowed: at most 63 letters/],
  ['a variable twice', pod({ env: [{ name: 'A' }, { name: 'A' }] }), 'spec.gate.template.env[1]', /Duplicate value/],
  [
    'a variable with two values',
    pod({ env: [{ name: 'A', value: 'x', valueFrom: {} }] }),
    'spec.gate.template.env[0]',
    /value and valueFrom exclude each other/,
  ],
  [
    'a variable that is an option',
    pod({ env: [{ name: 'KIM_DRAIN_MS', value: '1' }] }),
    'spec.gate.template.env[0]',
    /have their own fields here/,
  ],
  [
    'a sidecar that takes our name',
    pod({ containers: [{ name: 'kimserver' }] }),
    'spec.gate.template.containers[0]',
    /the operator's own containers/,
  ],
  ['a sidecar without name', pod({ containers: [{ image: 'x' }] }), 'spec.gate.template.containers[0].name', /Required value/],
  [
    'a volume that takes our name',
    pod({ volumes: [{ name: 'kimserver-config' }] }),
    'spec.gate.template.volumes[0]',
    /the operator's own volumes/,
  ],
  ['a toleration of anything', pod({ tolerations: [{ effect: 'Never' }] }), 'spec.gate.template.tolerations[0].effect', /supported values/],
  [
    'a request above its limit',
    gate({ resources: { requests: { cpu: 2 }, limits: { cpu: '500m' } } }),
    'spec.gate.resources',
    /requests\.cpu is above limits\.cpu/,
  ],
  [
    'memory above its limit',
    { logic: { resources: { requests: { memory: '1.5Gi' }, limits: { memory: '1Gi' } } } },
    'spec.logic.resources',
    /requests\.memory is above limits\.memory/,
  ],
  ['an amount of nothing', gate({ resources: { limits: { cpu: 'much' } } }), 'spec.gate.resources.limits.cpu', /should match/],
  ['an image with spaces', { image: 'a b' }, 'spec.image', /allowed: an image like/],
  ['a pull policy', { imagePullPolicy: 'Sometimes' }, 'spec.imagePullPolicy', /supported values/],
  ['a pull secret twice', { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] }, 'spec.imagePullSecrets[1]', /Duplicate value/],
  ['a ZooKeeper of both kinds', zookeeper({ managed: {}, hosts: 'a' }), 'spec.discovery.zookeeper', /both managed and hosts are given/],
  ['a ZooKeeper of no kind', zookeeper({}), 'spec.discovery.zookeeper', /neither managed nor hosts is given/],
  ['an even ensemble', zookeeper({ managed: { replicas: 2 } }), 'spec.discovery.zookeeper.managed.replicas', /supported values/],
  ['an ensemble of one more', zookeeper({ managed: { replicas: 7 } }), 'spec.discovery.zookeeper.managed.replicas', /supported values/],
  ['volumes without size', zookeeper({ managed: { storage: {} } }), 'spec.discovery.zookeeper.managed.storage.size', /Required value/],
  [
    'volumes for nothing',
    zookeeper({ managed: { storage: { size: '1Mi' } } }),
    'spec.discovery.zookeeper.managed.storage',
    /size is below 64Mi/,
  ],
  ['a creator without name', zookeeper({ hosts: 'a', acl: 'creator' }), 'spec.discovery.zookeeper', /nobody would be the creator/],
  [
    'a login in two places',
    zookeeper({ hosts: 'a', auth: 'a:b', authSecret: { name: 'a' } }),
    'spec.discovery.zookeeper',
    /both auth and authSecret are given/,
  ],
  ['a login without password', zookeeper({ hosts: 'a', auth: 'kim' }), 'spec.discovery.zookeeper.auth', /allowed: user:password/],
  ['a root that is no path', zookeeper({ hosts: 'a', root: 'kim' }), 'spec.discovery.zookeeper.root', /allowed: a path like/],
  [
    'a primary that is not there',
    { discovery: { primary: 'zookeeper', kubernetes: {} } },
    'spec.discovery',
    /primary names a directory that is not given/,
  ],
  [
    'a fallback that is not there',
    { discovery: { fallback: 'kubernetes', zookeeper: { hosts: 'a' } } },
    'spec.discovery',
    /fallback names a directory/,
  ],
  [
    'one directory twice',
    { discovery: { primary: 'kubernetes', fallback: 'kubernetes', kubernetes: {} } },
    'spec.discovery',
    /fallback is the same as primary/,
  ],
  ['a store without Secret', { stores: { redis: {} } }, 'spec.stores.redis.secretRef', /Required value/],
  [
    'a Secret with capitals',
    { stores: { mysql: { secretRef: { name: 'Shop' } } } },
    'spec.stores.mysql.secretRef.name',
    /allowed: the name of a Secret/,
  ],
  ['a policy as a word', { networkPolicy: 'on' }, 'spec.networkPolicy', /must be of type object/],
  [
    'a scrape too often',
    { monitoring: { serviceMonitor: { interval: '1ms' } } },
    'spec.monitoring.serviceMonitor.interval',
    /milliseconds from 1000/,
  ],
  ['an end that is unknown', { deletionPolicy: 'Never' }, 'spec.deletionPolicy', /supported values/],
];

/** Changes that are refused: what there was, what there is to be, and what has to be said. */
export const badChanges: readonly (readonly [what: string, from: Part, to: Part, reason: RegExp])[] = [
  [
    'another size of ZooKeeper',
    zookeeper({ managed: { replicas: 1 } }),
    zookeeper({ managed: { replicas: 3 } }),
    /replicas of a ZooKeeper are fixed/,
  ],
  [
    'the default size of ZooKeeper',
    zookeeper({ managed: { replicas: 1 } }),
    zookeeper({ managed: {} }),
    /replicas of a ZooKeeper are fixed/,
  ],
  [
    'volumes for a ZooKeeper that had none',
    zookeeper({ managed: {} }),
    zookeeper({ managed: { storage: { size: '1Gi' } } }),
    /storage can not be added or removed/,
  ],
  [
    'no volumes for a ZooKeeper that had some',
    zookeeper({ managed: { storage: { size: '1Gi' } } }),
    zookeeper({ managed: {} }),
    /storage can not be added or removed/,
  ],
  [
    'larger volumes',
    zookeeper({ managed: { storage: { size: '1Gi' } } }),
    zookeeper({ managed: { storage: { size: '2Gi' } } }),
    /size can not be changed/,
  ],
  [
    'another class of volumes',
    zookeeper({ managed: { storage: { size: '1Gi', className: 'a' } } }),
    zookeeper({ managed: { storage: { size: '1Gi', className: 'b' } } }),
    /className can not be changed/,
  ],
  [
    'a class for volumes that had none',
    zookeeper({ managed: { storage: { size: '1Gi' } } }),
    zookeeper({ managed: { storage: { size: '1Gi', className: 'b' } } }),
    /className can not be changed/,
  ],
  [
    'another load balancer',
    gate({ service: { type: 'LoadBalancer', loadBalancerClass: 'a' } }),
    gate({ service: { type: 'LoadBalancer', loadBalancerClass: 'b' } }),
    /loadBalancerClass can not be changed/,
  ],
];

/** Changes that are not: these things may become anything. */
export const goodChanges: readonly (readonly [what: string, from: Part, to: Part])[] = [
  ['a ZooKeeper elsewhere', zookeeper({ managed: { replicas: 1 } }), zookeeper({ hosts: 'zk:2181' })],
  ['no ZooKeeper any more', zookeeper({ managed: { replicas: 1 } }), { discovery: { kubernetes: {} } }],
  [
    'volumes that are kept after all',
    zookeeper({ managed: { storage: { size: '1Gi' } } }),
    zookeeper({ managed: { storage: { size: '1Gi', retain: true } } }),
  ],
  [
    'another type of Service and then another load balancer',
    gate({ service: { type: 'LoadBalancer', loadBalancerClass: 'a' } }),
    gate({ service: { type: 'NodePort' } }),
  ],
  ['other numbers of everything', gate({ replicas: 1, workers: 4 }), { gate: { replicas: 9, workers: 1 }, logic: { replicas: 0 } }],
];
