// A ServiceMonitor for each tier, where the cluster knows that kind and the user wants it.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { formatDuration } from '../../config/units.ts';
import { labelsOf, metaOf, nameOf } from './names.ts';
import type { Manifest } from './types.ts';

export function serviceMonitor(cluster: KimCluster, tier: Tier): Manifest[] {
  const { serviceMonitor: wanted } = cluster.spec.monitoring;
  if (wanted === undefined || !wanted.enabled) return [];
  const { interval, labels } = wanted;
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: metaOf(cluster, tier, nameOf(cluster, tier), { labels }),
      spec: {
        // the headless Service alone has an admin port
        selector: { matchLabels: labelsOf(cluster, tier) },
        endpoints: [{ port: 'admin', path: '/metrics', ...(interval !== undefined && { interval: formatDuration(interval) }) }],
      },
    },
  ];
}
