// Pods are replaced, taken away and killed while several hundred clients speak: what was planned nobody notices, what was not is over soon.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { assertExplained } from '../support/kube/tally.ts';
import { Traffic } from '../support/kube/traffic.ts';

const skip = noImage;
const cluster = clusterOfFile();
const image = imageOfFile(cluster);
const options = { skip, timeout: 240_000 };

test('a new image, and an option that needs new processes, come to all pods, and no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 2 }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const next = `${image()}-next`;
  await cluster().tag(image(), next);
  const imagesOf = async () => {
    const pods = [...(await scene.pods('demo', 'gate')), ...(await scene.pods('demo', 'logic'))];
    return [...new Set(pods.map(({ spec }) => spec.containers[0]?.image))];
  };
  let moved = 0;
  const replaces = async (what: string, change: object): Promise<void> => {
    const begun = Date.now();
    const before = await scene.lives('demo');
    await scene.patch('demo', change);
    await scene.ready('demo');
    t.diagnostic(`${what}: all pods are new after ${Date.now() - begun} ms`);
    await scene.settled('demo');
    t.diagnostic(`${what}: those that they replace have drained after ${Date.now() - begun} ms`);
    const after = await scene.lives('demo');
    assert.ok(
      after.every((life) => !before.includes(life)),
      `${what}: ${after.join(', ')}`,
    );
    await traffic.more(3);
    assert.ok(traffic.ours.tally.moved > moved, `${what}: sessions have moved`);
    moved = traffic.ours.tally.moved;
  };
  await replaces('an image', { image: next });
  assert.deepEqual(await imagesOf(), [next]);
  const { port: nodePort } = await scene.entry('demo');
  const gate = { listeners: [{ name: 'client', port: 3366 }], nodePort: 4344, service: { nodePort } };
  await replaces('all ports', { gate, logic: { nodePort: 4345 } });
  await replaces('the way back', { image: image() });
  assert.deepEqual(await imagesOf(), [image()]);
  await traffic.unnoticed();
});

test('a gate and a logic node are killed: the others go on, and what was cut off comes back by itself', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 2 }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  for (const tier of ['logic', 'gate'] as const) {
    const [victim] = await scene.pods('demo', tier);
    const begun = Date.now();
    await scene.kube.kubectl('-n', scene.namespace, 'delete', 'pod', victim!.metadata.name, '--grace-period=0', '--force');
    await traffic.more(3);
    t.diagnostic(`after a ${tier} was killed every client had three answers within ${Date.now() - begun} ms`);
    await scene.ready('demo');
  }
  await traffic.stop();
  assertExplained('our clients', traffic.ours.tally);
  assertExplained('original clients', traffic.originals.tally);
});

test('a machine is drained and comes back, and no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 2 }));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const { name } = cluster().nodes[1]!;
  const uncordon = () => scene.kube.kubectl('uncordon', name);
  t.after(uncordon);
  const begun = Date.now();
  await scene.kube.kubectl('drain', name, '--ignore-daemonsets', '--delete-emptydir-data', `--pod-selector=kimserver.io/cluster=demo`);
  t.diagnostic(`the machine is empty after ${Date.now() - begun} ms`);
  const pods = [...(await scene.pods('demo', 'gate')), ...(await scene.pods('demo', 'logic'))];
  assert.ok(pods.every(({ spec }) => spec.nodeName !== name));
  await uncordon();
  await scene.ready('demo');
  await traffic.more(3);
  await traffic.unnoticed();
});
