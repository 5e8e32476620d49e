// The test cluster itself: what runs on it runs as on any other, on two nodes, with names, Services, logs and a shell.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import test from 'node:test';
import { clusterOfFile } from '../support/kube/hooks.ts';
import type { Kube, KubeObject } from '../support/kube/kube.ts';
import { givenKubeconfig, noCluster } from '../support/kube/needs.ts';
import { until } from '../support/until.ts';

const skip = noCluster;
const noOwnDns = givenKubeconfig === undefined ? skip : 'a given cluster has a DNS of its own; unset KIM_TEST_KUBECONFIG to run this too';
const cluster = clusterOfFile();

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Service extends KubeObject {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort: number }[] };
}

const isReady = ({ status, metadata }: Pod) =>
  metadata.deletionTimestamp === undefined && (status.conditions?.some((is) => is.type === 'Ready' && is.status === 'True') ?? false);

/** Four pods that answer with their names, spread over the nodes, behind a Service with a port on every node. */
function web(image: string): object[] {
  const labels = { app: 'web' };
  const program = 'mkdir /tmp/www; hostname >/tmp/www/index.html; echo hello; exec httpd -f -p 8080 -h /tmp/www';
  const container = {
    name: 'web',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', program],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: labels },
  };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container], topologySpreadConstraints: [spread] };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
}

/** Resolves when the pod "one" is ready. */
async function startPod(kube: Kube, space: string, image: string, program: string): Promise<void> {
  const containers = [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', program] }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: { terminationGracePeriodSeconds: 0, containers } };
  await kube.apply([pod], space);
  await kube.waitFor<Pod>(`/api/v1/namespaces/${space}/pods`, (pods) => pods.some(isReady), 'the pod is ready');
}

function ask(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = get(url, { agent: false, timeout: 2000 }, (answer) => {
    let text = '';
    answer.on('data', (piece: Buffer) => (text += piece.toString()));
    answer.on('end', () => resolve(text.trim()));
  });
  asked.on('timeout', () => asked.destroy(new Error(`no answer from ${url}`)));
  asked.on('error', reject);
  return promise;
}

test('pods of a Deployment run on both nodes, and answer each other, the machine and those who ask any node', { skip }, async (t) => {
  const { kube, nodes, shell } = cluster();
  const space = await kube.namespace(t);
  await kube.apply(web(shell), space);
  const pods = await kube.waitFor<Pod>(
    `/api/v1/namespaces/${space}/pods`,
    (all) => all.filter(isReady).length === 4,
    'four pods are ready',
  );
  assert.deepEqual(new Set(pods.map(({ spec }) => spec.nodeName)), new Set(nodes.map(({ name }) => name)));

  const names = pods.map(({ metadata }) => metadata.name);
  const { spec } = await kube.get<Service>(`/api/v1/namespaces/${space}/services/web`);
  for (const { address } of nodes) {
    const answer = await until(() => ask(`http://${address}:${spec.ports[0]!.nodePort}/`), `the Service answers on ${address}`);
    assert.ok(names.includes(answer), answer);
  }
  for (const { metadata, status } of pods) assert.equal(await ask(`http://${status.podIP}:8080/`), metadata.name);

  const inPod = (...command: readonly string[]) => kube.kubectl('exec', '-n', space, names[0]!, '--', ...command);
  const found = await inPod('nslookup', `web.${space}.svc.cluster.local`);
  assert.ok(found.includes(spec.clusterIP), `DNS knows the Service: ${found}`);
  const asking = String.raw`for i in $(seq 20); do printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 web 80 | tail -n 1; done`;
  const answered = new Set((await inPod('sh', '-c', asking)).trim().split('\n'));
  const nodeOf = (name: string) => pods.find(({ metadata }) => metadata.name === name)?.spec.nodeName;
  assert.equal(new Set([...answered].map(nodeOf)).size, 2, `pods of both nodes answered: ${[...answered].join(', ')}`);
});

test('kubectl logs and kubectl exec reach into pods, and a pod reaches the API server as itself', { skip }, async (t) => {
  const { kube, shell } = cluster();
  const space = await kube.namespace(t);
  await startPod(kube, space, shell, 'echo seen; exec sleep 1000');
  assert.equal(await kube.kubectl('logs', '-n', space, 'one'), 'seen\n');
  const inPod = async (script: string) => (await kube.kubectl('exec', '-n', space, 'one', '--', 'sh', '-c', script)).trim();
  assert.equal(await inPod('echo $((6 * 7)); exit 0'), '42');
  assert.equal(await inPod('nc -w 3 kubernetes.default.svc 443 </dev/null && echo connected'), 'connected');
  const token = await inPod('cat /var/run/secrets/kubernetes.io/serviceaccount/token');
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const { stdout } = await kube.tryKubectl(['create', '-f', '-', '-o', 'jsonpath={.status.user.username}'], JSON.stringify(review));
  assert.equal(stdout, `system:serviceaccount:${space}:default`);
});

test('names that are not of the cluster do not exist for pods', { skip: noOwnDns }, async (t) => {
  const { kube, shell } = cluster();
  const space = await kube.namespace(t);
  await startPod(kube, space, shell, 'exec sleep 1000');
  const { code, stdout } = await kube.tryKubectl(['exec', '-n', space, 'one', '--', 'nslookup', 'nobody.example']);
  assert.notEqual(code, 0);
  assert.match(stdout, /NXDOMAIN/);
});
