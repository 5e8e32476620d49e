// A release from beginning to end on two nodes, with the image of the project: what the README of the chart says, and nobody notices.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { createClient, type Client } from '../../src/client/index.ts';
import { root } from '../../scripts/support/project.ts';
import { CHART, runHelm, type Helm } from '../support/kube/helm.ts';
import { ownClusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage, type KimImage } from '../support/kube/image.ts';
import type { Kube, KubeObject } from '../support/kube/kube.ts';
import { noHelm, noOwnCluster } from '../support/kube/needs.ts';
import { until } from '../support/until.ts';

/** The operator looks after the whole cluster, so it has one of its own. */
const skip = [noOwnCluster, noImage, noHelm].find((reason) => reason !== false) ?? false;
/** The first one may have to build the image. */
const timeout = 30 * 60_000;

const SPACE = 'kimserver';
const OPERATOR = 'kim-kimserver-operator';

const cluster = ownClusterOfFile();
let image: KimImage;
let prepared: Promise<void> | undefined;

/** Hooks of a file run side by side, so what needs the cluster begins with the first test. */
function prepare(): Promise<void> {
  prepared ??= (async () => {
    image = await kimImage();
    await cluster().load(image.archive);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster().kube.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: SPACE, labels } }]);
  })();
  return prepared;
}

interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
}

interface Cluster extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Service extends KubeObject {
  readonly spec: { readonly ports: readonly { readonly name: string; readonly nodePort: number }[] };
}

for (const helm of ['helm', 'helm3'] as const) {
  test(
    `${helm}: install, test, upgrade, rollback, uninstall and install again; a client stays connected all the time, and no pod of its cluster is touched`,
    { skip, timeout },
    async (t) => {
      await prepare();
      const { kube } = cluster();
      await release(helm, 'install', CHART, ...withImage());
      assert.match(await runHelm(helm, ['test', 'kim', `--namespace=${SPACE}`, '--timeout=90s'], kube.kubeconfig), /Phase: +Succeeded/);

      const space = await kube.namespace(t);
      t.after(() => end(helm));
      await kube.apply(readFileSync(`${root}/manifests/kubernetes-discovery.yaml`, 'utf8'), space);
      await ready(kube, space);
      const client = await connect(t, kube, space);
      const { uids } = await pods(kube, space);
      assert.equal(uids.length, 4);
      const untouched = async (after: string) => {
        const answer = await client.request(1101, after);
        assert.deepEqual([answer.code, answer.text()], [0, after]);
        assert.deepEqual((await pods(kube, space)).uids, uids, after);
      };

      await release(helm, 'upgrade', CHART, ...withImage(), '--set=replicas=2,logLevel=debug');
      await untouched('upgrade');
      await release(helm, 'rollback', '1');
      await untouched('rollback');
      await runHelm(helm, ['uninstall', 'kim', `--namespace=${SPACE}`, '--wait'], kube.kubeconfig);
      await untouched('uninstall');
      await release(helm, 'install', CHART, ...withImage());
      // the new operator has the key of the one before, so it can tell running nodes what to do
      await kube.kubectl('-n', space, 'patch', 'kimcluster', 'small', '--type=merge', '-p', '{"spec":{"logic":{"workers":2}}}');
      await kube.waitFor<KubeObject & { readonly status?: { readonly logic?: { readonly workers?: number } } }>(
        `/apis/kimserver.io/v1alpha1/namespaces/${space}/kimclusters`,
        ([one]) => one?.status?.logic?.workers === 4,
        'both logic nodes have two workers',
      );
      await untouched('install again');
    },
  );
}

test('an operator for two namespaces looks after these with Roles alone, and leaves a third one as it is', { skip, timeout }, async (t) => {
  await prepare();
  const { kube } = cluster();
  const [one, two, three] = [await kube.namespace(t), await kube.namespace(t), await kube.namespace(t)];
  t.after(() => end('helm'));
  await release('helm', 'install', CHART, ...withImage(), `--set=namespaces={${one},${two}},rbac.crdReader=false,rbac.aggregate=false`);
  const ofCluster = await kube.kubectl('get', 'clusterroles,clusterrolebindings', '--selector=app.kubernetes.io/instance=kim', '-o=name');
  assert.equal(ofCluster, '');
  const text = readFileSync(`${root}/manifests/kubernetes-discovery.yaml`, 'utf8');
  await Promise.all([three, two, one].map((space) => kube.apply(text, space)));
  await Promise.all([ready(kube, one), ready(kube, two)]);
  const other = await kube.get<Cluster>(`/apis/kimserver.io/v1alpha1/namespaces/${three}/kimclusters/small`);
  assert.equal(other.status, undefined);
  // what it is not allowed to do would be in its log
  const log = await kube.kubectl('-n', SPACE, 'logs', `deployment/${OPERATOR}`);
  assert.doesNotMatch(log.replaceAll(/.*can not be read, so its version is not checked.*/g, ''), /forbidden/i);
});

test('the operator runs from plain YAML too', { skip, timeout }, async (t) => {
  await prepare();
  const { kube } = cluster();
  const text = readFileSync(`${root}/manifests/operator.yaml`, 'utf8').replaceAll(/\bkimserver:\d+\.\d+\.\d+/g, image.name);
  t.after(() => kube.tryKubectl(['delete', '-f', '-', '--wait=false'], text));
  await kube.kubectl('apply', '--server-side', '--force-conflicts', '-f', `${root}/crds`);
  await kube.apply(text, SPACE);
  await kube.kubectl('-n', SPACE, 'rollout', 'status', 'deployment/kimserver-operator', '--timeout=60s');
  const space = await kube.namespace(t);
  await kube.apply(readFileSync(`${root}/manifests/kubernetes-discovery.yaml`, 'utf8'), space);
  await ready(kube, space);
});

function withImage(): string[] {
  const [, repository = '', tag = ''] = /^(.*):([^:]*)$/.exec(image.name) ?? [];
  return ['--set', `image.repository=${repository},image.tag=${tag}`];
}

/** Does it and waits until the operator is ready. */
async function release(helm: Helm, command: string, ...args: readonly string[]): Promise<void> {
  const { kube } = cluster();
  await runHelm(helm, [command, 'kim', ...args, `--namespace=${SPACE}`, '--wait', '--timeout=90s'], kube.kubeconfig);
  await kube.kubectl('-n', SPACE, 'rollout', 'status', `deployment/${OPERATOR}`, '--timeout=60s');
}

async function end(helm: Helm): Promise<void> {
  await runHelm(helm, ['uninstall', 'kim', `--namespace=${SPACE}`, '--ignore-not-found', '--wait'], cluster().kube.kubeconfig);
}

async function ready(kube: Kube, space: string): Promise<void> {
  await kube.waitFor<Cluster>(
    `/apis/kimserver.io/v1alpha1/namespaces/${space}/kimclusters`,
    ([one]) => one?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    'the KimCluster is ready',
  );
}

async function pods(kube: Kube, space: string): Promise<{ uids: string[] }> {
  const { items } = await kube.get<{ items: Pod[] }>(`/api/v1/namespaces/${space}/pods`);
  return { uids: items.map(({ metadata }) => metadata.uid).sort() };
}

/** A client from outside, through the port of a machine. */
async function connect(t: TestContext, kube: Kube, space: string): Promise<Client> {
  const { spec } = await kube.get<Service>(`/api/v1/namespaces/${space}/services/small-gate`);
  const address = { host: cluster().nodes[0]!.address, port: spec.ports[0]!.nodePort };
  // the machine learns of pods that have become ready a moment later
  return until(async () => {
    const client = createClient({ ...address, reconnect: false });
    await client.connect().catch(async (error: unknown) => {
      await client.close();
      throw error;
    });
    t.after(() => client.close());
    return client;
  }, 'the port of the machine leads to a gate');
}
