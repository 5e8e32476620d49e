// What a plan makes, before a real API server: it takes everything as it is, warns of nothing, and pods may run where only restricted ones may.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { clusterOf, type KimCluster } from '../../src/config/cluster.ts';
import type { Manifest } from '../../src/operator/plan/types.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { folderOf, kim as run } from '../support/kim.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { kim, World } from '../unit/operator/plan/support.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();

const GATE = 'listeners: [{ port: 3355 }]';
const situations: Readonly<Record<string, string>> = {
  'all that is usual': `{ gate: { replicas: 2, ${GATE} }, logic: { replicas: 3, modules: [test] } }`,
  'ZooKeeper with volumes': `{ gate: { ${GATE} }, discovery: { zookeeper: { managed: { replicas: 5, storage: { size: 1Gi, retain: true }, resources: { requests: { cpu: 1 }, limits: { memory: 1Gi } } } } } }`,
  'discovery by Kubernetes, and passwords': `{ gate: { ${GATE} }, logic: {}, discovery: { zookeeper: { hosts: "zk:2181", authSecret: { name: zk } }, kubernetes: {} }, stores: { redis: { secretRef: { name: redis } } } }`,
  'a load balancer': `{ gate: { ${GATE}, service: { type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerClass: example.com/lb, loadBalancerSourceRanges: [10.0.0.0/8] } }, discovery: { kubernetes: {} } }`,
  'modules and much beside the node': `
modules: { image: "shop:7" }
imagePullSecrets: [{ name: registry }]
gate:
  ${GATE}
  modules: [./shop.ts]
  drain: { seconds: 1.5 }
  resources: { requests: { cpu: 500m, memory: 256Mi }, limits: { memory: 1Gi } }
  update: { maxSurge: 25%, maxUnavailable: 1 }
  template:
    topologySpreadConstraints: [{ topologyKey: rack }]
    tolerations: [{ key: gates, operator: Exists, effect: NoExecute }]
    env: [{ name: SHOP, valueFrom: { secretKeyRef: { name: shop, key: id } } }]
    envFrom: [{ secretRef: { name: shop } }]
    volumes: [{ name: cache, emptyDir: {} }]
    volumeMounts: [{ name: cache, mountPath: /cache }]
    containers: [{ name: proxy, image: "proxy:1" }]
    initContainers: [{ name: wait, image: "wait:1" }]
networkPolicy: { from: [{ ipBlock: { cidr: 10.0.0.0/8 } }], metricsFrom: [{ namespaceSelector: {} }] }
discovery: { kubernetes: {} }
`,
};

/** The pods that a Deployment or StatefulSet would make. */
function podOf({ metadata, ...object }: Manifest): object {
  const { template, volumeClaimTemplates = [] } = object['spec'] as {
    template: { metadata: object; spec: { volumes: object[] } };
    volumeClaimTemplates?: { metadata: { name: string } }[];
  };
  const claims = volumeClaimTemplates.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: `${name}-0` } }));
  const spec = { ...template.spec, volumes: [...template.spec.volumes, ...claims] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, name: `${metadata.name}-0` }, spec };
}

for (const [name, spec] of Object.entries(situations)) {
  test(`${name}: taken without a warning, in a namespace for restricted pods`, { skip }, async (t) => {
    const { kube } = plane();
    const namespace = await kube.namespace(t);
    const levels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
    await kube.kubectl('label', 'namespace', namespace, ...levels);
    const { apply } = new World(kim(spec, { namespace })).plan();
    // pods need their accounts
    await kube.apply(apply.filter(({ kind }) => kind === 'ServiceAccount').map(withoutOwner), namespace);
    const pods = apply.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind)).map(podOf);
    assert.ok(pods.length > 0);
    for (const objects of [apply, pods]) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      const dryRun = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts', '-n', namespace, '-f', '-'];
      const { code, stdout, stderr } = await kube.tryKubectl(dryRun, list);
      assert.equal(stderr, '');
      assert.equal(code, 0);
      assert.equal(stdout.trim().split('\n').length, objects.length, stdout);
    }
  });
}

/** Its owner is not there, so that it would be removed at once. */
function withoutOwner({ metadata, ...object }: Manifest): object {
  const { ownerReferences: _owners, ...kept } = metadata;
  return { ...object, metadata: kept };
}

/** As the API server has it, with its uid. */
async function made(t: TestContext, text: string): Promise<{ cluster: KimCluster; namespace: string }> {
  const { kube } = plane();
  const namespace = await kube.namespace(t);
  await defineClusters(kube);
  await kube.apply(text, namespace);
  const object = await kube.get(`/apis/kimserver.io/v1alpha1/namespaces/${namespace}/kimclusters/demo`);
  return { cluster: clusterOf(object, 'demo').cluster, namespace };
}

const fileOf = (replicas: number, more: string) => `
apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: demo }
spec:
  ${more}
  gate: { replicas: ${replicas}, listeners: [{ port: 3355 }], resources: { requests: { cpu: 1500m, memory: 1024Mi }, limits: { cpu: 2000m } } }
  logic: { modules: [test] }
  modules: { image: "shop:7" }
  networkPolicy: { metricsFrom: [{ namespaceSelector: {} }] }
`;

test('kim plan --against cluster says what would change, and nothing where everything is as the file says', { skip }, async (t) => {
  const { kube } = plane();
  const { cluster, namespace } = await made(t, fileOf(2, ''));
  const world = new World(cluster);
  await kube.apply(world.plan().apply, namespace);
  const ask = async (text: string, ...words: string[]) => {
    const file = `${folderOf(t, { 'demo.yaml': text })}/demo.yaml`;
    const where = ['--against', 'cluster', '-n', namespace, '--kubeconfig', kube.kubeconfig];
    const { code, out, err } = await run(['plan', '-f', file, ...where, ...words]);
    assert.equal(code, 0, err);
    return out;
  };
  assert.equal(await ask(fileOf(2, '')), `nothing would change in namespace ${namespace}\n`);
  assert.equal(
    await ask(fileOf(4, 'deletionPolicy: Drain')),
    `grow Deployment demo-gate from 2 to 4 pods\n1 change in namespace ${namespace}; no connection would move\n`,
  );
  const { changes, connections } = JSON.parse(await ask(fileOf(1, 'image: "kimserver:9"'), '-o', 'json')) as {
    changes: string[];
    connections: number;
  };
  assert.deepEqual(
    [changes.length, connections, changes.every((line) => /^(replace|shrink) .*(Deployment demo-(gate|logic))/.test(line))],
    [3, 0, true],
    changes.join('\n'),
  );
  const file = `${folderOf(t, { 'demo.yaml': fileOf(2, 'discovery: { kubernetes: {} }') })}/demo.yaml`;
  const refused = await run(['plan', '-f', file, '--against', 'cluster', '-n', namespace, '--kubeconfig', kube.kubeconfig]);
  assert.equal(refused.code, 255);
  assert.match(refused.err, /discovery would have no directory in common with what runs/);
  // nothing is there under another namespace, and who may look at nothing is told so
  const other = await run(['plan', '-f', file, '--against', 'cluster', '-n', `${namespace}-x`, '--kubeconfig', kube.kubeconfig]);
  assert.match(other.out, /^create ServiceAccount demo-logic$/m);
});
