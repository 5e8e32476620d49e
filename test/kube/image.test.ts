// The image of the project: what is in it, and a gate that runs from it under the strictest rules that a namespace can have.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { before, test } from 'node:test';
import { createClient, type Client } from '../../src/client/index.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage, type KimImage } from '../support/kube/image.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { run } from '../support/kube/run.ts';
import { until } from '../support/until.ts';

const skip = noImage;
const MAX_BYTES = 300e6;
const BUILD_MS = 30 * 60_000;
const GRACE_SECONDS = 30;

interface Pod extends KubeObject {
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
    }[];
  };
}

interface Service extends KubeObject {
  readonly spec: { readonly ports: readonly { readonly nodePort: number }[] };
}

const cluster = clusterOfFile();
let image: KimImage;
before(
  async () => {
    if (skip === false) image = await kimImage();
  },
  { timeout: BUILD_MS },
);

/** 2001 is answered when 2003 comes: so a request is in flight for as long as a test likes. */
const MODULE = `
import { defineModule } from 'kimserver';

const asked = Promise.withResolvers<string>();
export default defineModule({
  name: 'waiting',
  commands: {
    2001: () => asked.promise,
    2003: (data) => asked.resolve(String(data)),
  },
});
`;

const CONFIG = {
  server_name: 'image-gate',
  node_type: 'gate',
  worker_cnt: 1,
  gate_host: '0.0.0.0',
  gate_port: 3355,
  admin_host: '0.0.0.0',
  admin_port: 9355,
  modules: ['echo', '/modules/waiting.ts'],
  drain_ms: 20_000,
};

function gate(name: string): object[] {
  const labels = { app: 'gate' };
  const container = {
    name: 'gate',
    image: name,
    imagePullPolicy: 'IfNotPresent',
    args: ['node', '/config/node.json'],
    ports: [{ containerPort: 3355 }],
    readinessProbe: { httpGet: { path: '/readyz', port: 9355 }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: '/livez', port: 9355 } },
    volumeMounts: [
      { name: 'config', mountPath: '/config' },
      { name: 'modules', mountPath: '/modules' },
    ],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  const volumes = ['config', 'modules'].map((volume) => ({ name: volume, configMap: { name: volume } }));
  const spec = {
    terminationGracePeriodSeconds: GRACE_SECONDS,
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes,
  };
  // the finalizer keeps the pod to be looked at when it has ended
  const metadata = { name: 'gate', labels, finalizers: ['kimserver.io/test'] };
  const ports = [{ port: 3355, targetPort: 3355 }];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { 'node.json': JSON.stringify(CONFIG) } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'modules' }, data: { 'waiting.ts': MODULE } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'gate' }, spec: { type: 'NodePort', selector: labels, ports } },
  ];
}

test('the image is small, has labels and a number as its user, and starts the program without a shell', { skip }, async () => {
  const { archive, name } = image;
  assert.ok(statSync(archive).size < MAX_BYTES, `${statSync(archive).size} bytes`);
  const read = async <T>(file: string) => JSON.parse(await run('tar', ['-xOf', archive, file])) as T;
  const [entry] = await read<{ Config: string; RepoTags: string[]; Layers: string[] }[]>('manifest.json');
  assert.deepEqual(entry?.RepoTags, [name]);
  const { config } = await read<{ config: Record<string, unknown> & { Labels: Record<string, string> } }>(entry.Config);
  assert.equal(config['User'], '10001:10001');
  assert.deepEqual(config['Entrypoint'], ['/usr/local/bin/node', '/app/dist/cli/main.js']);
  assert.equal(config['StopSignal'], 'SIGTERM');
  for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'source'])
    assert.ok(`org.opencontainers.image.${label}` in config.Labels, label);
  assert.equal(entry.Layers.length, 1);
  const files = (await run('sh', ['-c', `tar -xOf "$0" "$1" | tar -t`, archive, entry.Layers[0]!])).split('\n');
  const found = (file: string) => files.some((path) => path === file || path.startsWith(`${file}/`));
  for (const file of ['app/dist/index.js', 'app/manifests/quickstart.yaml', 'app/LICENSE', 'usr/local/bin/kim'])
    assert.ok(found(file), file);
  for (const file of ['app/src', 'app/scripts', 'app/node_modules/typescript', 'bin', 'usr/local/bin/npm']) assert.ok(!found(file), file);
});

test(
  'a gate of the image serves clients through a NodePort under restricted pod security, and drains when its pod is deleted',
  { skip, timeout: 180_000 },
  async (t) => {
    const { kube, nodes, load } = cluster();
    await load(image.archive);
    const space = await kube.namespace(t);
    await kube.kubectl('label', 'namespace', space, 'pod-security.kubernetes.io/enforce=restricted');
    await kube.apply(gate(image.name), space);
    t.after(() => kube.kubectl('-n', space, 'patch', 'pod', 'gate', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'));
    const pods = (isSo: (pod: Pod) => boolean, what: string) =>
      kube.waitFor<Pod>(`/api/v1/namespaces/${space}/pods`, ([pod]) => pod !== undefined && isSo(pod), what);
    const [ready] = await pods(({ status }) => status.containerStatuses?.[0]?.ready === true, 'the gate is ready');
    assert.match(await kube.kubectl('-n', space, 'exec', 'gate', '--', 'kim', 'status', '127.0.0.1:9355'), /image-gate/);

    const { spec } = await kube.get<Service>(`/api/v1/namespaces/${space}/services/gate`);
    const address = { host: nodes[0]!.address, port: spec.ports[0]!.nodePort };
    // the node learns of a pod that has become ready a moment later
    const first = await until(open, 'the port of the node leads to the gate');
    const second = await open();
    assert.equal((await first.request(1101, 'hello')).text(), 'hello');
    assert.equal((await second.request(1101, 'hello')).text(), 'hello');

    const waiting = first.request(2001, 'wait', { timeoutMs: 60_000 });
    await kube.kubectl('-n', space, 'delete', 'pod', 'gate', '--wait=false');
    await until(async () => (await stateOf(ready!.status.podIP!)) === 'draining', 'the gate drains');
    await second.request(2003, 'answered while draining', { timeoutMs: 60_000 });
    assert.equal((await waiting).text(), 'answered while draining');

    const [ended] = await pods(({ status }) => status.containerStatuses?.[0]?.state.terminated !== undefined, 'the gate has ended');
    const { terminated } = ended!.status.containerStatuses![0]!.state;
    assert.deepEqual([terminated?.exitCode, terminated?.reason], [0, 'Completed']);

    async function open(): Promise<Client> {
      const client = createClient(address);
      t.after(() => client.close());
      await client.connect();
      return client;
    }
  },
);

async function stateOf(host: string): Promise<string> {
  const response = await fetch(`http://${host}:9355/readyz`);
  return ((await response.json()) as { state: string }).state;
}
