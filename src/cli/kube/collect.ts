// Everything about a KimCluster that helps to find a fault, put into a bundle. Secrets, connections and sessions are never asked for.

import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/error.ts';
import { pathOf, type Kind, type KubeObject } from '../../kube/types.ts';
import { stringify } from '../../config/yaml.ts';
import { autoscalers, CLUSTER_LABEL, ownedKinds, pods as podKind, serviceMonitors } from '../../operator/run/kinds.ts';
import { adminPath, AT_ONCE } from './ask.ts';
import type { Bundle } from './bundle.ts';
import { componentOf, isNode, listOf, podsOf, type ClusterObject, type PodObject } from './objects.ts';
import type { Redactor } from './redact.ts';
import { eachOf } from './session.ts';

/** Lines and bytes of a log, from its end. */
const LOG = { tailLines: 2000, limitBytes: 2 << 20, timestamps: false };
const ASK_MS = 5000;
const LOG_MS = 15_000;
/** Views of a node's admin server; none says anything of a client. */
const VIEWS = ['/status', '/readyz', '/config', '/members', '/links', '/routes'];

const beside: readonly Kind[] = [
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', plural: 'replicasets' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices' },
  serviceMonitors,
];
const events: Kind = { apiVersion: 'v1', kind: 'Event', plural: 'events' };
const machines: Kind = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', clusterWide: true };

export interface Collecting {
  readonly client: KubeClient;
  readonly bundle: Bundle;
  readonly redactor: Redactor;
}

interface EventObject extends KubeObject {
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly note?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly reportingComponent?: string;
}

/** One KimCluster: its objects, events, pods and machines. */
export async function collectCluster(around: Collecting, cluster: ClusterObject): Promise<void> {
  const { client, bundle, redactor } = around;
  const { namespace, name } = cluster.metadata;
  const folder = `clusters/${name}`;
  const shown = (object: KubeObject) => yaml(redactor.object(object));
  bundle.put(`${folder}/kimcluster.yaml`, shown(cluster));
  const ours = `${CLUSTER_LABEL}=${name}`;
  const lists = [...ownedKinds, ...beside].map((kind) => ({ kind, label: ours as string | undefined }));
  for (const { kind, label } of [...lists, { kind: autoscalers, label: undefined }]) {
    const file = `${folder}/objects/${kind.plural}.yaml`;
    await bundle.add(
      file,
      () => listOf<KubeObject>(client, kind, namespace, label).catch(noneOfUnknown),
      (found) => found.map((one) => `---\n${shown(one)}`).join(''),
    );
  }
  await bundle.add(
    `${folder}/events.txt`,
    () => listOf<EventObject>(client, events, namespace),
    (all) => eventText(all, name),
  );
  const pods = (await bundle.add(`${folder}/pods.txt`, () => podsOf(client, cluster), podsText)) ?? [];
  await eachOf(pods, AT_ONCE, (pod) => collectPod(around, pod, `pods/${pod.metadata.name}`));
  const used = [...new Set(pods.flatMap(({ spec }) => spec?.nodeName ?? []))];
  for (const machine of used) {
    await bundle.add(
      `machines/${machine}.yaml`,
      () => client.get<KubeObject & Record<string, unknown>>(pathOf(machines, { name: machine })),
      machineText,
    );
  }
}

/** A pod: what Kubernetes knows, its logs, and what its node says. */
export async function collectPod({ client, bundle, redactor }: Collecting, pod: PodObject, folder: string): Promise<void> {
  const { namespace, name } = pod.metadata;
  bundle.put(`${folder}/pod.yaml`, yaml(redactor.object(pod)));
  const isPlain = componentOf(pod) === 'zookeeper';
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  for (const container of ['kimserver', 'modules', 'zookeeper', 'operator']) {
    const status = statuses.find((one) => one.name === container);
    if (status === undefined) continue;
    const lives = [false, ...((status.restartCount ?? 0) > 0 ? [true] : [])];
    for (const previous of lives) {
      const path = pathOf(podKind, { namespace, name, part: 'log' });
      const read = () => client.text(path, { query: { container, previous, ...LOG }, timeoutMs: LOG_MS });
      await bundle.add(`${folder}/${container}${previous ? '-before' : ''}.log`, read, (text) => (isPlain ? text : redactor.log(text)));
    }
  }
  if (!isNode(pod) || pod.status?.podIP === undefined) return;
  for (const view of VIEWS) {
    const read = () => client.text(adminPath(pod, view), { timeoutMs: ASK_MS });
    await bundle.add(`${folder}/admin${view}.json`, read, (text) => text);
  }
  await bundle.add(
    `${folder}/admin/metrics.txt`,
    () => client.text(adminPath(pod, '/metrics'), { timeoutMs: ASK_MS }),
    (text) => text,
  );
}

/** There are no objects of a kind that the cluster does not know. */
function noneOfUnknown(error: unknown): KubeObject[] {
  if (isNotFound(error)) return [];
  throw error;
}

const OPERATOR = 'app.kubernetes.io/part-of=kimserver,app.kubernetes.io/component=operator';

/** The operator: its pods, Deployment and lease. Looked for everywhere unless its namespace is known. */
export async function collectOperator(around: Collecting, namespace: string | undefined): Promise<void> {
  const { client, bundle, redactor } = around;
  const pods = (await bundle.add('operator/pods.txt', () => listOf<PodObject>(client, podKind, namespace, OPERATOR), podsText)) ?? [];
  for (const pod of pods) {
    const folder = `operator/${pod.metadata.name}`;
    await collectPod(around, pod, folder);
    const path = pathOf(podKind, { namespace: pod.metadata.namespace, name: `${pod.metadata.name}:${metricsPort(pod)}`, part: 'proxy' });
    await bundle.add(
      `${folder}/metrics.txt`,
      () => client.text(`${path}/metrics`, { timeoutMs: ASK_MS }),
      (text) => text,
    );
  }
  for (const space of new Set(pods.map((pod) => pod.metadata.namespace))) {
    const of: readonly (readonly [Kind, string | undefined])[] = [
      [{ apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' }, OPERATOR],
      [{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' }, undefined],
    ];
    for (const [what, label] of of) {
      const write = (found: readonly KubeObject[]) => found.map((one) => `---\n${yaml(redactor.object(one))}`).join('');
      await bundle.add(`operator/${what.plural}.yaml`, () => listOf<KubeObject>(client, what, space, label), write);
    }
  }
}

function metricsPort({ spec }: PodObject): number {
  const ports = (spec?.containers ?? []).flatMap(({ ports: own = [] }) => own);
  return ports.find(({ name }) => name === 'metrics')?.containerPort ?? 8080;
}

// ---- as texts ----

function yaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function podsText(pods: readonly PodObject[]): string {
  const lines = pods.map(({ metadata, spec, status = {} }) => {
    const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? 'ready' : 'not ready';
    const restarts = (status.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
    const ending = metadata.deletionTimestamp === undefined ? '' : `, ends by ${metadata.deletionTimestamp}`;
    return `${metadata.namespace}/${metadata.name}  ${status.phase ?? '-'}, ${ready}, ${restarts} restarts, on ${spec?.nodeName ?? '-'}, since ${metadata.creationTimestamp}${ending}\n`;
  });
  return lines.length === 0 ? 'none\n' : lines.join('');
}

/** Of the KimCluster and of what it owns, which has its name before its own; oldest first. */
function eventText(all: readonly EventObject[], name: string): string {
  const own = all.filter(({ involvedObject: about }) => about?.name === name || about?.name?.startsWith(`${name}-`) === true);
  const lines = own
    .map((event) => ({ event, at: event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? '' }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ event: { involvedObject, type, reason, message, note, count, series, reportingComponent }, at }) => {
      const times = series?.count ?? count ?? 1;
      return `${at}  ${type}  ${involvedObject?.kind}/${involvedObject?.name}  ${reason}: ${message ?? note ?? ''}${times > 1 ? ` (${times} times)` : ''}  [${reportingComponent ?? '-'}]\n`;
    });
  return lines.length === 0 ? 'none\n' : lines.join('');
}

/** A machine as far as it matters to pods. */
function machineText({ metadata, spec, status }: KubeObject & Record<string, unknown>): string {
  const { labels } = metadata;
  const { taints, unschedulable } = (spec ?? {}) as Readonly<Record<string, unknown>>;
  const { conditions, nodeInfo, allocatable, capacity } = (status ?? {}) as Readonly<Record<string, unknown>>;
  return yaml({ name: metadata.name, labels, taints, unschedulable, conditions, nodeInfo, allocatable, capacity });
}
