// The alerts of the chart: when somebody has to look, and what to do then.

import { markdownTable } from '../../../src/config/markdown.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning' };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const alert = (
  name: string,
  severity: 'critical' | 'warning',
  wait: string,
  expr: string,
  summary: string,
  description: string,
): Alert => ({
  alert: name,
  expr,
  for: wait,
  labels: { severity },
  annotations: { summary, description },
});

const POD = '{{ $labels.namespace }}/{{ $labels.pod }}';
/** Where labels of the operator's metrics do not win (honorLabels), its own namespace stands in their place. */
const CLUSTER = '{{ with $labels.exported_namespace }}{{ . }}{{ else }}{{ $labels.namespace }}{{ end }}/{{ $labels.name }}';
const conditionOf = (type: string) => `max by (exported_namespace, namespace, name, reason) (kimserver_cluster_condition{type="${type}"})`;

export const alerts: readonly Alert[] = [
  alert(
    'KimserverNodeNotReady',
    'critical',
    '10m',
    'kim_ready == 0 and on (namespace, pod) kim_state{state="draining"} == 0',
    `${POD} is not ready`,
    'It takes no new clients. kubectl exec POD -- kim status 127.0.0.1:ADMINPORT tells the reasons.',
  ),
  alert(
    'KimserverWorkerCrashes',
    'warning',
    '0m',
    'increase(kim_worker_restarts_total[15m]) > 0',
    `A worker of ${POD} crashed`,
    'Its clients saw a close. The log of the pod has its last words.',
  ),
  alert(
    'KimserverDirectoryLost',
    'warning',
    '5m',
    'kim_directory_up == 0',
    `${POD} does not reach the directory {{ $labels.directory }}`,
    'What is known stays known, but nodes that come now are not seen. kubectl describe kimcluster tells how the directory is.',
  ),
  alert(
    'KimserverClustersDisagree',
    'warning',
    '10m',
    'max by (namespace) (sum by (namespace, pod) (kim_members)) - min by (namespace) (sum by (namespace, pod) (kim_members)) > 0',
    'Nodes in {{ $labels.namespace }} know different clusters',
    'Some have lost their directory, or the network is divided. Several KimClusters of one namespace disagree by nature: disable the alert there.',
  ),
  alert(
    'KimserverClientsRefused',
    'warning',
    '5m',
    'sum by (namespace, pod, reason) (rate(kim_node_connections_refused_total{reason!="drain"}[5m])) > 0',
    `${POD} turns clients away: {{ $labels.reason }}`,
    'Raise the limit that the reason names (docs/metrics.md), or add workers or gates.',
  ),
  alert(
    'KimserverReconnectStorm',
    'warning',
    '2m',
    'sum by (namespace) (rate(kim_node_connections_accepted_total[2m])) > 0.02 * sum by (namespace) (kim_node_connections) + 50',
    'Clients in {{ $labels.namespace }} connect much faster than usual',
    'More than one in fifty of all connections is new each second. kim_node_connections_closed_total tells why the others ended.',
  ),
  alert(
    'KimserverRequestsFail',
    'warning',
    '10m',
    'sum by (namespace) (rate(kim_node_requests_total{code!="0"}[5m])) > 0.05 * sum by (namespace) (rate(kim_node_requests_total[5m]))',
    'More than 5 % of the requests in {{ $labels.namespace }} fail',
    'kim_node_requests_total by command and code tells which; docs/faults.md what to do about each code.',
  ),
  alert(
    'KimserverEventLoopLag',
    'warning',
    '10m',
    'kim_node_event_loop_lag_seconds > 0.25',
    `${POD} is busy: everything waits longer than 0.25 s`,
    'A handler computes too long, or the pod has too little CPU. More workers, more nodes, or a higher limit.',
  ),
  alert(
    'KimserverDrainTooLong',
    'warning',
    '30m',
    'kim_state{state="draining"} == 1',
    `${POD} has been draining for half an hour`,
    'kubectl get kimcluster tells how many connections are left; spec.gate.drain.seconds ends it.',
  ),
  alert(
    'KimserverClusterNotAvailable',
    'critical',
    '2m',
    `${conditionOf('Available')} == 0`,
    `The KimCluster ${CLUSTER} does not serve: {{ $labels.reason }}`,
    'kubectl describe kimcluster says what its pods wait for; docs/troubleshooting.md what to do about each reason.',
  ),
  alert(
    'KimserverClusterDegraded',
    'warning',
    '5m',
    `${conditionOf('Degraded')} == 1`,
    `The KimCluster ${CLUSTER} needs a person: {{ $labels.reason }}`,
    'docs/troubleshooting.md says what to do about each reason; kubectl describe kimcluster has the whole sentence.',
  ),
  alert(
    'KimserverOperatorFails',
    'warning',
    '15m',
    'sum by (namespace, pod) (rate(controller_runtime_reconcile_errors_total{controller=~"kim.*"}[5m])) > 0',
    `The operator ${POD} fails again and again`,
    'Its log and the events of the KimClusters tell why. Clusters run on as they are.',
  ),
  alert(
    'KimserverOperatorPanics',
    'warning',
    '0m',
    'sum by (namespace, pod) (increase(controller_runtime_reconcile_panics_total{controller=~"kim.*"}[15m])) > 0',
    `The operator ${POD} has a mistake`,
    'It goes on with everything else and tries again. Its log has the place in the program (stack) and the KimCluster: please report both.',
  ),
  alert(
    'KimserverWatchStale',
    'critical',
    '10m',
    'sum by (namespace, pod, kind) (rate(kimserver_watch_restarts_total[5m])) > 0.2',
    `The operator ${POD} hears nothing lasting of {{ $labels.kind }}`,
    'Its watches end at once: the API server is overloaded, or a right is missing.',
  ),
  alert(
    'KimserverDrift',
    'warning',
    '30m',
    'sum by (namespace, kind) (rate(kimserver_drift_corrections_total[10m])) > 0.01',
    'Somebody keeps changing {{ $labels.kind }} that the operator owns',
    'The events of the KimCluster name who. Change the KimCluster instead, or let the other one leave the object alone.',
  ),
];

/** Names, severities and meanings, for the README. */
export function alertsTable(): string {
  return markdownTable(
    ['alert', 'severity', 'after', 'what to do'],
    alerts.map(({ alert: name, labels, for: wait, annotations }) => [
      `\`${name}\``,
      labels.severity,
      wait === '0m' ? 'at once' : wait,
      annotations.description,
    ]),
  );
}
