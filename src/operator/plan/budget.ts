// PodDisruptionBudgets: how many pods others may take away at the same time, as when machines are drained.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { metaOf, nameOf, selectorOf, type Component } from './names.ts';
import type { Manifest } from './types.ts';

export function budget(cluster: KimCluster, component: Component, maxUnavailable: number | string): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metaOf(cluster, component, nameOf(cluster, component)),
    spec: {
      maxUnavailable,
      selector: { matchLabels: selectorOf(cluster, component) },
      // a pod that does not work shall not keep a machine from being drained
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
