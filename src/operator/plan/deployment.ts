// The Deployment of a tier. How many pods, and whether it is paused, is decided elsewhere.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { marks, metaOf, nameOf, selectorOf } from './names.ts';
import { revisionOf } from './pod.ts';
import type { PodTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** As much of a Deployment as is looked at. */
export interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

export interface Pace {
  readonly replicas: number;
  readonly paused: boolean;
  /** What is remembered on it: the pod that is meant to go, the revision that stalled. */
  readonly marks: Readonly<Record<string, string>>;
}

export function deployment(cluster: KimCluster, tier: Tier, template: PodTemplate, pace: Pace): Manifest {
  const { maxSurge, maxUnavailable, minReadySeconds, progressDeadlineSeconds } = cluster.spec[tier]!.update;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metaOf(cluster, tier, nameOf(cluster, tier), {
      annotations: { [marks.revision]: revisionOf(template), ...pace.marks },
    }),
    spec: {
      replicas: pace.replicas,
      paused: pace.paused,
      minReadySeconds,
      progressDeadlineSeconds,
      // as many as ConfigMaps are kept for
      revisionHistoryLimit: 3,
      selector: { matchLabels: selectorOf(cluster, tier) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      template,
    },
  };
}
