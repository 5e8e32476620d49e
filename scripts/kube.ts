// npm run kube: a real Kubernetes on this machine, two nodes, for trying things by hand and for tests that run again and again.
// usage: npm run kube -- up | down | status | kubectl ARGUMENTS... | load IMAGE

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { attach, startCluster } from '../test/support/kube/cluster.ts';
import { kubeconfigOf } from '../test/support/kube/control-plane.ts';
import { downUnused } from '../test/support/kube/down.ts';
import { Kube } from '../test/support/kube/kube.ts';
import { givenKubeconfig, noCluster } from '../test/support/kube/needs.ts';
import { isAlive } from '../test/support/kube/owner.ts';
import { pathOf, providePrograms } from '../test/support/kube/programs.ts';
import { remainsOf } from '../test/support/kube/remains.ts';
import { run } from '../test/support/kube/run.ts';
import { ownerOf, slots, type Slot } from '../test/support/kube/slot.ts';

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  up: () => up(),
  down: () => takeDown(),
  status: () => status(),
  kubectl: (args) => kubectl(args),
  load: (args) => load(args),
};

const [name = '', ...rest] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(`unknown command "${name}"; there are: ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
try {
  await command(rest);
} catch (error) {
  console.error(`kube: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function up(): Promise<void> {
  if (givenKubeconfig !== undefined) throw new Error('KIM_TEST_KUBECONFIG names a cluster already; unset it to start another');
  if (noCluster !== false) throw new Error(noCluster);
  const running = slots().find((slot) => ownerOf(slot) === 'stays');
  if (running !== undefined && (await answers(running))) {
    console.log(`a cluster is up already\n${howTo(running)}`);
    return;
  }
  // also one whose processes went with the machine
  await downUnused({ stays: true });
  const start = performance.now();
  const { slot } = await startCluster({ stays: true });
  console.log(`two nodes are ready after ${((performance.now() - start) / 1000).toFixed(1)} s\n${howTo(slot)}`);
}

async function takeDown(): Promise<void> {
  const gone = await downUnused({ stays: true });
  console.log(gone.length === 0 ? 'there was nothing to take down' : `taken down: ${gone.map(({ folder }) => folder).join(', ')}`);
  const used = slots();
  if (used.length > 0) console.log(`left alone, since a run still uses it: ${used.map(({ folder }) => folder).join(', ')}`);
}

async function status(): Promise<void> {
  if (slots().length === 0) console.log('no cluster runs here; npm run kube -- up starts one');
  for (const slot of slots()) {
    const owner = ownerOf(slot);
    const whose =
      owner === undefined || owner === 'stays'
        ? 'stays until npm run kube -- down'
        : `of process ${owner.pid}, which ${isAlive(owner) ? 'runs' : 'is gone: npm run kube -- down removes what is left'}`;
    const word = (await answers(slot)) ? 'answers' : 'does not answer';
    console.log(`${slot.folder}: ${whose}; ${remainsOf(slot).processes.length} processes; its API server ${word}`);
  }
}

async function kubectl(args: readonly string[]): Promise<void> {
  await providePrograms(['kubectl']);
  const { status: code } = spawnSync(pathOf('kubectl'), args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: kubeconfig() } });
  process.exitCode = code ?? 1;
}

/** An archive, or an image in the store of buildah. */
async function load([image, ...more]: readonly string[]): Promise<void> {
  if (image === undefined || more.length > 0)
    throw new Error('load takes one argument: an archive, or the name of an image that buildah has');
  const cluster = await attach(kubeconfig());
  const archive = resolve(process.env['INIT_CWD'] ?? '.', image);
  if (existsSync(archive)) {
    await cluster.load(archive);
  } else {
    const folder = mkdtempSync(join(tmpdir(), 'kim-load-'));
    try {
      await run('buildah', ['push', image, `docker-archive:${folder}/image.tar:${image}`], { maxMs: 5 * 60_000 });
      await cluster.load(join(folder, 'image.tar'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  console.log(`${image} is on ${cluster.nodes.map((node) => node.name).join(' and ')}`);
}

function kubeconfig(): string {
  const slot = slots().find((place) => ownerOf(place) === 'stays');
  const found = givenKubeconfig ?? (slot === undefined ? undefined : kubeconfigOf(slot));
  if (found === undefined) throw new Error('no cluster is up; npm run kube -- up starts one');
  return found;
}

async function answers(slot: Slot): Promise<boolean> {
  if (!existsSync(kubeconfigOf(slot)) || !existsSync(pathOf('kubectl'))) return false;
  const { code } = await new Kube(kubeconfigOf(slot)).tryKubectl(['get', '--raw', '/readyz', '--request-timeout=3s']);
  return code === 0;
}

function howTo(slot: Slot): string {
  return [
    'npm run kube -- kubectl get nodes',
    `export KIM_TEST_KUBECONFIG=${kubeconfigOf(slot)}   (tests run on it from then on)`,
    'npm run kube -- down',
  ].join('\n');
}
