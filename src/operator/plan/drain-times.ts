// The four numbers of a drain, made from the one that the user gives, so that they can not contradict each other.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { KUBERNETES_DRAIN_SECONDS } from '../../config/cluster-tier.ts';

/** A pod that ends is still sent clients for about a second, longer where load balancers look rarely: it goes on accepting. */
const ACCEPT_SECONDS = 5;
/** For processes to end after their last connection. */
const END_SECONDS = 15;

export interface DrainTimes {
  /** What the node gives to what is in flight. */
  readonly drainSeconds: number;
  /** How long the pod goes on as if nothing were, after it was told to end. */
  readonly preStopSeconds: number;
  /** When Kubernetes kills what is left. */
  readonly graceSeconds: number;
}

export function drainTimesOf({ spec }: KimCluster, tier: Tier): DrainTimes {
  const drainSeconds = spec[tier]?.drain?.seconds ?? KUBERNETES_DRAIN_SECONDS;
  return { drainSeconds, preStopSeconds: ACCEPT_SECONDS, graceSeconds: ACCEPT_SECONDS + Math.ceil(drainSeconds) + END_SECONDS };
}
