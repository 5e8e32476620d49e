// The commands of the README and of docs/kubernetes.md are typed on two nodes as they stand there, one after another.

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../../scripts/support/project.ts';
import { ownClusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage } from '../support/kube/image.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { noHelm, noOwnCluster } from '../support/kube/needs.ts';
import type { KimClusterSeen } from '../support/kube/operated.ts';
import { pathOf, providePrograms } from '../support/kube/programs.ts';
import { run } from '../support/kube/run.ts';
import { noZookeeperImage, zookeeperImage } from '../support/kube/zookeeper-image.ts';

const skip = [noOwnCluster, noImage, noZookeeperImage, noHelm].find((reason) => reason !== false) ?? false;
/** The first one may have to build the images. */
const timeout = 30 * 60_000;
const BLOCK_MS = 5 * 60_000;

const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
const readme = readFileSync(`${root}/README.md`, 'utf8');
const troubleshooting = readFileSync(`${root}/docs/troubleshooting.md`, 'utf8');
const page = readFileSync(`${root}/docs/kubernetes.md`, 'utf8');
/** What a person has who types these: the tree. */
const TREE = ['charts', 'crds', 'manifests'];

let folder = '';

const cluster = ownClusterOfFile(async (there) => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'kim-readme-'));
  for (const name of TREE) cpSync(join(root, name), join(folder, name), { recursive: true });
  await providePrograms(['helm']);
  const [kim, zookeeper] = [await kimImage(), await zookeeperImage()];
  await Promise.all([kim, zookeeper].map(({ archive }) => there.load(archive)));
  // short names are of Docker's registry; the second is that of the page, which is about another version
  await there.tag(kim.name, `docker.io/library/kimserver:${version}`);
  await there.tag(kim.name, 'registry.example/kimserver:0.1.1');
  await there.tag(zookeeper.name, 'docker.io/library/zookeeper:3.9');
});
after(() => folder && rm(folder, { recursive: true, force: true }));

interface Block {
  readonly heading: string;
  readonly text: string;
}

/** Those that are to be typed, under their headings. */
function blocksOf(text: string): Block[] {
  const parts = text.matchAll(/^## (?<heading>.*)$|^```sh\n(?<text>[^]*?)^```$/gm);
  let heading = '';
  return [...parts].flatMap(({ groups = {} }) => {
    heading = groups['heading'] ?? heading;
    return groups['text'] === undefined ? [] : [{ heading, text: groups['text'] }];
  });
}

/** As in a terminal: helm and kubectl are found, and know which cluster is meant. */
function type(text: string): Promise<string> {
  const path = [pathOf('helm'), pathOf('kubectl')].map((file) => dirname(file));
  const env = {
    PATH: [...path, process.env['PATH'] ?? ''].join(delimiter),
    KUBECONFIG: cluster().kube.kubeconfig,
    ...{ HELM_CONFIG_HOME: join(folder, 'helm'), HELM_CACHE_HOME: join(folder, 'helm'), HELM_DATA_HOME: join(folder, 'helm') },
  };
  return run('sh', ['-euc', `cd '${folder}'\n${text}`], { env, maxMs: BLOCK_MS });
}

const [first] = blocksOf(readme).filter(({ heading }) => heading === 'On Kubernetes');

test('the three commands of the README install the operator, make a cluster, and are answered by it', { skip, timeout }, async (t) => {
  const lines = first!.text.trim().split('\n');
  assert.equal(lines.length, 3);
  const [install, apply, call] = lines as [string, string, string];
  const begun = performance.now();
  const notes = await type(install);
  for (const line of apply.split(' && ').concat(call)) {
    assert.ok(
      notes.includes(`  ${line.replace('kubectl', 'kubectl -n default')}\n`),
      `the notes of the chart do not say ${line}: ${notes}`,
    );
  }
  const installed = performance.now();
  await type(apply);
  t.diagnostic(`installed after ${seconds(begun, installed)}, the cluster is ready after ${seconds(installed, performance.now())} more`);
  const answer = await type(call);
  for (const word of ['1002', 'ok', 'good job!']) assert.ok(answer.includes(word), answer);
});

test('docs/kubernetes.md begins with them, and whoever types on does what it says, to the end', { skip, timeout }, async (t) => {
  const blocks = blocksOf(page);
  assert.deepEqual(blocks[0], { heading: 'Install', text: first!.text });
  const under = (heading: string) => blocks.slice(1).filter((block) => block.heading === heading);
  const typed = async (heading: string): Promise<string> => {
    const begun = performance.now();
    const said = [];
    for (const { text } of under(heading)) said.push(await type(text));
    t.diagnostic(`${heading}: ${seconds(begun, performance.now())}`);
    return said.join('\n');
  };
  assert.match(await typed('Install'), /Phase: +Succeeded[^]*demo +1\/1 +2\/2[^]*AllReady[^]*FIELDS:/);

  await typed('Scale');
  const { status: scaled } = await demo();
  assert.deepEqual([scaled!.gate!.workers, scaled!.gate!.ready, scaled!.logic!.workers, scaled!.logic!.ready], [8, 2, 2, 1]);

  const [looks] = blocksOf(troubleshooting);
  const seen = await type(looks!.text.replaceAll('NAME', 'demo').replaceAll('POD', 'deploy/demo-gate'));
  assert.match(seen, /AllReady[^]*Degraded[^]*DrainFinished[^]*workers[^]*operator started/);

  await typed('Upgrade');
  const { items: pods } = await cluster().kube.get<{ items: Pod[] }>(
    '/api/v1/namespaces/default/pods?labelSelector=kimserver.io/cluster=demo',
  );
  const nodes = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined && !metadata.name.includes('zookeeper'));
  assert.deepEqual(
    nodes.map(({ spec }) => spec.containers[0]?.image),
    Array.from({ length: 3 }, () => 'registry.example/kimserver:0.1.1'),
  );

  await typed('Back up');
  const { spec } = await demo();
  const [{ text: uninstall }] = under('Uninstall') as [Block];
  const [remove = ''] = uninstall.split('\n');
  await type(remove);
  await type('kubectl apply -f kimclusters.yaml');
  assert.deepEqual((await demo()).spec, spec);

  await typed('Uninstall');
  for (const what of ['crd/kimclusters.kimserver.io', 'namespace/kimserver']) {
    assert.match((await cluster().kube.tryKubectl(['get', what])).stderr, /NotFound/);
  }
  const [, ...plain] = /Without Helm it is `(.*?)` and `(.*?)`/.exec(page) ?? [];
  assert.equal(plain.length, 2);
  for (const command of plain) await type(command);
  await cluster().kube.kubectl('-n', 'kimserver', 'rollout', 'status', 'deployment/kimserver-operator', '--timeout=60s');

  const headings = new Set(blocks.map(({ heading }) => heading));
  assert.deepEqual([...headings], ['Install', 'Scale', 'Upgrade', 'Back up', 'Uninstall'], 'each block of the page is typed here');
});

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

function demo(): Promise<KimClusterSeen & { readonly spec: object }> {
  return cluster().kube.get('/apis/kimserver.io/v1alpha1/namespaces/default/kimclusters/demo');
}

function seconds(from: number, to: number): string {
  return `${((to - from) / 1000).toFixed(1)} s`;
}
