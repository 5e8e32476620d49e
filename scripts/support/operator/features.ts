// What operators of good repute do, what this one does of it, and the tests that prove it. A table of docs/operator.md is made from it.

/** File and exact name of a test; what a name is put together from stands in it as it is printed. */
export type Proof = readonly [file: string, name: string];

export interface Feature {
  readonly what: string;
  /** part: `how` says which part there is not. no: `how` says why. */
  readonly here: 'yes' | 'part' | 'no';
  readonly how: string;
  readonly proofs: readonly Proof[];
}

const ENGINE = 'test/unit/operator/engine';
const PLAN = 'test/unit/operator/plan';

const yes = (what: string, how: string, ...proofs: Proof[]): Feature => ({ what, here: 'yes', how, proofs });
const part = (what: string, how: string, ...proofs: Proof[]): Feature => ({ what, here: 'part', how, proofs });
const no = (what: string, how: string): Feature => ({ what, here: 'no', how, proofs: [] });
/** Kept as a golden file of this name. */
const plan = (name: string): Proof => [`${PLAN}/doings.test.ts`, `plan: ${name}`];
const objects = (name: string): Proof => [`${PLAN}/objects.test.ts`, `objects: ${name}`];
const chart = (name: string): Proof => ['test/chart/golden.test.ts', `values of "${name}" render as they did, with Helm 4 and 3`];

const releases: Proof = [`${PLAN}/releases.test.ts`, 'this operator replaces no pod of release 0.1.0: quickstart.yaml'];
const edits: Proof = ['test/kube/e2e-operator.test.ts', 'what people change by hand is put right, counted and told'];
const helmRelease: Proof = [
  'test/kube/chart-release.test.ts',
  'helm: install, test, upgrade, rollback, uninstall and install again; a client stays connected all the time, and no pod of its cluster is touched',
];
const autoscaled: Proof = [
  'test/kube/e2e-scale.test.ts',
  'an autoscaler on the KimCluster makes and drains gates; of one on the Deployment it is said what to do',
];
const upgraded: Proof = [
  'test/kube/chart.test.ts',
  'helm3 installs a release, helm upgrades it, rolls it back and removes it; clusters and the key stay',
];
const olderDefinition: Proof = [
  'test/unit/operator/definition.test.ts',
  'an older definition, or none, is refused with the command that cures it',
];

/** In the order in which operators are compared by them. */
export const features: readonly Feature[] = [
  yes(
    'shared cache and keyed queue',
    'one copy of each kind, found by key, namespace and owner; each KimCluster is in the queue once',
    [`${ENGINE}/store.test.ts`, 'objects are found by key, by namespace and by whom they matter to, each kind apart'],
    [`${ENGINE}/queue.test.ts`, 'a key that is added many times is handed out once'],
  ),
  yes('exponential backoff per key', 'from 200 ms to 5 min, each wait a little different', [
    `${ENGINE}/queue.test.ts`,
    'failures wait twice as long each time, up to a limit, and a success forgets them',
  ]),
  yes('coalescing of events', 'what happens within 50 ms, or while the key is being looked at, is one look', [
    `${ENGINE}/controller.test.ts`,
    'many changes become few looks, and nothing is written when nothing changes',
  ]),
  yes('watches owned children', 'every kind that it applies, by label, and pods and autoscalers too', [
    'test/kube/engine.test.ts',
    'what somebody changes or deletes is put right, counted and told; what is not ours is left alone',
  ]),
  yes('periodic full resync', 'every 10 min, more or less; every 30 s for what only nodes know', [
    `${ENGINE}/controller.test.ts`,
    'it ends up the same without a single event, by looking again from time to time',
  ]),
  yes('server-side apply', 'for everything that is applied, the status included, and only when something differs', [
    `${ENGINE}/apply.test.ts`,
    'an object is made, left alone while it is as wanted, and changed with what is wanted',
  ]),
  yes(
    'own field manager, conflicts reported',
    'tried without force first; the event names the other manager, and who goes on changing an object is fought more and more seldom',
    ['test/kube/engine.test.ts', 'a field that another manager has applied is taken back from it, and it is said from whom'],
  ),
  yes(
    'stale-cache guard',
    'a key waits until the copy has seen what was written for it',
    [`${ENGINE}/store.test.ts`, 'what we wrote has to be seen before the key is acted upon'],
    [`${ENGINE}/controller.test.ts`, 'what the copy has not seen is not acted upon'],
  ),
  yes('owner references', 'on everything, as the controller; what has another one is not touched', [
    'test/kube/engine.test.ts',
    'what is wanted comes and changes with what it is made from, and belongs to it',
  ]),
  yes(
    'finalizers',
    'only with `deletionPolicy: Drain`, for ten minutes at most; `kimserver.io/force-delete` skips it',
    [
      'test/kube/e2e-operator.test.ts',
      'a KimCluster that is deleted drains first if it says so, leaves nothing, and can be made anew at once',
    ],
    plan('deleted with drain after ten minutes'),
  ),
  yes('pause by annotation', '`kimserver.io/pause`: nothing but the status is written', plan('paused')),
  yes(
    'conditions',
    'seven, all of them always there; their times move when they turn',
    [`${ENGINE}/events.test.ts`, 'a condition keeps its time until its status turns'],
    plan('nothing to do'),
  ),
  yes('observedGeneration', 'of the status and of each condition', [
    'test/kube/engine.test.ts',
    'what is wanted comes and changes with what it is made from, and belongs to it',
  ]),
  yes(
    'Kubernetes Events',
    '`events.k8s.io/v1`; repetitions are counted, no object floods the others, a server that is away is tried again',
    [`${ENGINE}/events.test.ts`, 'the same event again is counted, not written anew'],
    edits,
  ),
  yes('printer columns', 'gates, logic nodes, workers, connections, draining, discovery, ready, reason, version, age', [
    'test/kube/crd.test.ts',
    'the status is written beside the spec, and is what people see',
  ]),
  yes('short names', '`kim`', ['test/kube/crd.test.ts', 'the status is written beside the spec, and is what people see']),
  yes('categories', '`kimserver`', ['test/kube/crd.test.ts', 'the status is written beside the spec, and is what people see']),
  yes('scale subresource', 'of the gates', ['test/kube/crd.test.ts', 'the number of gates can be read and set where autoscalers do']),
  yes(
    'scale with selector, ready for autoscalers',
    'of the gates; one that aims at a Deployment instead is told how it is meant',
    ['test/kube/crd.test.ts', 'the number of gates can be read and set where autoscalers do'],
    autoscaled,
    plan('grow while an autoscaler writes the deployment'),
  ),
  no(
    'creates an HPA, or has an autoscaler of its own',
    'an HPA or KEDA aims at `/scale` of the KimCluster, so that gates drain before they go; what to scale by is for whoever knows the load',
  ),
  yes('CEL validation', 'with a sentence for each rule; files are judged by the same rules without a cluster', [
    'test/kube/crd.test.ts',
    'what files may not hold is refused, with the field and the reason',
  ]),
  yes('immutability by transition rule', 'size and storage of ZooKeeper; another directory only with one in common', [
    'test/kube/crd.test.ts',
    'what is fixed when a cluster is made can not be changed, and everything else can',
  ]),
  no('admission webhook', 'CEL rules say the same without certificates, and when the operator is away'),
  no('conversion webhook', 'there is one version; fields are added and never change their meaning'),
  yes(
    'leader election (Lease)',
    'expiry is judged by the own clock; every write asks whether it is still the leader',
    [`${ENGINE}/lease.test.ts`, 'another takes it when it has not changed for its duration, by its own clock'],
    ['test/kube/engine-faults.test.ts', 'a leader that stood still until another took over writes nothing more when it goes on'],
  ),
  yes('lease released on stop', 'the next one begins at once', [
    'test/kube/engine-faults.test.ts',
    'a leader that is told to stop hands over at once',
  ]),
  yes(
    'controller metrics',
    "by controller-runtime's names, all of them 0 at the start; panics, timeouts and waits for the rate limit apart",
    [`${ENGINE}/health.test.ts`, 'the page of metrics has the names of controller-runtime, with zeros from the start'],
  ),
  yes(
    'liveness that tests the loops',
    'watches, reconcile loops and the lease: what stands still fails `/livez`',
    [`${ENGINE}/health.test.ts`, 'a controller is ready when everything has been listed, and alive as long as its loops go round'],
    [`${ENGINE}/runner.test.ts`, 'keys that wait though nobody is busy make the process unhealthy'],
  ),
  yes(
    'ServiceMonitor or PodMonitor in the chart',
    'for the operator by the chart, for nodes by the KimCluster',
    chart('monitoring'),
    objects('service monitor'),
  ),
  yes(
    'Grafana dashboards',
    'one, and alerts; a real Prometheus answers what they ask, and each alert is tried',
    ['test/chart/prometheus.test.ts', 'every panel has numbers, but for those of what is wrong'],
    ['test/chart/alerts.test.ts', 'each alert has its cases'],
    chart('monitoring'),
  ),
  yes(
    'NetworkPolicy for operands',
    'each tier and ZooKeeper; on unless `spec.networkPolicy.enabled` is false',
    objects('network of known peers'),
  ),
  yes('NetworkPolicy for the operator', 'off by default: where the API server is, only the user knows', chart('network-policy')),
  yes('PodDisruptionBudget for operands', 'each tier and ZooKeeper', objects('without policies and budgets'), [
    'test/kube/e2e-change.test.ts',
    'a machine is drained and comes back, and no client notices',
  ]),
  yes('restricted pod security by default', 'operator, nodes and ZooKeeper', [
    'test/kube/chart.test.ts',
    'whatever values it gets, the API server accepts all of it, and restricted pod security has nothing to say',
  ]),
  yes('topology spread passed on', 'and a default by node and zone', objects('template of the user')),
  yes('one namespace, several, or all', 'a Role in each of those that are listed, or a ClusterRole', [
    'test/kube/chart-release.test.ts',
    'an operator for two namespaces looks after these with Roles alone, and leaves a third one as it is',
  ]),
  yes('what changes in the configuration rolls pods', 'only options that need a new process; in ConfigMaps named after their contents', [
    'test/kube/e2e-change.test.ts',
    'a new image, and an option that needs new processes, come to all pods, and no client notices',
  ]),
  yes('hot reload where it can be', 'workers, limits, modules: told to running pods', [
    'test/kube/e2e-scale.test.ts',
    'workers change in running pods, and a limit too; no pod is replaced and no client notices',
  ]),
  yes('graceful drain of connections', 'between a reply and the next request; clients that know MOVE go on elsewhere', [
    'test/kube/image.test.ts',
    'a gate of the image serves clients through a NodePort under restricted pod security, and drains when its pod is deleted',
  ]),
  yes('paced disconnection', 'by what the others can take', [
    'test/node/drain.test.ts',
    'idle clients are ended at a pace, and those whose turn has not come are still answered',
  ]),
  yes('drain before an ordinary scale-down', 'gates and logic nodes', [
    'test/kube/e2e-scale.test.ts',
    'gates go from 1 to 3 to 2: the one that leaves moves its clients first',
  ]),
  yes(
    'victim chosen by load',
    'the one that is not ready, else the one with the fewest connections',
    ['test/kube/plan-controllers.test.ts', 'a ReplicaSet removes just the gates that were drained, those with the fewest connections'],
    plan('shrink 1 the one with the fewest connections drains'),
  ),
  yes(
    'unsafe scale-down blocked',
    'when the connections would not fit into the gates that stay',
    plan('shrink 1 refused because it does not fit'),
  ),
  no(
    'readiness gates',
    'a node says itself whether it is ready, and says no while it drains; a condition that the operator had to set would keep new pods out while it is away',
  ),
  yes('PVC retention policy', 'storage of ZooKeeper goes with the KimCluster, or stays', [
    'test/kube/zookeeper.test.ts',
    'ZooKeeper servers with storage have volumes that go with the KimCluster',
  ]),
  no('paced rollouts after an upgrade of the operator', 'there is nothing to pace: a new operator replaces no pod of any release before'),
  yes('values.schema.json', 'wrong values are refused by their name', [
    'test/chart/values.test.ts',
    'helm refuses wrong values and says where and why',
  ]),
  yes(
    'an answer to CRD upgrades in Helm',
    'the CRD is a template that is kept on uninstall; an operator that is newer than it says what to do',
    upgraded,
    olderDefinition,
  ),
  yes('helm test', 'makes a small KimCluster, speaks through a gate, removes it', helmRelease),
  yes('chart unit tests', 'a golden file for each set of values, rendered by Helm 4 and 3', chart('default')),
  yes('extra objects', '`extraObjects`; pods of nodes by `template`', chart('extra'), objects('template of the user')),
  yes('tests on a real API server', 'of the version that is current, with controllers and two nodes', [
    'test/kube/operator.test.ts',
    'a KimCluster becomes gates and logic nodes, and clients from outside are answered',
  ]),
  yes(
    'upgrade tests',
    'pod templates of every release are kept; the chart goes up, down and from Helm 3 to 4',
    releases,
    helmRelease,
    upgraded,
  ),
  yes(
    'fault tests',
    'the operator dies after any of its requests; the API server cuts, stalls, refuses, truncates, reorders, freezes and goes away',
    [
      `${ENGINE}/controller.test.ts`,
      'a process that dies after any of its requests leaves nothing that the next one can not finish, and nothing is made twice',
    ],
    [
      `${ENGINE}/chaos.property.test.ts`,
      'whatever fails, is edited or dies in between, it comes to rest with what is wanted, and writes nothing more',
    ],
    [
      `${PLAN}/plan.property.test.ts`,
      'whatever is edited, and whenever the operator dies, the cluster comes to rest as the spec says, and no gate is scaled away before it has drained',
    ],
    ['test/kube/engine-faults.test.ts', 'an API server that is killed or frozen is followed again as soon as it is back'],
  ),
];

/** What is rare, or was nowhere to be found. */
export const chances: readonly Feature[] = [
  yes(
    'one drain for fewer pods, rollouts, node drains and deletion',
    'the same code in the node, whoever asks',
    plan('shrink 2 drains'),
    plan('rollout 5 waits until an old one has drained'),
    plan('a machine is drained'),
    plan('deleted with drain 2 drains'),
  ),
  yes(
    'refuses to shrink when connections would not fit',
    'the condition says by how many; `kimserver.io/force-scale` overrides',
    plan('shrink 1 refused because it does not fit'),
  ),
  yes(
    'a rollout that watches and pauses itself',
    'failed replies and broken connections of new pods against those of old ones, restarts, readiness',
    plan('rollout stalls because requests fail'),
    plan('rollout stalls because pods crash'),
  ),
  yes('checks at the start whether the CRD is new enough', 'it ends with the command that cures it', olderDefinition),
  yes('an upgrade of the operator changes no pod template', 'those of every release are made again', releases),
  yes('drift as a metric and as an event that names who', '`kimserver_drift_corrections_total`, event `Corrected`', edits, [
    `${ENGINE}/apply.test.ts`,
    'what somebody else changed is put right and told',
  ]),
  yes(
    'health of watches as liveness and metric',
    '`kimserver_watch_last_event_seconds`, `_restarts_total`, `_relists_total`; a watch that stands still fails `/livez`',
    [`${ENGINE}/health.test.ts`, 'watches of one kind in several namespaces are one row of the page'],
    ['test/kube/engine-faults.test.ts', 'an API server that is killed or frozen is followed again as soon as it is back'],
  ),
  part(
    'autoscaling of two tiers with the drain in the path',
    'gates; a kind has one `/scale`, so logic nodes are scaled by `spec.logic.replicas`',
    autoscaled,
  ),
  yes(
    'a plan before anything is applied',
    '`kim plan -f FILE --against cluster`, or the annotation `kimserver.io/dry-run`',
    ['test/kube/plan.test.ts', 'kim plan --against cluster says what would change, and nothing where everything is as the file says'],
    plan('dry run'),
  ),
  yes(
    'end-to-end tests with real clients on a plain machine',
    'several hundred of them while everything changes; with real containers on two nodes',
    ['test/kube/e2e-scale.test.ts', 'gates go from 1 to 3 to 2: the one that leaves moves its clients first'],
  ),
  yes(
    'in TypeScript: queue, lease, reflector and server-side apply',
    'the engine knows nothing of gates; a controller of gardens proves it',
    ['test/kube/engine.test.ts', 'nothing is asked and nothing written while nothing changes, also by a process that starts anew'],
  ),
];
