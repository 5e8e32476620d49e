// What a scrape tells of each KimCluster: its conditions, so that alerts need nothing but the operator's page.

import type { Meter } from '../engine/meter.ts';
import type { Store } from '../engine/store.ts';
import { kimClusters } from './kinds.ts';
import type { KimClusterObject } from './reconcile.ts';

/** Beyond it clusters are not told of one by one. */
const MAX_CLUSTERS = 1000;

export function addClusterMetrics(meter: Meter, store: Store): void {
  const clusters = () =>
    store
      .list<KimClusterObject>(kimClusters)
      .slice(0, MAX_CLUSTERS)
      .map(({ metadata: { namespace = '', name }, status = {} }) => ({ labels: { namespace, name }, status }));
  meter.look('kimserver_cluster_info', 'Versions of a KimCluster.', () =>
    clusters().map(({ labels, status: { versions } }) => [
      { ...labels, current: versions?.current ?? '', target: versions?.target ?? '' },
      1,
    ]),
  );
  meter.look('kimserver_cluster_condition', 'Whether a condition of a KimCluster is True.', () =>
    clusters().flatMap(({ labels, status: { conditions = [] } }) =>
      conditions.map(({ type, reason, status }) => [{ ...labels, type, reason }, Number(status === 'True')] as const),
    ),
  );
  meter.look('kimserver_cluster_connections', 'Connections of clients, as the status has them.', () =>
    clusters().map(({ labels, status: { gate } }) => [labels, gate?.connections ?? 0]),
  );
  meter.look('kimserver_cluster_draining', 'Pods that drain.', () =>
    clusters().map(({ labels, status: { gate, logic } }) => [labels, (gate?.draining.length ?? 0) + (logic?.draining.length ?? 0)]),
  );
}
