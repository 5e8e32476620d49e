// A KimCluster becomes its objects, with few requests, whatever of it can not be done.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { Controller } from '../../../../src/operator/engine/controller.ts';
import { CLUSTER_LABEL, autoscalers, kimClusters, ownedKinds, pods } from '../../../../src/operator/run/kinds.ts';
import { NodeClient } from '../../../../src/operator/run/node-client.ts';
import { Reconciler, type KimClusterObject } from '../../../../src/operator/run/reconcile.ts';
import { silentLogger } from '../../../../src/ops/log.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { until } from '../../../support/until.ts';
import { operator } from '../plan/support.ts';

const CLUSTERS = '/apis/kimserver.io/v1alpha1/kimclusters';
const DEPLOYMENTS = '/apis/apps/v1/deployments';
const spec = { gate: { listeners: [{ port: 3355 }] }, logic: { modules: ['test'] }, discovery: { kubernetes: {} } };
const demo = {
  apiVersion: kimClusters.apiVersion,
  kind: kimClusters.kind,
  metadata: { name: 'demo', namespace: 'shop', generation: 1 },
  spec,
};
const quick = {
  backoff: { minMs: 5, maxMs: 3_600_000 },
  reflector: { backoff: { minMs: 5, maxMs: 20 } },
  settleMs: 1,
  graceMs: 2000,
};

async function start(t: TestContext) {
  const kube = await FaultyKube.start(t);
  const reconciler = new Reconciler({
    nodes: new NodeClient(generateKeyPairSync('ed25519').privateKey),
    facts: operator,
    hasServiceMonitors: false,
    log: silentLogger(),
  });
  const controller = new Controller<KimClusterObject>({
    name: 'kimcluster',
    access: kube.access,
    primary: kimClusters,
    watched: [...[...ownedKinds, pods].map((kind) => ({ kind, labelSelector: CLUSTER_LABEL })), { kind: autoscalers }],
    reconcile: reconciler.reconcile,
    identity: 'one',
    log: silentLogger(),
    rules: quick,
  });
  t.after(() => controller.stop());
  const made = (collection: string) => kube.memory.list(collection).map(({ metadata }) => metadata.name);
  const status = () => (kube.memory.get(CLUSTERS, 'shop', 'demo') as KimClusterObject | undefined)?.status;
  /** Requests about one object, by method and path. */
  const asked = () => {
    const counts = new Map<string, number>();
    for (const { method, path, query } of kube.received) {
      if (query.has('watch') || query.has('limit') || path.endsWith('/status') || path.includes('/events')) continue;
      counts.set(`${method} ${path}`, (counts.get(`${method} ${path}`) ?? 0) + 1);
    }
    return counts;
  };
  return { kube, controller, made, status, asked };
}

test('each object is asked for once before it is made, and made once', async (t) => {
  const { kube, controller, made, status, asked } = await start(t);
  kube.put(CLUSTERS, demo);
  controller.start();
  await until(() => made(DEPLOYMENTS).length === 2 && status()?.observedGeneration === 1, 'it is made');
  const counts = asked();
  const gets = [...counts].filter(([what]) => what.startsWith('GET '));
  assert.ok(gets.length >= 12, `${gets.length} objects were asked for`);
  assert.deepEqual([...new Set(gets.map(([, n]) => n))], [1]);
  const writes = [...counts].filter(([what]) => what.startsWith('PATCH '));
  assert.deepEqual([...new Set(writes.map(([, n]) => n))], [1]);
  assert.equal(writes.length, gets.length);
});

test('what can not be made holds up nothing else, is counted, and is made when it can be', async (t) => {
  const { kube, controller, made, status } = await start(t);
  kube.faults.push({
    times: 3,
    when: ({ method, path }) => method === 'PATCH' && path.includes('/services/demo-gate'),
    act: { status: 403, reason: 'Forbidden' },
  });
  kube.put(CLUSTERS, demo);
  controller.start();
  await until(() => made(DEPLOYMENTS).length === 2 && status()?.observedGeneration === 1, 'everything else is made');
  await until(() => made('/api/v1/services').includes('demo-gate'), 'and what could not be, later');
  assert.match(controller.metrics.meter.text(), /reconcile_errors_total\{controller="kimcluster"\} [1-9]/);
});

test('an object of somebody else is left as it is, and everything else is made', async (t) => {
  const { kube, controller, made, status } = await start(t);
  const theirs = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'demo-gate', namespace: 'shop', labels: {} }, spec: { ports: [] } };
  const before = kube.put('/api/v1/services', theirs);
  kube.put(CLUSTERS, demo);
  controller.start();
  const degraded = () => status()?.conditions?.find(({ type }) => type === 'Degraded');
  await until(() => made(DEPLOYMENTS).length === 2 && degraded()?.status === 'True', 'it is said');
  assert.match(degraded()!.message, /demo-gate/);
  assert.deepEqual(kube.memory.get('/api/v1/services', 'shop', 'demo-gate'), before);
});

test('what an autoscaler has set meanwhile is not overwritten, and without one it is', async (t) => {
  const { kube, controller, made, asked } = await start(t);
  const GATE = 'PATCH /apis/apps/v1/namespaces/shop/deployments/demo-gate';
  kube.put(CLUSTERS, demo);
  controller.start();
  await until(() => made(DEPLOYMENTS).length === 2, 'it is made');
  const forced = () =>
    kube.received.filter(({ method, path, query }) => `${method} ${path}` === GATE && query.get('force') === 'true').length;
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "hpa" using apps/v1', field: '.spec.replicas' }];
  const scaledBehindOurBack = async (replicas: number) => {
    const before = asked().get(GATE) ?? 0;
    kube.faults.push({
      when: ({ method, path }) => `${method} ${path}` === GATE,
      act: { status: 409, reason: 'Conflict', details: { causes } },
    });
    kube.edit(DEPLOYMENTS, 'shop', 'demo-gate', { spec: { replicas } });
    await until(() => (asked().get(GATE) ?? 0) >= before + 2, 'it was applied again');
  };
  await scaledBehindOurBack(7);
  assert.equal(forced(), 1);
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo-gate' };
  const hpa = { ...autoscalers, metadata: { name: 'hpa', namespace: 'shop' }, spec: { scaleTargetRef: target } };
  kube.put('/apis/autoscaling/v2/horizontalpodautoscalers', hpa);
  await until(() => controller.store.list(autoscalers).length === 1, 'the autoscaler is seen');
  await scaledBehindOurBack(9);
  assert.equal(forced(), 1);
});

test('what the API server refuses for good is told in the status, until it is taken', async (t) => {
  const { kube, controller, status } = await start(t);
  const isGate = ({ method, path }: { method: string; path: string }) => method === 'PATCH' && path.endsWith('/deployments/demo-gate');
  kube.faults.push({ times: 1000, when: isGate, act: { status: 422, reason: 'Invalid' } });
  kube.put(CLUSTERS, demo);
  controller.start();
  const degraded = () => status()?.conditions?.find(({ type }) => type === 'Degraded');
  await until(() => degraded()?.reason === 'Refused', 'it is told');
  assert.match(degraded()!.message, /deployments\/demo-gate/);
  kube.faults.splice(0);
  kube.edit(CLUSTERS, 'shop', 'demo', { metadata: { generation: 2 } });
  await until(() => degraded()?.reason === 'AsExpected', 'it is taken');
});

test('a spec that can not be understood changes nothing, and its status says what is wrong', async (t) => {
  const { kube, controller, made, status } = await start(t);
  kube.put(CLUSTERS, demo);
  controller.start();
  await until(() => made(DEPLOYMENTS).length === 2 && status()?.observedGeneration === 1, 'it is made');
  const writes = () => kube.received.filter(({ method, path }) => method === 'PATCH' && !path.endsWith('/status')).length;
  const before = writes();
  kube.edit(CLUSTERS, 'shop', 'demo', { metadata: { generation: 2 }, spec: { ...spec, gate: { listeners: [] } } });
  const valid = () => status()?.conditions?.find(({ type }) => type === 'ConfigValid');
  await until(() => valid()?.status === 'False', 'it is said');
  assert.match(valid()!.message, /listeners/);
  assert.equal(writes(), before);
  assert.equal(made(DEPLOYMENTS).length, 2);
});
