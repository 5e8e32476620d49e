// The dashboard of the chart: clients, traffic, answers, nodes, and the operator at the bottom.

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly kind?: 'stat';
}

/** Grafana puts at least four scrapes in its place, and more when a point on the screen is longer: what is rare is counted over [5m]. */
const RATE = '$__rate_interval';
const NODES = 'namespace=~"$namespace",pod=~"$pod"';
/** Links of other nodes are connections, too. */
const CLIENTS = `kim_node_connections{${NODES}} - ignoring (direction) kim_node_links{${NODES},direction="incoming"}`;
const q = (expr: string, legend: string): Query => ({ expr, legend });
/** Each operator tells of each KimCluster; their own namespaces stand in either label. */
const clustersBy = (type: string, value: number) =>
  `count by (reason) (max by (exported_namespace, namespace, name, reason) (kimserver_cluster_condition{type="${type}"}) == ${value})`;
const panel = (title: string, unit: string, description: string, ...queries: readonly Query[]): Panel => ({
  title,
  unit,
  description,
  queries,
});
const stat = (title: string, unit: string, description: string, expr: string): Panel => ({
  title,
  unit,
  description,
  queries: [q(expr, '')],
  kind: 'stat',
});

const rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'Now',
    panels: [
      stat('Clients', 'short', 'Their connections', `sum(${CLIENTS})`),
      stat('Users', 'short', 'Users whose clients are connected', `sum(kim_node_users{${NODES}})`),
      stat('Requests', 'reqps', 'Requests answered each second', `sum(rate(kim_node_requests_total{${NODES}}[${RATE}]))`),
      stat('Nodes ready', 'short', 'Nodes that take clients', `sum(kim_ready{${NODES}})`),
      stat('Draining', 'short', 'Nodes that leave', `sum(kim_state{${NODES},state="draining"})`),
      stat('Workers', 'short', 'Worker processes that serve', `sum(kim_workers{${NODES},state="serving"})`),
    ],
  },
  {
    title: 'Clients',
    panels: [
      panel('Clients by node', 'short', 'Gates far apart for long: not spread anew', q(CLIENTS, '{{pod}}')),
      panel(
        'New and ended connections',
        'cps',
        'A jump is a storm of reconnects',
        q(`sum(rate(kim_node_connections_accepted_total{${NODES}}[${RATE}]))`, 'new'),
        q(`sum by (reason) (rate(kim_node_connections_closed_total{${NODES}}[${RATE}]))`, 'ended: {{reason}}'),
        q(`sum by (reason) (rate(kim_node_connections_refused_total{${NODES}}[${RATE}]))`, 'refused: {{reason}}'),
      ),
      panel(
        'Limits that take effect',
        'ops',
        'The limit that grows is the one to raise, or the one that protects',
        q(`sum by (limit) (rate(kim_node_limit_hits_total{${NODES}}[5m]))`, '{{limit}}'),
      ),
      panel(
        'Pushes',
        'ops',
        'Messages to users, by what came of them',
        q(`sum by (result) (rate(kim_node_pushes_total{${NODES}}[${RATE}]))`, '{{result}}'),
      ),
    ],
  },
  {
    title: 'Answers',
    panels: [
      panel(
        'Requests by command',
        'reqps',
        'The load',
        q(`topk(10, sum by (command) (rate(kim_node_requests_total{${NODES}}[${RATE}])))`, '{{command}}'),
      ),
      panel(
        'Failed requests by code',
        'reqps',
        'docs/faults.md says what to do about each code',
        q(`sum by (code) (rate(kim_node_requests_total{${NODES},code!="0"}[${RATE}]))`, '{{code}}'),
        q(`sum by (code) (rate(kim_node_relayed_requests_total{${NODES},code!="0"}[${RATE}]))`, 'relayed: {{code}}'),
      ),
      panel(
        'Time to answer',
        's',
        'From the bytes read to the reply handed to the socket',
        ...[0.5, 0.99].map((share) =>
          q(
            `histogram_quantile(${share}, sum by (le) (rate(kim_node_request_duration_seconds_bucket{${NODES}}[${RATE}])))`,
            `${share * 100} %`,
          ),
        ),
      ),
      panel(
        'Time to answer by other nodes',
        's',
        'Minus the time of the node that answers: the way between them',
        q(`histogram_quantile(0.99, sum by (route, le) (rate(kim_node_relay_duration_seconds_bucket{${NODES}}[${RATE}])))`, '{{route}}'),
      ),
    ],
  },
  {
    title: 'Nodes',
    panels: [
      panel(
        'Processors',
        'short',
        'Near 1 for a worker is a full core',
        q(`topk(10, rate(kim_process_cpu_seconds_total{${NODES}}[${RATE}]))`, '{{pod}} {{worker}}'),
      ),
      panel(
        'Memory',
        'bytes',
        'Rising while the connections do not: a leak',
        q(`sum by (pod) (kim_process_resident_memory_bytes{${NODES}})`, '{{pod}}'),
      ),
      panel(
        'Delay of the event loop',
        's',
        'Above 0.1 everybody on that node waits',
        q(`kim_node_event_loop_lag_seconds{${NODES}}`, '{{pod}}'),
      ),
      panel(
        'Links between nodes',
        'short',
        'Falling without a rollout: nodes or the network are gone',
        q(`sum by (pod) (kim_links{${NODES}})`, '{{pod}}'),
      ),
      panel('Members each node knows', 'short', 'Has to be the same on all', q(`sum by (pod) (kim_members{${NODES}})`, '{{pod}}')),
      panel('Directories', 'short', '0: lost', q(`kim_directory_up{${NODES}}`, '{{pod}} {{directory}}')),
    ],
  },
  {
    title: 'Operator',
    panels: [
      panel(
        'KimClusters that are not ready',
        'short',
        'docs/troubleshooting.md says what each reason means',
        q(clustersBy('Ready', 0), '{{reason}}'),
      ),
      panel('KimClusters that need a person', 'short', 'What to do stands there, too', q(clustersBy('Degraded', 1), '{{reason}}')),
      panel(
        'Reconciles',
        'ops',
        'By what came of them',
        q('sum by (result) (rate(controller_runtime_reconcile_total{controller=~"kim.*"}[5m]))', '{{result}}'),
      ),
      panel(
        'Time of a reconcile',
        's',
        '99 of 100 take less',
        q(
          'histogram_quantile(0.99, sum by (le) (rate(controller_runtime_reconcile_time_seconds_bucket{controller=~"kim.*"}[5m])))',
          '99 %',
        ),
      ),
      panel(
        'Changes put right',
        'ops',
        'Somebody else changes what the operator owns',
        q('sum by (kind) (rate(kimserver_drift_corrections_total[5m]))', '{{kind}}'),
      ),
      panel(
        'Watches that began anew',
        'ops',
        'A few in an hour are usual',
        q('sum by (kind) (rate(kimserver_watch_restarts_total[5m]))', '{{kind}}'),
      ),
    ],
  },
];

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 24;
const HEIGHTS = { stat: 4, graph: 8 };

/** What Grafana imports. */
export function dashboard(): object {
  let y = 0;
  let id = 0;
  const panels = rows.flatMap(({ title, panels: inner }) => {
    const isStats = inner.every(({ kind }) => kind === 'stat');
    const columns = isStats ? inner.length : 2;
    const height = isStats ? HEIGHTS.stat : HEIGHTS.graph;
    const width = WIDTH / columns;
    const head = { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y: y++, w: WIDTH, h: 1 }, panels: [] };
    const placed = inner.map((one, index) => {
      const gridPos = { x: (index % columns) * width, y: y + Math.floor(index / columns) * height, w: width, h: height };
      return { id: ++id, gridPos, ...body(one) };
    });
    y += Math.ceil(inner.length / columns) * height;
    return [head, ...placed];
  });
  return {
    uid: 'kimserver',
    title: 'kimserver',
    tags: ['kimserver'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        datasource(),
        variable('namespace', 'label_values(kim_info, namespace)'),
        variable('pod', 'label_values(kim_info{namespace=~"$namespace"}, pod)'),
      ],
    },
    panels,
  };
}

function body({ title, description, unit, queries, kind }: Panel): object {
  const lines = { drawStyle: 'line', fillOpacity: 10, lineWidth: 1, showPoints: 'never' };
  return {
    type: kind ?? 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, min: 0, ...(kind === undefined && { custom: lines }) }, overrides: [] },
    options:
      kind === 'stat'
        ? { colorMode: 'value', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
  };
}

function datasource(): object {
  return { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

function variable(name: string, query: string): object {
  return {
    name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    includeAll: true,
    multi: true,
    allValue: '.*',
    refresh: 2,
  };
}

/** The panels of all rows, for tests and for the picture. No two have the same title. */
export const dashboardPanels: readonly Panel[] = rows.flatMap(({ panels }) => panels);
