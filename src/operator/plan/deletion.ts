// A KimCluster that is being deleted: with deletionPolicy Drain its gates drain first, at most for ten minutes. Otherwise everything goes at once,
// and each pod drains by itself while it ends.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { begin, emptiness, goOn } from './drain.ts';
import { FINALIZER, isWished } from './names.ts';
import { timeOf } from './pods.ts';
import type { TierState } from './tier.ts';
import type { Action } from './types.ts';

/** A namespace that is deleted shall not hang. */
const MAX_DRAIN_MS = 600_000;

export interface DeletionDecision {
  readonly actions: readonly Action[];
  readonly message: string;
}

function hasFinalizer({ metadata }: KimCluster): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true;
}

export function isDeleted({ metadata }: KimCluster): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** That a deletion waits for the drain is written down while the cluster lives. */
export function finalizerActions(cluster: KimCluster): Action[] {
  const wants = cluster.spec.deletionPolicy === 'Drain';
  if (wants === hasFinalizer(cluster)) return [];
  return [{ kind: wants ? 'addFinalizer' : 'removeFinalizer' }];
}

export function deletion(gate: TierState): DeletionDecision {
  const { cluster, live, ending, observed } = gate;
  if (!hasFinalizer(cluster)) return { actions: [], message: 'everything is removed; each pod drains while it ends' };
  const over = (timeOf(cluster.metadata.deletionTimestamp) ?? 0) + MAX_DRAIN_MS;
  const isOver = observed.now >= over || isWished(cluster, 'forceDelete');
  const busy = live.filter((pod) => emptiness(gate, pod) === 'busy' && (pod.node !== undefined || pod.isReady || pod.drain !== undefined));
  if (isOver || (busy.length === 0 && ending.length === 0)) {
    const why = isOver ? 'the time to drain is over' : 'the gates have drained';
    return { actions: [{ kind: 'removeFinalizer' }], message: `${why}; everything is removed` };
  }
  const actions = busy.flatMap((pod) => (pod.drain === undefined ? begin(gate, pod, 'Delete') : goOn(gate, pod)));
  return { actions, message: `waits for ${[...busy, ...ending].map(({ name }) => name).join(', ')} to drain` };
}
