// Pods as decisions see them: what they run, whether they serve, since when they leave.

import type { KimCluster } from '../../config/cluster-schema.ts';
import type { DrainCause } from '../status-types.ts';
import { COMPONENT_LABEL, marks, type Component } from './names.ts';
import type { NodeView, Observed, Pod } from './types.ts';

export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly isReady: boolean;
  /** Milliseconds since 1970; undefined while it is not ready. */
  readonly readySince: number | undefined;
  /** Kubernetes has been told to remove it. */
  readonly isEnding: boolean;
  /** Its time to end is over, nobody has confirmed its end, and it does not answer: its machine is lost. Nothing waits for it. */
  readonly isLost: boolean;
  /** Where it runs. */
  readonly machine: string | undefined;
  readonly revision: string;
  readonly createdAt: number;
  readonly node: NodeView | undefined;
  /** Since when it is meant to leave although Kubernetes has not been told yet. */
  readonly drain: DrainMark | undefined;
  readonly deletionCost: string | undefined;
  /** Removed by way of the eviction API, as by "kubectl drain". */
  readonly isEvicted: boolean;
  /** When Kubernetes kills what is left of it. */
  readonly endsAt: number | undefined;
  /** When its node started the last time, milliseconds since 1970. */
  readonly startedAt: number | undefined;
  /** Why its node, or what comes before it, can not start. */
  readonly trouble: string | undefined;
}

interface DrainMark {
  readonly since: number;
  readonly cause: DrainCause;
  /** When its node had started the last time then; undefined if that was not known. */
  readonly startedAt: number | undefined;
}

/** What Kubernetes says of containers that will not start by waiting. */
const HOPELESS = ['CrashLoopBackOff', 'ImagePullBackOff', 'InvalidImageName', 'CreateContainerConfigError', 'RunContainerError'];
/** For Kubernetes to kill what has not ended by itself, and to tell. */
const CONFIRM_MS = 5000;
const causes: readonly DrainCause[] = ['ScaleDown', 'Rollout', 'NodeDrain', 'Delete', 'Requested'];

/** The pods of a tier that have not come to their end, by name. */
export function podsOf(cluster: KimCluster, component: Component, { pods, nodes, now }: Observed): PodView[] {
  return pods
    .filter(({ metadata: { labels = {} }, status }) => labels[COMPONENT_LABEL] === component && !hasEnded(status?.phase))
    .filter(({ metadata: { labels = {} } }) => labels['app.kubernetes.io/instance'] === cluster.metadata.name)
    .map((pod) => viewOf(pod, nodes.get(pod.metadata.name), now))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function hasEnded(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function viewOf({ metadata, spec, status = {} }: Pod, node: NodeView | undefined, now: number): PodView {
  const { annotations = {} } = metadata;
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const isEnding = metadata.deletionTimestamp !== undefined;
  const endsAt = timeOf(metadata.deletionTimestamp);
  const isReady = ready?.status === 'True' && !isEnding;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const stuck = containers.find(({ state }) => HOPELESS.includes(state?.waiting?.reason ?? ''))?.state?.waiting;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    isReady,
    readySince: isReady ? timeOf(ready.lastTransitionTime) : undefined,
    isEnding,
    isLost: endsAt !== undefined && now > endsAt + CONFIRM_MS && node === undefined,
    machine: spec?.nodeName,
    revision: annotations[marks.revision] ?? '',
    createdAt: timeOf(metadata.creationTimestamp) ?? 0,
    node,
    drain: drainOf(annotations[marks.draining]),
    deletionCost: annotations[marks.deletionCost],
    isEvicted: status.conditions?.some(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True') === true,
    endsAt,
    startedAt: timeOf(status.containerStatuses?.find(({ name }) => name === 'kimserver')?.state?.running?.startedAt),
    trouble: stuck && `${stuck.reason}${stuck.message === undefined ? '' : `: ${stuck.message}`}`,
  };
}

/** Connections of clients; 0 for a node that does not answer. */
export function clientsOf({ node }: Pick<PodView, 'node'>): number {
  return Math.max(0, (node?.connections ?? 0) - (node?.links ?? 0));
}

/** "2026-11-21T08:00:00.000Z ScaleDown 2026-11-20T23:15:01.000Z": since when, why, and when its node had started, by the clock of its machine. */
export function drainMark(now: number, cause: DrainCause, startedAt?: number): string {
  return [isoOf(now), cause, ...(startedAt === undefined ? [] : [isoOf(startedAt)])].join(' ');
}

function drainOf(mark: string | undefined): PodView['drain'] {
  const [time, word, started] = (mark ?? '').split(' ');
  const since = timeOf(time);
  if (mark === undefined || mark === '') return undefined;
  return { since: since ?? 0, cause: causes.find((cause) => cause === word) ?? 'Requested', startedAt: timeOf(started) };
}

export function isoOf(time: number): string {
  return new Date(time).toISOString();
}

export function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
