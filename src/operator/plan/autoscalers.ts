// Autoscalers that write the number of pods behind the operator's back. They are left to it, and people are told how it is meant.

import { nameOf } from './names.ts';
import type { TierState } from './tier.ts';

interface Autoscaler {
  readonly spec?: { readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string } };
}

/** A sentence about the autoscaler that aims at the Deployment of the tier; undefined if none does. */
export function foreignAutoscaler({ cluster, tier, observed }: TierState): string | undefined {
  const name = nameOf(cluster, tier);
  const found = observed.autoscalers.find((one) => {
    const target = (one as Autoscaler).spec?.scaleTargetRef;
    return target?.kind === 'Deployment' && target.name === name;
  });
  if (found === undefined) return undefined;
  const cure =
    tier === 'gate'
      ? `aim it at KimCluster ${cluster.metadata.name} instead, so that gates drain before they go`
      : `remove it and set spec.logic.replicas, so that nodes drain before they go`;
  return `HorizontalPodAutoscaler ${found.metadata.name} changes the Deployment ${name} itself; ${cure}`;
}
