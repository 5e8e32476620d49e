// The API server goes: what runs goes on serving.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownClusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import { noOwnCluster } from '../support/kube/needs.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { Traffic } from '../support/kube/traffic.ts';

const skip = noOwnCluster === false ? noImage : noOwnCluster;
const cluster = ownClusterOfFile();
const image = imageOfFile(cluster);
const options = { skip, timeout: 280_000 };

test('an API server that is away for a minute is missed by nobody who is connected', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const operator = await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 2 }));
  await scene.reachable('demo');
  const lives = await scene.lives('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const { apiserver } = cluster().controlPlane;
  await apiserver.kill();
  const begun = Date.now();
  while (Date.now() - begun < 60_000) await traffic.more(10);
  apiserver.start();
  await cluster().controlPlane.ready();
  // who could not renew its lease has ended
  assert.match(await operator.ended, /./);
  await scene.operator();
  await traffic.more(3);
  await scene.patch('demo', { gate: { workers: 2 } });
  await scene.until('demo', ({ gate }) => gate?.workers === 4, 'changes are followed again');
  await scene.ready('demo');
  assert.deepEqual(await scene.lives('demo'), lives);
  await traffic.unnoticed();
});
