// What "kubectl kim status" shows of one KimCluster: what it has, each pod, what is going on and what to do. Pure.

import { COMPONENT_LABEL, marks } from '../../operator/plan/names.ts';
import type { KimClusterStatus, TierStatus } from '../../operator/status-types.ts';
import { labelled } from '../labelled.ts';
import { ratesOf, type NodeRates } from '../rates.ts';
import { age, perSecond, printable, table, whole, type Column, type Paint } from '../terminal.ts';
import { nextOf, nowOf, wrongOf } from './advice.ts';
import type { PodLook } from './ask.ts';
import type { ClusterObject } from './objects.ts';

export interface ClusterView {
  readonly cluster: ClusterObject;
  readonly pods: readonly PodLook[];
  /** The looks before, for what happens per second. */
  readonly before: readonly PodLook[];
}

/** Of a node, what is looked at; undefined where nobody answered. */
interface PodNumbers {
  readonly workers: number | undefined;
  readonly clients: number | undefined;
  readonly requestsPerSecond: number | undefined;
}

export interface PodRow extends PodNumbers {
  readonly tier: string;
  readonly pod: string;
  readonly node: string;
  readonly state: string;
  readonly ready: boolean;
  readonly version: string;
  readonly revision: string;
  readonly ageSeconds: number;
  readonly problem: string | undefined;
}

/** `now` is in milliseconds since 1970. */
export function statusBlock(view: ClusterView, now: number, paint: Paint): string[] {
  const { cluster, pods } = view;
  const { metadata, status } = cluster;
  const rows = podRows(view, now);
  const isReady = conditionOf(status, 'Ready')?.status === 'True';
  const silent = rows.flatMap(({ pod, problem }) => (problem === undefined ? [] : [`${pod}: ${problem}`]));
  const wrong = wrongOf(status);
  return [
    `${paint('bold', metadata.name)} (namespace ${metadata.namespace})  ${paint(isReady ? 'green' : 'yellow', isReady ? 'ready' : 'not ready')}` +
      `  version ${status?.versions?.current ?? '-'}  age ${age(secondsSince(metadata.creationTimestamp, now))}`,
    ...tierLines('gates', status?.gate, 'connection'),
    ...tierLines('logic nodes', status?.logic, undefined),
    ...(status?.endpoint === undefined ? [] : labelled('clients', `connect to ${status.endpoint}`)),
    ...discoveryLines(status),
    '',
    ...(rows.length === 0 ? ['no pods yet'] : podTable(rows, paint)),
    '',
    ...items('now', nowOf(cluster, pods, now)),
    ...wrong.flatMap((line) => items('wrong', [line]).map((text) => paint('yellow', text))),
    ...items('not asked', sameOnce(silent)).map((text) => paint('yellow', text)),
    ...items('next', nextOf(cluster)),
  ];
}

/** The same as data. */
export function statusJson(view: ClusterView, now: number): object {
  const { cluster, pods } = view;
  const { metadata, status } = cluster;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    ready: conditionOf(status, 'Ready')?.status === 'True',
    generation: metadata.generation,
    pods: podRows(view, now),
    now: nowOf(cluster, pods, now),
    wrong: wrongOf(status),
    next: nextOf(cluster),
    status,
  };
}

export function conditionOf(status: KimClusterStatus | undefined, type: string) {
  return status?.conditions?.find((one) => one.type === type);
}

function tierLines(label: string, tier: TierStatus | undefined, clients: 'connection' | undefined): string[] {
  if (tier === undefined) return [];
  const parts = [
    `${whole(tier.ready)} of ${whole(tier.replicas)} ready`,
    ...(tier.updated === tier.replicas ? [] : [`${whole(tier.updated)} of the newest revision`]),
    counted(tier.workers, 'worker'),
    ...(clients === undefined ? [] : [counted(tier.connections, clients)]),
    ...(tier.draining.length === 0 ? [] : [`${whole(tier.draining.length)} draining`]),
  ];
  return labelled(label, parts.join(', '));
}

const counted = (n: number, what: string): string => `${whole(n)} ${what}${n === 1 ? '' : 's'}`;

function discoveryLines(status: KimClusterStatus | undefined): string[] {
  const { primary, fallback, active } = status?.discovery ?? {};
  const healthy = conditionOf(status, 'DiscoveryHealthy');
  if (primary === undefined) return [];
  const other = fallback === undefined ? '' : `; fallback ${fallback.name} ${fallback.healthy ? 'ok' : 'lost'}`;
  const counts = active === primary.name ? '' : `; ${active} counts now`;
  // what is wrong has a line of its own
  const text = healthy?.status === 'True' ? healthy.message : `${primary.name} ${primary.healthy ? 'ok' : 'lost'}`;
  return labelled('discovery', printable(`${text}${other}${counts}`));
}

/** Each line after the first stands under it. */
function items(label: string, texts: readonly string[]): string[] {
  return texts.flatMap((text, i) => labelled(i === 0 ? label : '', printable(text)));
}

/** One line for all pods that are silent for the same reason. */
function sameOnce(lines: readonly string[]): string[] {
  const reasons = Map.groupBy(lines, (line) => line.slice(line.indexOf(': ') + 2));
  return [...reasons].map(([reason, of]) => `${of.map((line) => line.slice(0, line.indexOf(': '))).join(', ')}: ${reason}`);
}

// ---- pods ----

export function podRows({ pods, before }: ClusterView, now: number): PodRow[] {
  return pods.map((own) => {
    const { pod, look, problem } = own;
    const earlier = before.find((one) => one.pod.metadata.uid === pod.metadata.uid)?.look;
    const rates = look === undefined || earlier === undefined ? undefined : ratesOf(look, earlier);
    return {
      tier: pod.metadata.labels?.[COMPONENT_LABEL] ?? '',
      pod: pod.metadata.name,
      node: pod.spec?.nodeName ?? '-',
      state: stateOf(own),
      ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
      ...numbersOf(own, rates),
      version: look?.status.version ?? '',
      revision: pod.metadata.annotations?.[marks.revision] ?? '',
      ageSeconds: Math.floor(secondsSince(pod.metadata.creationTimestamp, now)),
      problem,
    };
  });
}

function numbersOf({ look }: PodLook, rates: NodeRates | undefined): PodNumbers {
  if (look === undefined) return { workers: undefined, clients: undefined, requestsPerSecond: undefined };
  const { status } = look;
  const perS = rates === undefined ? undefined : Object.values(rates.total.commands).concat(Object.values(rates.total.routes));
  return {
    workers: status.workers.filter(({ state }) => state !== 'leaving').length,
    clients: clientsOfNode(status),
    requestsPerSecond: perS?.reduce((sum, { replies }) => sum + replies, 0),
  };
}

/** Connections of clients to a gate; sessions of clients of gates that a logic node serves. */
export function clientsOfNode({ type, totals }: NonNullable<PodLook['look']>['status']): number {
  const { links, remoteSessions } = totals.cluster;
  return type === 'gate' ? Math.max(0, totals.connections - links.incoming) : remoteSessions;
}

/** What the node says, else what Kubernetes says of its pod. */
export function stateOf({ pod, look }: PodLook): string {
  const { metadata, status = {} } = pod;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const waiting = containers.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined);
  if (look !== undefined && look.status.state !== 'serving') return look.status.state;
  if (metadata.deletionTimestamp !== undefined) return 'ending';
  return look?.status.state ?? waiting ?? (status.phase ?? 'unknown').toLowerCase();
}

const right = (title: string): Column => ({ title, right: true });
const columns: readonly Column[] = [
  { title: 'TIER' },
  { title: 'POD' },
  { title: 'NODE' },
  { title: 'STATE' },
  { title: 'READY' },
  right('WORKERS'),
  right('CLIENTS'),
  right('REQ/S'),
  { title: 'VERSION' },
  { title: 'REVISION' },
  right('AGE'),
];

function podTable(rows: readonly PodRow[], paint: Paint): string[] {
  const number = (n: number | undefined, show = whole) => (n === undefined ? '-' : show(n));
  return table(
    columns,
    rows.map((row) => [
      row.tier,
      row.pod,
      row.node,
      row.state,
      row.ready ? 'yes' : 'no',
      number(row.workers),
      number(row.clients),
      number(row.requestsPerSecond, perSecond),
      row.version || '-',
      row.revision || '-',
      age(row.ageSeconds),
    ]),
    paint,
  );
}

export function secondsSince(time: string | undefined, now: number): number {
  const then = Date.parse(time ?? '');
  return Number.isNaN(then) ? 0 : Math.max(0, (now - then) / 1000);
}
