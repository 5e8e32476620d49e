// A pod that leaves: when it has nobody left, and what has to be said to it until then. The same for all causes.

import { reconnectsPerSecond } from '../../config/reconnects.ts';
import type { DrainCause } from '../status-types.ts';
import { drainTimesOf } from './drain-times.ts';
import { marks } from './names.ts';
import { podConfigOf } from './pod-config.ts';
import { drainMark, type PodView } from './pods.ts';
import type { TierState } from './tier.ts';
import type { Action } from './types.ts';

/** Lower than that of any pod that nobody touched. */
const COST = '-1000000';
/** For a node that does not answer: it may have been told and be busy with it. */
const SLACK_MS = 15_000;

/** By when it has ended, milliseconds since 1970. */
export function deadlineOf({ cluster, tier }: TierState, since: number): number {
  return since + drainTimesOf(cluster, tier).drainSeconds * 1000 + SLACK_MS;
}

export type Emptiness = 'busy' | 'empty' | 'late';

/** Whether a pod that is meant to leave has nobody left. `late`: its time is over though somebody may be. */
export function emptiness(state: TierState, { node, drain, startedAt }: PodView): Emptiness {
  if (drain === undefined) return 'busy';
  // a node that started anew after it was told has left its clients to the others
  if (hasRestarted(drain, startedAt)) return 'empty';
  if (node !== undefined && (node.state === 'draining' || node.state === 'stopping') && node.connections === 0) return 'empty';
  return state.observed.now >= deadlineOf(state, drain.since) ? 'late' : 'busy';
}

/** Times of its machine are compared with each other, since its clock may not be the operator's. */
function hasRestarted({ since, startedAt: before }: NonNullable<PodView['drain']>, startedAt: number | undefined): boolean {
  return startedAt !== undefined && (before === undefined ? startedAt > since : startedAt !== before);
}

/** Begins a drain: it is written down first, so that it goes on whoever is the operator then. */
export function begin(state: TierState, pod: PodView, cause: DrainCause): Action[] {
  const annotations = { [marks.draining]: drainMark(state.observed.now, cause, pod.startedAt), [marks.deletionCost]: COST };
  return [{ kind: 'annotate', pod: pod.name, annotations }, order(state, pod, cause)];
}

/** What has still to be said to a pod that is meant to leave. */
export function goOn(state: TierState, pod: PodView): Action[] {
  const { node, drain, name } = pod;
  if (drain === undefined) return [];
  const isDeaf = node !== undefined && (node.state === 'serving' || node.state === 'starting') && emptiness(state, pod) === 'busy';
  return [
    ...(hasCost(pod) ? [] : [{ kind: 'annotate', pod: name, annotations: { [marks.deletionCost]: COST } } as const]),
    ...(isDeaf ? [order(state, pod, drain.cause)] : []),
  ];
}

/** That it is cheap to remove stands on the pod, as Kubernetes sees it. */
export function hasCost({ deletionCost }: PodView): boolean {
  return deletionCost === COST;
}

function order(state: TierState, pod: PodView, cause: DrainCause): Action {
  const { drainSeconds: seconds } = drainTimesOf(state.cluster, state.tier);
  const survivors = state.live.filter((one) => one !== pod && one.isReady && one.drain === undefined).length;
  const each = reconnectsPerSecond(podConfigOf(state.cluster, state.tier, state.observed.operator));
  return { kind: 'drain', pod: pod.name, cause, seconds, perSecond: Math.max(1, survivors) * each };
}
