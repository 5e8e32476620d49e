// How a new revision comes to the pods: Kubernetes replaces them one after another, and the Deployment is paused between two steps, until who left
// has ended and who came is ready and does not fail. Kubernetes itself would not wait for pods that end.
//
//   new template - a new pod - ready? failing? - an old one drains and ends - the next new pod - ... - all are new

import { marks, wishes } from './names.ts';
import type { PodView } from './pods.ts';
import { counted, markOn, type TierState } from './tier.ts';
import type { NodeView, PlanEvent } from './types.ts';

/** Less than this says nothing about a share. */
const MIN_SAMPLE = 100;
/** New pods may fail so often more than old ones, and this share more. */
const WORSE_TIMES = 2;
const WORSE_BY = 0.01;
const SOON_MS = 1000;

export interface RolloutDecision {
  readonly paused: boolean;
  readonly marks: Readonly<Record<string, string>>;
  readonly events: readonly PlanEvent[];
  /** What it does or waits for; undefined while no rollout runs. */
  readonly progress?: string | undefined;
  /** Why it goes no further. */
  readonly stalled?: string | undefined;
  /** When to look again, in milliseconds. */
  readonly requeueMs?: number;
}

/** Whether pods of another revision are there, or about to be replaced. */
export function isRolling({ found, live, revision }: TierState): boolean {
  if (found === undefined) return false;
  const current = found.spec.template?.metadata?.annotations?.[marks.revision];
  return current !== revision || live.some((pod) => pod.revision !== revision);
}

/** `before` is what another tier does first. */
export function rollout(state: TierState, before: string | undefined): RolloutDecision {
  const { live, revision, cluster, tier, found } = state;
  const { update } = cluster.spec[tier]!;
  const still = { marks: {}, events: [] } as const;
  // a Deployment that is paused when it is made gets no pods at all
  if (found === undefined || live.length === 0) return { ...still, paused: false };
  if (!isRolling(state)) return { ...still, paused: update.paused };
  const fresh = live.filter((pod) => pod.revision === revision);
  const progress = `${tier}: ${fresh.length} of ${counted(cluster.spec[tier]!.replicas, 'pod')} of revision ${revision}`;
  const isResumed = cluster.metadata.annotations?.[wishes.resume] === revision;
  const known = markOn(state, 'stalled') === revision ? markOn(state, 'stalledReason') : undefined;
  const trouble = troubleOf(state, fresh);
  const stalled = isResumed ? undefined : (known ?? trouble);
  if (stalled !== undefined && update.pauseOnTrouble) {
    const note = `${tier}: the rollout of revision ${revision} paused itself: ${stalled}`;
    return {
      paused: true,
      marks: { [marks.stalled]: revision, [marks.stalledReason]: stalled },
      events: known === undefined ? [{ type: 'Warning', reason: 'RolloutStalled', note }] : [],
      progress,
      stalled,
    };
  }
  const paused = (why: string, requeueMs?: number): RolloutDecision => ({
    ...still,
    paused: true,
    progress: `${progress}; ${why}`,
    ...(trouble !== undefined && { stalled: trouble }),
    ...(requeueMs !== undefined && { requeueMs }),
  });
  if (update.paused) return paused(`waits for spec.${tier}.update.paused to be false`);
  if (before !== undefined) return paused(`waits for ${before}`);
  const wait = waitOf(state, fresh);
  return wait === undefined ? { ...still, paused: false, progress } : paused(wait.why, wait.requeueMs);
}

/** What the next step waits for. */
function waitOf(
  { live, ending, cluster, tier, observed }: TierState,
  fresh: readonly PodView[],
): { why: string; requeueMs?: number } | undefined {
  const [leaving] = [...ending, ...live.filter(({ drain }) => drain !== undefined)];
  if (leaving !== undefined) return { why: `waits until ${leaving.name} has drained`, requeueMs: SOON_MS };
  const unready = fresh.find(({ isReady }) => !isReady);
  if (unready !== undefined) return { why: `waits until ${unready.name} is ready` };
  const minMs = cluster.spec[tier]!.update.minReadySeconds * 1000;
  const youngest = Math.max(0, ...fresh.map(({ readySince }) => readySince ?? 0));
  const leftMs = youngest + minMs - observed.now;
  return leftMs > 0 ? { why: `waits until new pods have been ready for ${minMs / 1000} s`, requeueMs: leftMs } : undefined;
}

/** Why the new revision is not to be trusted. */
function troubleOf({ live, cluster, tier, observed, revision }: TierState, fresh: readonly PodView[]): string | undefined {
  const { progressDeadlineSeconds } = cluster.spec[tier]!.update;
  for (const { name, trouble, isReady, createdAt } of fresh) {
    if (trouble !== undefined) return `${name} can not start (${trouble}); correct it or go back to the spec before`;
    if (!isReady && observed.now - createdAt > progressDeadlineSeconds * 1000) {
      return `${name} is not ready after ${progressDeadlineSeconds} s; see "kubectl describe pod ${name}"`;
    }
  }
  const old = live.filter((pod) => pod.revision !== revision);
  return (
    worse(fresh, old, 'replies', 'failures', 'of their replies say that something failed') ??
    worse(fresh, old, 'accepted', 'broken', 'of their connections break')
  );
}

type Count = 'replies' | 'failures' | 'accepted' | 'broken';

/** Why a share is much larger in new pods than in old ones; undefined if it is not, or too few know. */
function worse(fresh: readonly PodView[], old: readonly PodView[], of: Count, bad: Count, what: string): string | undefined {
  const [now, before] = [shareOf(fresh, of, bad), shareOf(old, of, bad)];
  if (now === undefined || before === undefined || now <= before * WORSE_TIMES + WORSE_BY) return undefined;
  return `${percent(now)} ${what}, ${percent(before)} in old pods; go back to the spec before, or set ${wishes.resume} to go on`;
}

function shareOf(pods: readonly PodView[], of: Count, bad: Count): number | undefined {
  const nodes = pods.map(({ node }) => node).filter((node): node is NodeView => node !== undefined);
  const all = nodes.reduce((sum, node) => sum + node[of], 0);
  return all < MIN_SAMPLE ? undefined : nodes.reduce((sum, node) => sum + node[bad], 0) / all;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
