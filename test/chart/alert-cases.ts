// For each alert what must make it fire, with the words that people get then, and what is nearly that and must not.

/** Series as promtool writes them: one value a minute, from the first minute on; `a+bxn` rises by b n times. */
export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly fires: readonly {
    readonly series: Series;
    /** Of the alert, beside its name and severity. */
    readonly labels: Readonly<Record<string, string>>;
    readonly summary: string;
  }[];
  readonly silent: readonly Series[];
}

const gate = { namespace: 'shop', pod: 'demo-gate-0' };
const operator = { namespace: 'ops', pod: 'kimserver-5d8c7b-x2x4z' };
const of = (name: string, labels: Readonly<Record<string, string>>) =>
  `${name}{${Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',')}}`;
const ofGate = (name: string, more: Readonly<Record<string, string>> = {}) => of(name, { ...gate, ...more });
const ofOperator = (name: string, more: Readonly<Record<string, string>> = {}) => of(name, { ...operator, ...more });

const lag = (value: number) => ({ [ofGate('kim_node_event_loop_lag_seconds')]: `${value}x60` });
const members = (pod: string, type: string, count: number) => ({
  [of('kim_members', { namespace: 'shop', pod, type, source: 'zookeeper', state: 'serving' })]: `${count}x60`,
});
const requests = (good: number, bad: number) => ({
  [ofGate('kim_node_requests_total', { command: '1001', code: '0' })]: `0+${good}x60`,
  [ofGate('kim_node_requests_total', { command: '1003', code: '7' })]: `0+${bad}x60`,
});
const storm = (each: number, connections: number) => ({
  [ofGate('kim_node_connections_accepted_total')]: `0+${each}x60`,
  [ofGate('kim_node_connections')]: `${connections}x60`,
});
const condition = (labels: Readonly<Record<string, string>>, values: string) => ({
  [of('kimserver_cluster_condition', { pod: operator.pod, name: 'demo', ...labels })]: values,
});

/** Of a condition that is wrong: as one operator tells it, as two do, and where the operator's own namespace stands in front. */
const wrong = (type: string, reason: string, value: number, summary: string): AlertCase => ({
  fires: [
    {
      series: {
        ...condition({ namespace: 'shop', type, reason }, `${value}x60`),
        ...condition({ namespace: 'shop', type, reason, pod: 'another' }, `${value}x60`),
      },
      labels: { namespace: 'shop', name: 'demo', reason },
      summary,
    },
    {
      series: condition({ namespace: 'ops', exported_namespace: 'shop', type, reason }, `${value}x60`),
      labels: { namespace: 'ops', exported_namespace: 'shop', name: 'demo', reason },
      summary,
    },
  ],
  silent: [
    condition({ namespace: 'shop', type, reason }, `${1 - value}x60`),
    condition({ namespace: 'shop', type: 'Progressing', reason }, `${value}x60`),
    condition({ namespace: 'shop', type, reason }, `${value} ${1 - value}x60`),
  ],
});

export const cases: Readonly<Record<string, AlertCase>> = {
  KimserverNodeNotReady: {
    fires: [
      {
        series: { [ofGate('kim_ready')]: '0x60', [ofGate('kim_state', { state: 'draining' })]: '0x60' },
        labels: gate,
        summary: 'shop/demo-gate-0 is not ready',
      },
    ],
    silent: [
      { [ofGate('kim_ready')]: '0x60', [ofGate('kim_state', { state: 'draining' })]: '1x60' },
      { [ofGate('kim_ready')]: '0x8 1x60', [ofGate('kim_state', { state: 'draining' })]: '0x60' },
    ],
  },
  KimserverWorkerCrashes: {
    fires: [
      {
        series: { [ofGate('kim_worker_restarts_total', { worker: '1' })]: '0 0 1x60' },
        labels: { ...gate, worker: '1' },
        summary: 'A worker of shop/demo-gate-0 crashed',
      },
    ],
    silent: [{ [ofGate('kim_worker_restarts_total', { worker: '1' })]: '3x60' }],
  },
  KimserverDirectoryLost: {
    fires: [
      {
        series: { [ofGate('kim_directory_up', { directory: 'zookeeper' })]: '0x60' },
        labels: { ...gate, directory: 'zookeeper' },
        summary: 'shop/demo-gate-0 does not reach the directory zookeeper',
      },
    ],
    silent: [{ [ofGate('kim_directory_up', { directory: 'zookeeper' })]: '0 0 1x60' }],
  },
  KimserverClustersDisagree: {
    fires: [
      {
        series: { ...members('demo-gate-0', 'gate', 2), ...members('demo-gate-0', 'logic', 2), ...members('demo-gate-1', 'gate', 2) },
        labels: { namespace: 'shop' },
        summary: 'Nodes in shop know different clusters',
      },
    ],
    silent: [
      { ...members('demo-gate-0', 'gate', 2), ...members('demo-gate-0', 'logic', 1), ...members('demo-gate-1', 'gate', 3) },
      { ...members('demo-gate-0', 'gate', 2), [of('kim_members', { ...gate, namespace: 'test', type: 'gate' })]: '5x60' },
    ],
  },
  KimserverClientsRefused: {
    fires: [
      {
        series: { [ofGate('kim_node_connections_refused_total', { reason: 'max_clients' })]: '0+3x60' },
        labels: { ...gate, reason: 'max_clients' },
        summary: 'shop/demo-gate-0 turns clients away: max_clients',
      },
    ],
    silent: [
      { [ofGate('kim_node_connections_refused_total', { reason: 'drain' })]: '0+3x60' },
      { [ofGate('kim_node_connections_refused_total', { reason: 'max_clients' })]: '7x60' },
    ],
  },
  KimserverReconnectStorm: {
    fires: [{ series: storm(12_000, 5000), labels: { namespace: 'shop' }, summary: 'Clients in shop connect much faster than usual' }],
    silent: [storm(6000, 5000), storm(2400, 0)],
  },
  KimserverRequestsFail: {
    fires: [{ series: requests(900, 100), labels: { namespace: 'shop' }, summary: 'More than 5 % of the requests in shop fail' }],
    silent: [requests(960, 40), requests(0, 0)],
  },
  KimserverEventLoopLag: {
    fires: [{ series: lag(0.3), labels: gate, summary: 'shop/demo-gate-0 is busy: everything waits longer than 0.25 s' }],
    silent: [lag(0.2)],
  },
  KimserverDrainTooLong: {
    fires: [
      {
        series: { [ofGate('kim_state', { state: 'draining' })]: '1x60' },
        labels: { ...gate, state: 'draining' },
        summary: 'shop/demo-gate-0 has been draining for half an hour',
      },
    ],
    silent: [{ [ofGate('kim_state', { state: 'draining' })]: '1x20 stale' }, { [ofGate('kim_state', { state: 'serving' })]: '1x60' }],
  },
  KimserverClusterNotAvailable: wrong('Available', 'NoGate', 0, 'The KimCluster shop/demo does not serve: NoGate'),
  KimserverClusterDegraded: wrong('Degraded', 'RolloutStalled', 1, 'The KimCluster shop/demo needs a person: RolloutStalled'),
  KimserverOperatorFails: {
    fires: [
      {
        series: { [ofOperator('controller_runtime_reconcile_errors_total', { controller: 'kimcluster' })]: '0+2x60' },
        labels: operator,
        summary: 'The operator ops/kimserver-5d8c7b-x2x4z fails again and again',
      },
    ],
    silent: [
      { [ofOperator('controller_runtime_reconcile_errors_total', { controller: 'kimcluster' })]: '0 5x60' },
      { [ofOperator('controller_runtime_reconcile_errors_total', { controller: 'deployment' })]: '0+2x60' },
    ],
  },
  KimserverOperatorPanics: {
    fires: [
      {
        series: { [ofOperator('controller_runtime_reconcile_panics_total', { controller: 'kimcluster' })]: '0 0 1x60' },
        labels: operator,
        summary: 'The operator ops/kimserver-5d8c7b-x2x4z has a mistake',
      },
    ],
    silent: [
      { [ofOperator('controller_runtime_reconcile_panics_total', { controller: 'kimcluster' })]: '1x60' },
      { [ofOperator('controller_runtime_reconcile_panics_total', { controller: 'deployment' })]: '0 0 1x60' },
    ],
  },
  KimserverWatchStale: {
    fires: [
      {
        series: { [ofOperator('kimserver_watch_restarts_total', { kind: 'v1/Pod' })]: '0+30x60' },
        labels: { ...operator, kind: 'v1/Pod' },
        summary: 'The operator ops/kimserver-5d8c7b-x2x4z hears nothing lasting of v1/Pod',
      },
    ],
    silent: [{ [ofOperator('kimserver_watch_restarts_total', { kind: 'v1/Pod' })]: '0+3x60' }],
  },
  KimserverDrift: {
    fires: [
      {
        series: { [ofOperator('kimserver_drift_corrections_total', { kind: 'Deployment' })]: '0+2x60' },
        labels: { namespace: 'ops', kind: 'Deployment' },
        summary: 'Somebody keeps changing Deployment that the operator owns',
      },
    ],
    silent: [{ [ofOperator('kimserver_drift_corrections_total', { kind: 'Deployment' })]: '0 1x60' }],
  },
};
