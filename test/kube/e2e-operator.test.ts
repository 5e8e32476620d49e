// Operators come and go in the middle of their work, people edit what is not theirs, and KimClusters and whole namespaces are deleted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import { everythingOf, handEdits, type Shape } from '../support/kube/owned.ts';
import type { ProcessSettings } from '../support/kube/operator-process.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { SeparateOperator } from '../support/kube/separate-operator.ts';
import { assertExplained } from '../support/kube/tally.ts';
import { Traffic } from '../support/kube/traffic.ts';
import { until } from '../support/until.ts';

const skip = noImage;
const cluster = clusterOfFile();
const image = imageOfFile(cluster);
const options = { skip, timeout: 240_000 };

test('of two operators one works, and another goes on in the middle of a shrinking; no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const first = await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 3 }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const second = await scene.operator();
  assert.deepEqual([first.isLeader, second.isLeader], [true, false]);
  await scene.patch('demo', { gate: { replicas: 1 } });
  const drains = async (left: number) => {
    const { status } = await scene.until('demo', ({ gate }) => gate?.draining.length === 1 && gate.replicas === left, 'a gate drains');
    return status!.gate!.draining[0]!.pod;
  };
  const victims = [await drains(3)];
  await first.stop();
  await until(() => second.isLeader, 'the second operator has the lease');
  victims.push(await drains(2));
  const third = await scene.operator();
  await second.stop();
  await scene.until('demo', ({ gate }) => gate?.replicas === 1 && gate.draining.length === 0, 'one gate is left');
  assert.equal(third.isLeader, true);
  const [left] = await scene.pods('demo', 'gate');
  assert.ok(!victims.includes(left!.metadata.name), 'who drained is gone');
  await traffic.more(3);
  await traffic.unnoticed();
  const told = (await scene.events('demo')).filter((reason) => reason.startsWith('Drain'));
  assert.deepEqual(told.toSorted(), ['DrainFinished', 'DrainFinished', 'DrainStarted', 'DrainStarted']);
});

/** Requests of which operators die, one after another, while four gates become one; each is sure to be made by the next one. */
const deaths: readonly NonNullable<ProcessSettings['dies']>[] = [
  { when: 'before', request: '^POST /drain' },
  { when: 'before', request: '^PATCH .*/deployments/demo-gate' },
  { when: 'after', request: '^PATCH .*/pods/' },
  { when: 'after', request: '^PATCH .*/deployments/demo-gate' },
  { when: 'after', request: '^POST /drain' },
  { when: 'before', request: '^PATCH .*/deployments/demo-gate' },
];

test('operators die at each step of draining gates, the next one goes on, and no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const { kube, namespace } = scene;
  const maker = await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 4 }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  await maker.stop();
  await scene.patch('demo', { gate: { replicas: 1 } });
  const settings = { kube: { kubeconfig: kube.kubeconfig }, image: image(), namespace, namespaces: [namespace] };
  for (const dies of deaths) {
    const begun = Date.now();
    const operator = await SeparateOperator.start(t, { ...settings, dies });
    assert.equal(await operator.ended, 'SIGKILL');
    t.diagnostic(`died ${dies.when} ${dies.request} after ${Date.now() - begun} ms`);
    // the next one need not wait until it is over
    await kube.kubectl('-n', namespace, 'delete', 'lease', 'kimserver-operator');
    await traffic.more(1);
  }
  await scene.operator();
  await scene.until('demo', ({ gate }) => gate?.replicas === 1 && gate.draining.length === 0, 'one gate is left');
  await traffic.more(3);
  await traffic.unnoticed();
});

test('what people change by hand is put right, counted and told', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const operator = await scene.operator();
  await scene.made('demo', scene.spec());
  const lives = await scene.lives('demo');
  const before = await everythingOf(scene, 'demo');
  const isSame = (now: ReadonlyMap<string, Shape>) => [...before].every(([name, shape]) => shape === now.get(name));
  for (const [kind, name, patch] of handEdits('demo')) {
    await scene.kube.kubectl('-n', scene.namespace, 'patch', kind, name, '--type=merge', '-p', JSON.stringify(patch));
  }
  await until(async () => isSame(await everythingOf(scene, 'demo')), 'everything is as it was', 30_000);
  const metrics = await (await fetch(`http://127.0.0.1:${operator.ports[1]}/metrics`)).text();
  const counts = [...metrics.matchAll(/^kimserver_drift_corrections_total\{[^}]*kind="(\w+)"[^}]*\} (\d+)/gm)];
  const kinds = new Set(counts.map(([, kind]) => kind));
  t.diagnostic(`put right: ${counts.map(([, kind, n]) => `${kind} ${n}`).join(', ')}`);
  for (const kind of ['ConfigMap', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Role', 'RoleBinding', 'Service']) {
    assert.ok(kinds.has(kind), `${kind} is counted`);
  }
  await until(async () => (await scene.events('demo')).includes('Corrected'), 'it is told');
  assert.deepEqual(await scene.lives('demo'), lives);
  for (const [kind, name] of handEdits('demo').filter(([what]) => what !== 'deployment')) {
    await scene.kube.kubectl('-n', scene.namespace, 'delete', kind, name);
  }
  const names = [...before.keys()];
  const areThere = async () => {
    const now = await everythingOf(scene, 'demo');
    return names.every((name) => now.has(name));
  };
  await until(areThere, 'everything is there again', 30_000);
  assert.deepEqual(await scene.lives('demo'), lives);
});

test('a KimCluster that is deleted drains first if it says so, leaves nothing, and can be made anew at once', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  const spec = (service: object) => scene.spec({ replicas: 2, service }, {}, { deletionPolicy: 'Drain' });
  await scene.made('demo', spec({ type: 'NodePort' }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const { port } = await scene.entry('demo');
  const remove = () => scene.kube.kubectl('-n', scene.namespace, 'delete', 'kimcluster', 'demo', '--timeout=120s');
  const begun = Date.now();
  await remove();
  t.diagnostic(`gone after ${Date.now() - begun} ms`);
  // what belonged to the old one is still there, and removed by and by
  await scene.made('demo', spec({ type: 'NodePort', nodePort: port }));
  const { metadata } = await scene.ready('demo');
  t.diagnostic(`there again after ${Date.now() - begun} ms`);
  await traffic.more(3);
  await traffic.stop();
  const { originals, ours } = traffic;
  assert.deepEqual([originals.tally.failed, originals.tally.resets, originals.tally.doubled], [{}, [], 0]);
  assertExplained('our clients', ours.tally);
  const all = [...(await everythingOf(scene, 'demo')).values()];
  assert.ok(all.length > 0 && all.every((shape) => shape.includes(metadata.uid!)), 'everything belongs to the new one');
  await remove();
  await until(async () => (await everythingOf(scene, 'demo')).size === 0, 'everything is gone', 60_000);
});

test('namespaces that are deleted in the middle of a drain and of a rollout go, and the operator goes on elsewhere', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const { kube } = scene;
  const names = ['draining', 'rolling'].map((what) => `${scene.namespace}-${what}`);
  for (const name of names) {
    await kube.kubectl('create', 'namespace', name);
    t.after(() => kube.tryKubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']));
  }
  const operator = await scene.operator(names);
  const [draining, rolling] = names.map((name) => scene.elsewhere(name)) as [Scene, Scene];
  await Promise.all([
    scene.made('demo', scene.spec()),
    draining.made('demo', scene.spec({ replicas: 2 }, {}, { deletionPolicy: 'Drain' })),
    rolling.made('demo', scene.spec()),
  ]);
  const lives = await scene.lives('demo');
  await Promise.all([draining.patch('demo', { gate: { replicas: 1 } }), rolling.patch('demo', { logic: { nodePort: 4345 } })]);
  await draining.until('demo', ({ gate }) => gate?.draining.length === 1, 'a gate drains');
  await rolling.until('demo', ({ logic }) => logic?.updated === 1, 'a new logic node is there');
  const begun = Date.now();
  await kube.kubectl('delete', 'namespace', ...names, '--timeout=120s');
  t.diagnostic(`the namespaces are gone after ${Date.now() - begun} ms`);
  const errors = async () => {
    const page = await (await fetch(`http://127.0.0.1:${operator.ports[1]}/metrics`)).text();
    return /^controller_runtime_reconcile_errors_total(?:\{.*\})? (\d+)/m.exec(page)?.[1];
  };
  const before = await errors();
  t.diagnostic(`reconciles that failed until then: ${before}`);
  await scene.patch('demo', { logic: { replicas: 1 } });
  await scene.until('demo', ({ logic }) => logic?.replicas === 1 && logic.ready === 1, 'the operator goes on');
  assert.equal(await errors(), before, 'nothing is tried for ever');
  const now = await scene.lives('demo');
  assert.ok(
    now.every((life) => lives.includes(life)),
    'no pod elsewhere was touched',
  );
});
