// Nothing of a test cluster stays on the machine, however it ended.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test, { before, type TestContext } from 'node:test';
import { startCluster } from '../support/kube/cluster.ts';
import { downUnused } from '../support/kube/down.ts';
import { BUSYBOX } from '../support/kube/images.ts';
import { Kube, type KubeObject } from '../support/kube/kube.ts';
import { added, lookAround, nothingAdded } from '../support/kube/machine.ts';
import { noOwnCluster } from '../support/kube/needs.ts';
import { providePrograms } from '../support/kube/programs.ts';
import { ownerOf, slots, type Slot } from '../support/kube/slot.ts';
import { controlPrograms, nodePrograms } from '../support/kube/versions.ts';
import { until } from '../support/until.ts';

const skip = noOwnCluster;
const timeout = 120_000;
const CLUSTER = join(import.meta.dirname, '../support/kube/cluster.ts');

before(
  async () => {
    if (skip === false) await providePrograms([...controlPrograms, ...nodePrograms]);
  },
  { timeout: 45 * 60_000 },
);

interface Pod extends KubeObject {
  readonly status: { readonly phase: string };
}

/** Two pods on each node: with namespaces, mounts and addresses of their own, one of them with a volume in memory. */
async function runPods(kube: Kube): Promise<void> {
  const container = {
    name: 'main',
    image: BUSYBOX,
    imagePullPolicy: 'Never',
    command: ['sleep', '1000'],
    volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
  };
  const spec = { containers: [container], volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }] };
  const labels = { app: 'sleeper' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'sleeper' },
    spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  await kube.apply([deployment]);
  const isRunning = ({ status }: Pod) => status.phase === 'Running';
  await kube.waitFor<Pod>('/api/v1/namespaces/default/pods', (pods) => pods.filter(isRunning).length === 4, 'four pods run');
}

test(
  'a cluster that is taken down leaves no process, mount, namespace, link, rule, control group or file',
  { skip, timeout },
  async (t) => {
    await downUnused({ stays: false });
    const earlier = await lookAround();
    const cluster = await startCluster();
    t.after(() => cluster[Symbol.asyncDispose]());
    await runPods(cluster.kube);
    const meanwhile = added(earlier, await lookAround(), cluster.slot);
    for (const kind of ['process', 'mount', 'link', 'route', 'cgroup', 'file']) {
      assert.ok(
        meanwhile.some((line) => line.startsWith(kind)),
        `while it runs there is a ${kind} of it`,
      );
    }
    await cluster[Symbol.asyncDispose]();
    await nothingAdded(earlier, cluster.slot);
  },
);

/** Another process that starts a cluster and then does nothing. */
function startElsewhere(t: TestContext): ChildProcess {
  const program = `
    const { startCluster } = await import(${JSON.stringify(CLUSTER)});
    await startCluster();
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'inherit', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

function slotOf(pid: number | undefined): Slot | undefined {
  return slots().find((slot) => {
    const owner = ownerOf(slot);
    return owner !== undefined && owner !== 'stays' && owner.pid === pid;
  });
}

const moments: readonly { readonly when: string; readonly isThere: (slot: Slot) => boolean | Promise<boolean> }[] = [
  { when: 'has its place', isThere: () => true },
  { when: 'makes its network', isThere: ({ prefix }) => existsSync(`/run/netns/${prefix}n1`) },
  { when: 'starts containerd', isThere: ({ folder }) => existsSync(join(folder, 'n1/containerd.sock')) },
  { when: 'joins its nodes', isThere: ({ folder }) => existsSync(join(folder, 'n2/kubelet/pods')) },
];

for (const { when, isThere } of moments) {
  test(`a run that is killed when it ${when} leaves what the next one removes`, { skip, timeout }, async (t) => {
    await downUnused({ stays: false });
    const earlier = await lookAround();
    const child = startElsewhere(t);
    const slot = await until(() => slotOf(child.pid), 'the other run has a place');
    await until(() => isThere(slot), `the other run ${when}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await downUnused({ stays: false });
    await nothingAdded(earlier, slot);
  });
}

test('a run that is killed with pods on its nodes leaves what the next one removes', { skip, timeout }, async (t) => {
  await downUnused({ stays: false });
  const earlier = await lookAround();
  const child = startElsewhere(t);
  const slot = await until(() => slotOf(child.pid), 'the other run has a place');
  const kube = new Kube(join(slot.folder, 'kubeconfig'));
  await until(async () => (await kube.get<{ items: object[] }>('/api/v1/nodes')).items.length === 2, 'there are two nodes');
  await runPods(kube);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(
    added(earlier, await lookAround(), slot).some((line) => /^process .* containerd-shim/.test(line)),
    'pods outlive the run',
  );
  await downUnused({ stays: false });
  await nothingAdded(earlier, slot);
});

test('a run that goes on is left alone by those that clean up', { skip, timeout }, async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster[Symbol.asyncDispose]());
  assert.equal(
    (await downUnused({ stays: false })).some(({ number }) => number === cluster.slot.number),
    false,
  );
  await cluster.controlPlane.ready();
});
