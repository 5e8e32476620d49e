// How many pods a tier has. Growing is simple. To shrink, one pod is chosen and drained, and only then the Deployment is lowered by one.
//
//   choose - drain - wait until it is empty - cost read back, all others ready - lower by one - see that it was the one that went

import { begin, emptiness, goOn, hasCost } from './drain.ts';
import { isWished, marks } from './names.ts';
import { clientsOf, type PodView } from './pods.ts';
import { connectionsOf, counted, hasSettled, markOn, type TierState } from './tier.ts';
import type { Action, PlanEvent } from './types.ts';

/** More room than connections, because new clients come meanwhile. */
const ROOM = 1.1;

export interface ScaleDecision {
  readonly replicas: number;
  /** To be remembered on the Deployment. */
  readonly marks: Readonly<Record<string, string>>;
  readonly actions: readonly Action[];
  readonly events: readonly PlanEvent[];
  /** What it is doing or waiting for; undefined when there are as many pods as wanted. */
  readonly progress?: { readonly reason: 'ScalingUp' | 'ScalingDown' | 'Draining'; readonly message: string } | undefined;
  /** A person has to decide. */
  readonly refusal?: string | undefined;
}

const nothing = { marks: {}, actions: [], events: [] } as const;

/** `rolling` is what the rollout says that runs, if one does; `foreign` the autoscaler that writes the number of pods itself. */
export function scale(state: TierState, rolling: string | undefined, foreign: string | undefined): ScaleDecision {
  const { cluster, tier, found, live } = state;
  const wanted = cluster.spec[tier]!.replicas;
  const growing = (ready: number) => ({ reason: 'ScalingUp', message: `${tier}: ${ready} of ${counted(wanted, 'pod')} ready` }) as const;
  if (found === undefined) return { ...nothing, replicas: wanted, progress: growing(0) };
  const current = found.spec.replicas ?? 1;
  if (foreign !== undefined) return { ...nothing, replicas: current };
  if (wanted < current) return shrink(state, current, wanted, rolling);
  const replaced = replaceLeft(state, wanted === current);
  const ready = live.filter(({ isReady }) => isReady).length;
  return { ...replaced, replicas: wanted, ...(ready < wanted && { progress: growing(ready) }) };
}

/** A node that drained can not be called back: its pod makes place for a new one. */
function replaceLeft(state: TierState, isEnough: boolean): Pick<ScaleDecision, 'marks' | 'actions' | 'events'> {
  const leaving = state.live.filter(({ drain }) => drain !== undefined);
  const isSettled = isEnough && hasSettled(state);
  const actions = leaving.flatMap((pod): Action[] =>
    emptiness(state, pod) === 'busy' ? goOn(state, pod) : isSettled ? [{ kind: 'deletePod', pod: pod.name, uid: pod.uid }] : [],
  );
  const meant = markOn(state, 'leaving');
  const isWrong = isSettled && leaving.some(({ name }) => name === meant);
  const note = `Kubernetes removed another pod than ${meant}, which had drained; that one is replaced`;
  return {
    marks: isEnough && !isSettled && meant !== undefined ? { [marks.leaving]: meant } : {},
    actions,
    events: isWrong ? [{ type: 'Warning', reason: 'WrongVictim', note }] : [],
  };
}

function shrink(state: TierState, current: number, wanted: number, rolling: string | undefined): ScaleDecision {
  const { tier, live } = state;
  const meant = hasSettled(state) ? undefined : markOn(state, 'leaving');
  const hold = (why: string, more: Partial<ScaleDecision> = {}): ScaleDecision => ({
    ...nothing,
    replicas: current,
    marks: meant === undefined ? {} : { [marks.leaving]: meant },
    progress: { reason: 'ScalingDown', message: `${tier}: from ${current} to ${counted(wanted, 'pod')}; ${why}` },
    ...more,
  });
  const leaving = live.filter(({ drain }) => drain !== undefined).toSorted((a, b) => a.drain!.since - b.drain!.since);
  const [victim, ...others] = leaving;
  const goOnOrGo = (pod: PodView): Action[] =>
    emptiness(state, pod) === 'busy' ? goOn(state, pod) : [{ kind: 'deletePod', pod: pod.name, uid: pod.uid }];
  // what drains goes on draining, whatever else has to be waited for
  const further = [...(victim === undefined ? [] : goOn(state, victim)), ...others.flatMap(goOnOrGo)];
  // the rollout itself waits for whoever drains, so that one makes place for another pod
  if (rolling !== undefined) return hold(`waits for the rollout: ${rolling}`, { actions: leaving.flatMap(goOnOrGo) });
  if (!hasSettled(state)) return hold('waits for Kubernetes to have as many pods as it was told', { actions: further });
  if (victim === undefined) return choose(state, hold);
  const left = emptiness(state, victim);
  if (left === 'busy') {
    // without counts, which stand beside it: a status that changes is written
    const message = `${tier}: ${victim.name} drains; ${stays(current - 1)}`;
    return hold('', { actions: further, progress: { reason: 'Draining', message } });
  }
  const unready = live.filter((pod) => pod !== victim && !pod.isReady);
  if (unready.length > 0) return hold(`${victim.name} has drained; waits for ${namesOf(unready)} to be ready`, { actions: further });
  if (!hasCost(victim)) return hold(`${victim.name} has drained; waits until its deletion cost can be read back`, { actions: further });
  return {
    replicas: current - 1,
    marks: { [marks.leaving]: victim.name },
    actions: [],
    events: [drained(left === 'late', victim)],
    progress: { reason: 'ScalingDown', message: `${tier}: ${victim.name} has drained and goes; ${stays(current - 1)}` },
  };
}

function drained(isLate: boolean, { name, node }: PodView): PlanEvent {
  const left = clientsOf({ node });
  return isLate
    ? { type: 'Warning', reason: 'DrainForced', note: `${name} still had ${counted(left, 'connection')} when its time was over` }
    : { type: 'Normal', reason: 'DrainFinished', note: `${name} has drained` };
}

type Hold = (why: string, more?: Partial<ScaleDecision>) => ScaleDecision;

/**
 * The pod that goes: one whose node drains already (it was told in a pass of which the rest got lost); one that is not ready, which would be
 * the first to go anyway; else the one with the fewest connections, of those the youngest.
 */
function choose(state: TierState, hold: Hold): ScaleDecision {
  const { live, tier } = state;
  const unready = live.filter(({ isReady }) => !isReady);
  if (unready.length > 1) return hold(`waits for ${namesOf(unready)} to be ready`);
  const known = live.filter(({ node }) => node !== undefined);
  const told = known.filter(({ node }) => node!.state === 'draining');
  const [victim] = told.length > 0 ? told : unready.length === 1 ? unready : known.toSorted(byLoss);
  if (victim === undefined) return hold('waits until the admin port of a pod answers');
  const refusal = tier === 'gate' ? tooMany(state, victim) : undefined;
  if (refusal !== undefined) return hold(refusal, { refusal });
  const why = told.length > 0 ? 'it does so already' : unready.length === 1 ? 'it is not ready' : 'no other has fewer';
  const note = `${victim.name} drains with ${counted(clientsOf(victim), 'connection')}; ${why}`;
  return hold('', {
    actions: begin(state, victim, 'ScaleDown'),
    events: [{ type: 'Normal', reason: 'DrainStarted', note }],
    progress: { reason: 'Draining', message: `${tier}: ${victim.name} drains; ${stays(live.length - 1)}` },
  });
}

function byLoss(a: PodView, b: PodView): number {
  return clientsOf(a) - clientsOf(b) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1);
}

/** Why the connections would not fit into the pods that stay; undefined if they do. */
function tooMany(state: TierState, victim: PodView): string | undefined {
  const { live, capacity, cluster } = state;
  const lost = clientsOf(victim);
  if (lost === 0 || isWished(cluster, 'forceScale')) return undefined;
  // of those that do not answer nobody knows how much room they have
  const room = live.filter((pod) => pod !== victim && pod.node !== undefined).length * capacity;
  const all = connectionsOf(live);
  if (all * ROOM <= room) return undefined;
  return (
    `${counted(all, 'connection')} would not fit into the ${counted(live.length - 1, 'gate')} that stay, which take ${room}; ` +
    `raise spec.gate.limits.maxClients or spec.gate.workers, or set the annotation kimserver.io/force-scale`
  );
}

function stays(n: number): string {
  return `${counted(n, 'pod')} ${n === 1 ? 'stays' : 'stay'}`;
}

function namesOf(pods: readonly PodView[]): string {
  return pods.map(({ name }) => name).join(', ');
}
