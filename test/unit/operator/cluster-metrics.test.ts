// What a scrape of the operator tells of each KimCluster.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Meter } from '../../../src/operator/engine/meter.ts';
import { Store } from '../../../src/operator/engine/store.ts';
import { addClusterMetrics } from '../../../src/operator/run/cluster-metrics.ts';
import { kimClusters } from '../../../src/operator/run/kinds.ts';
import type { KimClusterObject } from '../../../src/operator/run/reconcile.ts';

function page(...clusters: KimClusterObject[]): string[] {
  const store = new Store();
  store.take(
    kimClusters,
    clusters.map((after) => ({ key: `shop/${after.metadata.name}`, before: undefined, after })),
  );
  const meter = new Meter();
  addClusterMetrics(meter, store);
  return meter
    .text()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const cluster = (name: string, status?: KimClusterObject['status']): KimClusterObject => ({
  apiVersion: 'kimserver.io/v1alpha1',
  kind: 'KimCluster',
  metadata: { name, namespace: 'shop' },
  ...(status && { status }),
});

test('conditions, versions, connections and drains are there, for alerts', () => {
  const at = '2026-01-01T00:00:00Z';
  const tier = { replicas: 2, ready: 2, updated: 2, workers: 2, connections: 1200, selector: '', draining: [] };
  const lines = page(
    cluster('demo', {
      conditions: [
        { type: 'Ready', status: 'False', reason: 'GateNotReady', message: 'one is not', lastTransitionTime: at },
        { type: 'Available', status: 'True', reason: 'MinimumAvailable', message: '', lastTransitionTime: at },
      ],
      versions: { current: '0.1.0', target: '0.2.0' },
      gate: { ...tier, draining: [{ pod: 'demo-gate-1', connections: 3, startedAt: at }] },
      logic: { ...tier, connections: 4 },
    }),
  );
  assert.deepEqual(lines, [
    'kimserver_cluster_info{namespace="shop",name="demo",current="0.1.0",target="0.2.0"} 1',
    'kimserver_cluster_condition{namespace="shop",name="demo",type="Ready",reason="GateNotReady"} 0',
    'kimserver_cluster_condition{namespace="shop",name="demo",type="Available",reason="MinimumAvailable"} 1',
    'kimserver_cluster_connections{namespace="shop",name="demo"} 1200',
    'kimserver_cluster_draining{namespace="shop",name="demo"} 1',
  ]);
});

test('a cluster that nobody has looked at is there, with nothing', () => {
  assert.deepEqual(page(cluster('new')), [
    'kimserver_cluster_info{namespace="shop",name="new",current="",target=""} 1',
    'kimserver_cluster_connections{namespace="shop",name="new"} 0',
    'kimserver_cluster_draining{namespace="shop",name="new"} 0',
  ]);
});
