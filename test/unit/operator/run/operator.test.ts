// How an operator begins: at once, or never, or when the API server is there.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Operator } from '../../../../src/operator/run/operator.ts';
import { silentLogger } from '../../../../src/ops/log.ts';
import { CRD_NAME, CRD_REVISION, REVISION_ANNOTATION } from '../../../../src/operator/crd/crd.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { until } from '../../../support/until.ts';
import { operator as facts } from '../plan/support.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

async function server(t: TestContext): Promise<FaultyKube> {
  const kube = await FaultyKube.start(t);
  const annotations = { [REVISION_ANNOTATION]: String(CRD_REVISION) };
  kube.put(CRDS, { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: CRD_NAME, annotations } });
  // nobody has installed Prometheus
  const isMonitoring = ({ path }: { path: string }) => path === '/apis/monitoring.coreos.com/v1';
  kube.faults.push({ times: 100, when: isMonitoring, act: { status: 404, reason: 'NotFound' } });
  return kube;
}

function begin(kube: FaultyKube, isInCluster: boolean, ports = { healthPort: 0, metricsPort: 0 }): Promise<Operator> {
  return Operator.start({
    access: { ...kube.access, ...(isInCluster && { isInCluster }) },
    log: silentLogger(),
    namespace: 'ops',
    namespaces: [],
    leaseName: 'kim',
    keySecret: 'kim-key',
    facts,
    ...ports,
  });
}

/** A port that was free a moment ago. */
async function freePort(t: TestContext): Promise<number> {
  const other = await FaultyKube.start(t);
  const port = Number(other.access.server.port);
  await other.away();
  return port;
}

test('in a cluster it waits for an API server that is away, and says so to probes', async (t) => {
  const kube = await server(t);
  await kube.away();
  const ports = { healthPort: await freePort(t), metricsPort: await freePort(t) };
  const begun = begin(kube, true, ports);
  t.after(async () => (await begun).stop());
  const probe = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${ports.healthPort}${path}`);
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await probe('/readyz'), [503, 'API server: not reached yet\n']);
  assert.deepEqual(await probe('/livez'), [200, 'ok\n']);
  await kube.listen();
  const operator = await begun;
  await until(() => operator.isLeader, 'it leads');
  assert.deepEqual(await probe('/readyz'), [200, 'ok\n']);
});

test('what does not pass by itself is told at once, and so is a server that is away where nobody has promised that it comes back', async (t) => {
  const kube = await server(t);
  kube.remove(CRDS, '', CRD_NAME);
  await assert.rejects(begin(kube, true), /^Error: this cluster does not know KimClusters: kubectl apply/);
  kube.faults.push({ act: { status: 401, reason: 'Unauthorized' }, times: 2 });
  await assert.rejects(begin(kube, true), /made to fail/);
  await kube.away();
  await assert.rejects(begin(kube, false), /ECONNREFUSED/);
});

test('a port that is taken is told, and the other one is given back', async (t) => {
  const kube = await server(t);
  const [taken, free] = [Number(kube.access.server.port), await freePort(t)];
  await assert.rejects(begin(kube, true, { healthPort: free, metricsPort: taken }), /cannot listen on \*:\d+ for health and metrics/);
  const operator = await begin(kube, true, { healthPort: free, metricsPort: 0 });
  await operator.stop();
});
