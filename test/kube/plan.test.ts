// What a plan makes, before a real API server: it takes everything as it is, warns of nothing, and pods may run where only restricted ones may.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Manifest } from '../../src/operator/plan/types.ts';
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
