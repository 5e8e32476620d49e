// The controller of KimClusters in this process, with the page that its operator shows to Prometheus, over an API server that a test holds.

import type { Kind } from '../../src/kube/types.ts';
import { Controller } from '../../src/operator/engine/controller.ts';
import { Health, serveHealth } from '../../src/operator/engine/health.ts';
import { addClusterMetrics } from '../../src/operator/run/cluster-metrics.ts';
import { kimClusters } from '../../src/operator/run/kinds.ts';
import type { KimClusterObject } from '../../src/operator/run/reconcile.ts';
import type { Condition } from '../../src/operator/status-types.ts';
import { silentLogger } from '../../src/ops/log.ts';
import { FaultyKube } from './kube-faults.ts';
import { until } from './until.ts';

const CLUSTERS = '/apis/kimserver.io/v1alpha1/kimclusters';
const CONFIGS = '/api/v1/configmaps';
const configMaps: Kind = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };
const LABELS = { 'kimserver.io/test': 'monitored' };

interface Ending {
  after(end: () => Promise<void> | void): void;
}

/** With KimClusters of these names in the namespace shop, all well. Each becomes one ConfigMap and nothing else. */
export async function startMonitoredOperator(t: Ending, names: readonly string[]): Promise<MonitoredOperator> {
  const kube = await FaultyKube.start(t);
  const operator = new MonitoredOperator(kube);
  for (const name of names) operator.tell(name, well);
  const controller = new Controller<KimClusterObject>({
    name: 'kimcluster',
    access: kube.access,
    primary: kimClusters,
    watched: [{ kind: configMaps, labelSelector: Object.keys(LABELS)[0]! }],
    identity: 'operator-1',
    log: silentLogger(),
    reconcile: async ({ key, object, signal }, { applier }) => {
      if (object === undefined) return;
      const { name, namespace = '', uid = '' } = object.metadata;
      const ownerReferences = [{ apiVersion: object.apiVersion, kind: object.kind, name, uid, controller: true, blockOwnerDeletion: true }];
      const metadata = { name, namespace, labels: LABELS, ownerReferences };
      const wanted = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { by: 'operator' } };
      await applier.apply(wanted, { key, signal });
    },
  });
  addClusterMetrics(controller.metrics.meter, controller.store);
  const server = await serveHealth(new Health(), () => controller.metrics.meter.text(), { host: '127.0.0.1', port: 0 });
  operator.address = `127.0.0.1:${server.port}`;
  t.after(async () => {
    await controller.stop();
    await server.close();
  });
  controller.start();
  await until(() => names.every((name) => kube.memory.get(CONFIGS, 'shop', name)), 'each KimCluster has its ConfigMap');
  return operator;
}

type Told = Pick<Condition, 'type' | 'status' | 'reason'>;

const well: readonly Told[] = [
  { type: 'Ready', status: 'True', reason: 'AllReady' },
  { type: 'Available', status: 'True', reason: 'MinimumAvailable' },
  { type: 'Degraded', status: 'False', reason: 'AsExpected' },
];

export class MonitoredOperator {
  /** Where the page of metrics is. */
  address = '';
  readonly #kube: FaultyKube;
  #told = 0;

  constructor(kube: FaultyKube) {
    this.#kube = kube;
  }

  /** The conditions of a KimCluster from now on; those that are not named are as they were when all was well. */
  tell(name: string, told: readonly Told[]): void {
    const conditions = well
      .map((one) => told.find(({ type }) => type === one.type) ?? one)
      .map((one) => ({ ...one, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }));
    // each time the object is another one: it is reconciled
    const metadata = { name, namespace: 'shop', generation: ++this.#told };
    this.#kube.put(CLUSTERS, { apiVersion: kimClusters.apiVersion, kind: kimClusters.kind, metadata, spec: {}, status: { conditions } });
  }

  /** Somebody changes what the operator owns. */
  meddle(name: string): void {
    this.#kube.edit(CONFIGS, 'shop', name, { data: { by: `somebody ${++this.#told}` } });
  }
}
