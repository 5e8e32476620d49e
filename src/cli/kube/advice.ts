// What is going on in a KimCluster, what is wrong, and what a person does about it: its conditions and drains in words. Pure.

import { conditionReasons, type Advice } from '../../operator/condition-reasons.ts';
import type { Condition, Draining, KimClusterStatus } from '../../operator/status-types.ts';
import { whole } from '../terminal.ts';
import type { PodLook } from './ask.ts';
import type { ClusterObject } from './objects.ts';

/** How each condition stands when nothing has to be said about it. */
const usual: Readonly<Record<string, string>> = {
  Ready: 'True',
  Available: 'True',
  Progressing: 'False',
  Degraded: 'False',
  ConfigValid: 'True',
  Paused: 'False',
  DiscoveryHealthy: 'True',
};
/** In the order in which people should look at them. */
const order = ['Degraded', 'ConfigValid', 'Available', 'DiscoveryHealthy', 'Ready', 'Paused'] as const;

/** What moves: the step that the operator is at, and each pod that drains. */
export function nowOf({ metadata, status }: ClusterObject, pods: readonly PodLook[], now: number): string[] {
  const progress = conditionIn(status, 'Progressing');
  const generation = metadata.generation ?? 0;
  const seen = status?.observedGeneration ?? 0;
  const isBehind = generation > seen;
  const draining = [...(status?.gate?.draining ?? []), ...(status?.logic?.draining ?? [])];
  const lines = [
    ...(metadata.deletionTimestamp === undefined ? [] : ['the KimCluster is being deleted']),
    ...(isBehind ? [`the operator has not acted on generation ${generation} yet; it is at ${seen}`] : []),
    ...(progress?.status === 'True' ? [progress.message] : []),
    ...draining.map((one) => drainLine(one, pods, now)),
  ];
  return lines.length > 0 ? lines : ['nothing moves'];
}

/** What the node says itself is newer than the status, which is written now and then. */
function drainLine({ pod, cause, connections, estimatedEnd }: Draining, pods: readonly PodLook[], now: number): string {
  const own = pods.find((one) => one.pod.metadata.name === pod)?.look?.status;
  const left = own === undefined ? connections : Math.max(0, own.totals.connections - own.totals.cluster.links.incoming);
  const end = Date.parse(estimatedEnd ?? '');
  const until = Number.isNaN(end) || end <= now ? '' : `, over in at most ${whole((end - now) / 1000)} s`;
  return `${pod} drains${cause === undefined ? '' : ` (${causes[cause]})`}: ${whole(left)} ${left === 1 ? 'connection' : 'connections'} left${until}`;
}

export const causes: Readonly<Record<NonNullable<Draining['cause']>, string>> = {
  ScaleDown: 'fewer replicas',
  Rollout: 'a new revision',
  NodeDrain: 'its machine is drained, or it was evicted',
  Delete: 'the KimCluster is deleted',
  Requested: 'somebody asked',
};

/** Conditions that are not as they should be: each with its sentence. */
export function wrongOf(status: KimClusterStatus | undefined): string[] {
  const sentences = order.flatMap((type) => {
    const found = conditionIn(status, type);
    if (found === undefined || found.status === usual[type]) return [];
    return [`${found.reason}: ${found.message}`];
  });
  // one thing that is wrong shows in several conditions
  return sentences.filter((one, i) => !sentences.slice(0, i).some((other) => messageOf(other) === messageOf(one)));
}

const messageOf = (sentence: string): string => sentence.slice(sentence.indexOf(': ') + 2);

/** What a person does next; that is nothing for a cluster that is well. */
export function nextOf({ metadata, status }: ClusterObject): string[] {
  if (status?.conditions === undefined) {
    return ['no operator has looked at it yet; see "kubectl get pods -A -l app.kubernetes.io/component=operator" and the log of that pod'];
  }
  const cures = ['Progressing', ...order].flatMap((type) => {
    const found = conditionIn(status, type);
    const isUsual = found === undefined || (found.status === usual[type] && found.reason !== 'ValidWithNotes');
    return isUsual ? [] : (cureOf(found) ?? []);
  });
  const own = [...new Set(cures)].map((cure) => inTerminal(cure, metadata.name));
  return own.length > 0 ? own : ['nothing has to be done'];
}

function conditionIn(status: KimClusterStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

type Table = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Advice>>>>>>;

/** Undefined for a reason of another version, and for what only points to another condition. */
function cureOf({ type, status, reason }: Condition): string | undefined {
  const cure = (conditionReasons as Table)[type]?.[status]?.[reason]?.cure;
  return cure === undefined || /^(as for|see the condition|nothing has to be done)/.test(cure) ? undefined : cure;
}

/** Tables are written for documents: in a terminal commands stand in quotes, and the cluster has its name. */
function inTerminal(cure: string, name: string): string {
  return cure.replaceAll('`', '"').replaceAll(/\bNAME\b/g, name);
}
