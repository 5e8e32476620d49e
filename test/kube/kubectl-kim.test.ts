// kubectl kim on a real cluster, called by the real kubectl: it shows, finds, plans, drains and collects, with the rights that people have.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { before, type TestContext } from 'node:test';
import { root } from '../../scripts/support/project.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import type { Kube } from '../support/kube/kube.ts';
import { pathOf } from '../support/kube/programs.ts';
import { attempt, type Ran } from '../support/kube/run.ts';
import { Ours } from '../support/kube/ours.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { assertUnnoticed } from '../support/kube/tally.ts';
import { until } from '../support/until.ts';

const skip = noImage;
const cluster = clusterOfFile();
const image = imageOfFile(cluster);
const options = { skip, timeout: 240_000 };

const folder = mkdtempSync(join(tmpdir(), 'kubectl-kim-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
before(() => {
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin', 'kubectl-kim');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${root}/src/cli/kubectl-kim.ts" "$@"\n`);
  chmodSync(program, 0o755);
});

/** Planted wherever people put secrets. */
const SECRETS = {
  secret: 'planted-in-secret-1',
  variable: 'planted-in-variable-2',
  config: 'planted-in-config-3',
  annotation: 'planted-in-annotation-4',
};
const LOGIN = `
import { defineModule } from 'kimserver';
export default defineModule({ name: 'login', commands: { 1201: (data, { client }) => client.bind(data.toString()) } });
`;
const ROOM = 'team';

/** The environment of a user whose PATH has the plug-in. */
const environment = (kubeconfig: string) => ({ KUBECONFIG: kubeconfig, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` });

function kubectlKim(kube: Pick<Kube, 'kubeconfig'>, ...words: readonly string[]): Promise<Ran> {
  return attempt(pathOf('kubectl'), ['kim', ...words], { env: environment(kube.kubeconfig) });
}

/** A cluster with everything that is looked for later. */
async function made(t: TestContext): Promise<Scene> {
  const scene = await Scene.begin(t, cluster(), image());
  const { kube, namespace } = scene;
  await kube.apply(
    [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: ROOM }, stringData: { key: SECRETS.secret } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'login' }, data: { 'login.js': LOGIN } },
    ],
    namespace,
  );
  await scene.operator();
  const template = {
    metadata: { annotations: { 'example.org/note': SECRETS.annotation } },
    env: [
      { name: 'SHOP_MODE', value: SECRETS.variable },
      { name: 'SHOP_KEY', valueFrom: { secretKeyRef: { name: ROOM, key: 'key' } } },
    ],
  };
  const modules = {
    volumes: [{ name: 'login', configMap: { name: 'login' } }],
    volumeMounts: [{ name: 'login', mountPath: '/modules', readOnly: true }],
  };
  const spec = scene.spec(
    { replicas: 2, drain: { seconds: 30 }, template },
    { replicas: 1, modules: ['test', 'echo', './login.js'], template: modules },
  );
  // as people do it: the whole of it stands in an annotation, too
  const object = {
    apiVersion: 'kimserver.io/v1alpha1',
    kind: 'KimCluster',
    metadata: { name: 'demo', annotations: { 'example.org/note': SECRETS.annotation } },
    spec: { ...spec, discovery: { kubernetes: {}, zookeeper: { hosts: '127.0.0.1:1', auth: `me:${SECRETS.config}` } } },
  };
  const { code, stderr } = await kube.tryKubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(object));
  assert.equal(code, 0, stderr);
  await complete(scene);
  return scene;
}

/** A directory that is not there, which has the password, keeps it from being ready: all pods are. */
async function complete(scene: Scene): Promise<void> {
  await scene.until(
    'demo',
    ({ gate, logic }) => gate?.ready === 2 && gate.replicas === 2 && logic?.ready === 1 && gate.draining.length === 0,
    'all pods are ready',
  );
}

test('kubectl kim shows, finds, plans, drains and collects', options, async (t) => {
  const scene = await made(t);
  const { kube, namespace } = scene;
  const kim = (...words: readonly string[]) => kubectlKim(kube, ...words, '-n', namespace);
  const good = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await kim(...words);
    assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const refused = async (...words: readonly string[]) => {
    const { code, stderr } = await kim(...words);
    assert.notEqual(code, 0, words.join(' '));
    assert.match(stderr, /^kubectl kim: [^\n]+[^.\n]\n$/);
    return stderr;
  };
  const client = await scene.client(t, 'demo', { hello: true, requestTimeoutMs: 20_000 });
  await client.request(1201, 'alice');
  const gates = (await scene.pods('demo', 'gate')).map(({ metadata }) => metadata.name);

  await t.test('status names each pod with its numbers', async () => {
    const text = await good('status');
    for (const gate of gates) assert.match(text, new RegExp(`^gate +${gate} +\\S+ +serving +yes +1 `, 'm'));
    const { clusters } = JSON.parse(await good('status', 'demo', '-o', 'json')) as {
      clusters: { pods: { clients?: number; problem?: string }[] }[];
    };
    assert.equal(
      clusters[0]!.pods.reduce((sum, { clients = 0 }) => sum + clients, 0),
      2,
      'one on a gate, one session on a logic node',
    );
    assert.match((await kubectlKim(kube, 'status', '-A')).stdout, new RegExp(`^demo \\(namespace ${namespace}\\)`, 'm'));
    assert.match(await refused('status', 'domo'), /there is no KimCluster "domo" in namespace/);
  });

  await t.test('top prints one picture where there is no terminal', async () => {
    const text = await good('top');
    for (const gate of gates) assert.match(text, new RegExp(`^${gate} +serving +\\d+ % `, 'm'));
  });

  let home = '';
  await t.test('find says which gate has the user', async () => {
    const { found } = JSON.parse(await good('find', 'alice', '-o', 'json')) as { found: { pod: string; worker: number; remote: string }[] };
    assert.equal(found.length, 1);
    home = found[0]!.pod;
    assert.ok(gates.includes(home), home);
    assert.match(await good('find', 'alice'), new RegExp(`^user alice is connected to ${home} \\(on `));
    assert.match(await refused('find', 'bob'), /user "bob" is connected to no gate of demo/);
  });

  await t.test('plan compares a file, or what stands in the cluster, with what is there', async () => {
    assert.match(await good('plan', 'demo'), /^nothing would change/);
    const file = join(folder, 'demo.json');
    const object = JSON.parse(await kube.kubectl('get', 'kimcluster', 'demo', '-n', namespace, '-o', 'json')) as {
      spec: { gate: { workers: number } };
    };
    object.spec.gate.workers = 3;
    writeFileSync(file, JSON.stringify(object, undefined, 2));
    assert.match(await good('plan', '-f', file), /change worker_cnt from 1 to 3 in running pods/);
  });

  await t.test('a bundle has what is needed and nothing that was planted', async () => {
    const file = join(folder, 'bundle.tar.gz');
    const text = await good('debug', '--output', file);
    assert.match(text, /^pods\/demo-gate-\S+\/kimserver\.log /m);
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
    const all = execFileSync('grep', ['-rc', '', unpacked], { encoding: 'utf8' }).trim().split('\n');
    assert.ok(all.length > 40, all.join('\n'));
    for (const planted of Object.values(SECRETS)) {
      const { code, stdout } = await attempt('grep', ['-rl', planted, unpacked]);
      assert.equal(code, 1, `${planted} is in ${stdout}`);
    }
    assert.match(readFileSync(join(unpacked, 'clusters/demo/kimcluster.yaml'), 'utf8'), /auth: ["']?\*\*\*/);
    assert.match(readFileSync(join(unpacked, `pods/${home}/kimserver.log`), 'utf8'), /"msg":"node serves"/);
    assert.match(readFileSync(join(unpacked, `pods/${home}/admin/metrics.txt`), 'utf8'), /^kim_/m);
    assert.match(readFileSync(join(unpacked, 'clusters/demo/events.txt'), 'utf8'), /Deployment\/demo-gate {2}ScalingReplicaSet/);
    assert.match(await refused('debug', '--output', file), /is there already/);
  });

  await t.test('who may only view sees the state; asking pods is a right of its own', async () => {
    const viewer = await viewerOf(kube, namespace);
    const { stdout } = await kubectlKim(viewer, 'status', '-n', namespace);
    assert.match(stdout, /^not asked {3}demo-gate-[^]*: you may not ask pods/m);
    assert.match(stdout, new RegExp(`^gate +${home} +\\S+ +running +yes +- `, 'm'));
    assert.match(stdout, /^now {9}nothing moves$/m);
    assert.match((await kubectlKim(viewer, 'drain', home, '-n', namespace)).stderr, /you may not evict pods in namespace/);
    await kube.kubectl('create', 'role', 'ask', '-n', namespace, '--verb=get', '--resource=pods/proxy');
    await kube.kubectl('create', 'rolebinding', 'ask', '-n', namespace, '--role=ask', `--serviceaccount=${namespace}:viewer`);
    const asked = async () => {
      const shown = await kubectlKim(viewer, 'status', '-n', namespace);
      return /^gate .* serving /m.test(shown.stdout) && !shown.stdout.includes('not asked');
    };
    await until(asked, 'the viewer sees the numbers of pods');
  });

  await t.test('what can not be drained is refused with the cure', async () => {
    assert.match(await refused('drain', 'nobody'), /there is no pod "nobody".*"kubectl kim status" lists those/);
    await kube.kubectl('run', 'stranger', '-n', namespace, `--image=${cluster().shell}`, '--restart=Never', '--', 'true');
    assert.match(await refused('drain', 'stranger'), /pod "stranger" is not of a KimCluster/);
  });

  await t.test('a drain moves clients and is followed to its end; Ctrl-C ends the looking on alone', async (stops) => {
    const crowd = await Ours.connect({ ...(await scene.entry('demo')), clients: 40 });
    stops.after(async () => void (await crowd.stop()));
    const drain = spawn(pathOf('kubectl'), ['kim', 'drain', home, '-n', namespace], {
      env: { ...process.env, ...environment(kube.kubeconfig) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    drain.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
    const ended = new Promise<number | null>((resolve) => drain.on('close', resolve));
    await until(() => said.includes(`${home} drains`), 'the drain has begun');
    const other = gates.find((gate) => gate !== home)!;
    assert.match(
      await refused('drain', other),
      /may not leave now: the disruption budget demo-gate needs 1 healthy pods and has 1 currently; wait/,
    );
    drain.kill('SIGINT');
    assert.equal(await ended, 130);
    assert.match(said, new RegExp(`${home} goes on draining; "kubectl kim drain ${home}" shows how far it is\n$`));
    const { status } = await scene.until(
      'demo',
      ({ gate }) => gate?.draining.some(({ pod }) => pod === home) === true,
      'the status knows of the drain',
    );
    assert.equal(status!.gate!.draining.find(({ pod }) => pod === home)!.cause, 'Requested');
    const result = JSON.parse(await good('drain', home, '-o', 'json')) as { forced: number; came: string[] };
    assert.equal(result.forced, 0);
    assert.equal(result.came.length, 1);
    assert.equal((await client.request(1001)).text(), 'good job!');
    const tally = await crowd.stop();
    assertUnnoticed('clients', tally);
    assert.ok(tally.moved > 0, 'clients have moved');
    await complete(scene);
    assert.match(await good('find', 'alice'), /^user alice is connected to demo-gate-/);
  });
});

/** A kubeconfig of somebody with the rights of the role view and those of the chart for KimClusters. */
async function viewerOf(kube: Kube, namespace: string): Promise<{ kubeconfig: string }> {
  await kube.kubectl('create', 'serviceaccount', 'viewer', '-n', namespace);
  await kube.kubectl('create', 'role', 'view-kim', '-n', namespace, '--verb=get,list,watch', '--resource=kimclusters.kimserver.io');
  const account = `--serviceaccount=${namespace}:viewer`;
  await kube.kubectl('create', 'rolebinding', 'view-kim', '-n', namespace, '--role=view-kim', account);
  await kube.kubectl('create', 'rolebinding', 'view', '-n', namespace, '--clusterrole=view', account);
  const token = (await kube.kubectl('create', 'token', 'viewer', '-n', namespace)).trim();
  const config = JSON.parse(await kube.kubectl('config', 'view', '--raw', '-o', 'json')) as {
    users: object[];
    contexts: { context: { user: string } }[];
  };
  const kubeconfig = join(folder, 'viewer.json');
  const contexts = config.contexts.map((one) => ({ ...one, context: { ...one.context, user: 'viewer' } }));
  writeFileSync(kubeconfig, JSON.stringify({ ...config, contexts, users: [{ name: 'viewer', user: { token } }] }));
  return { kubeconfig };
}
