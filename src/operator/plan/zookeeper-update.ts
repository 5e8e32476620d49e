// How the servers of a ZooKeeper come to a new revision: the StatefulSet waits (OnDelete) until the operator removes a pod, and that is one at
// a time, and only while all the others serve. The controller itself would take the next one though another is away, and with it the quorum.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { managedOf } from './directories.ts';
import { podsOf, type PodView } from './pods.ts';
import type { Action, Manifest, Observed } from './types.ts';

/** What Kubernetes writes on the pods of a StatefulSet. */
const REVISION_LABEL = 'controller-revision-hash';
/** A server that has just come back may be gone again at once. */
const STEADY_MS = 5000;

interface SetStatus {
  readonly observedGeneration?: number;
  readonly updateRevision?: string;
}

export interface ZookeeperUpdate {
  readonly actions: readonly Action[];
  /** How far it is; undefined when all servers are of the newest revision. */
  readonly progress: string | undefined;
}

export function zookeeperUpdate(cluster: KimCluster, observed: Observed, found: Manifest | undefined): ZookeeperUpdate {
  const managed = managedOf(cluster);
  const { observedGeneration = 0, updateRevision } = (found?.['status'] ?? {}) as SetStatus;
  const isKnown = found !== undefined && updateRevision !== undefined && observedGeneration >= (found.metadata.generation ?? 0);
  if (managed === undefined || !isKnown) return { actions: [], progress: undefined };
  const revisions = new Map(observed.pods.map(({ metadata }) => [metadata.name, metadata.labels?.[REVISION_LABEL]]));
  const pods = podsOf(cluster, 'zookeeper', observed);
  const old = pods.filter(({ name }) => revisions.get(name) !== updateRevision);
  const next = nextOf(pods, old, managed.replicas, observed.now);
  const count = `${pods.length - old.length} of ${managed.replicas}`;
  const progress = `zookeeper: ${count} servers are of revision ${updateRevision}; the next one is replaced when all others serve`;
  return {
    actions: next === undefined ? [] : [{ kind: 'deletePod', pod: next.name, uid: next.uid }],
    progress: old.length === 0 ? undefined : progress,
  };
}

/** One that serves nobody goes first: it may be what the new revision cures. */
function nextOf(pods: readonly PodView[], old: readonly PodView[], servers: number, now: number): PodView | undefined {
  if (pods.some(({ isEnding }) => isEnding)) return undefined;
  const broken = old.find(({ isReady }) => !isReady);
  if (broken !== undefined) return broken;
  const isSteady = pods.every(({ readySince }) => readySince !== undefined && now >= readySince + STEADY_MS);
  return pods.length === servers && isSteady ? old.at(-1) : undefined;
}
