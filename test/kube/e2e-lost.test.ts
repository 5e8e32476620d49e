// The API server goes, a machine goes: what runs goes on serving, and what is lost is replaced.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KimClusterStatus } from '../../src/operator/status-types.ts';
import { ownClusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import { noOwnCluster } from '../support/kube/needs.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { assertExplained } from '../support/kube/tally.ts';
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

test('a machine is lost: its clients go on at the other one, its pods are replaced, and changes do not wait for it', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  const tier = { replicas: 2, drain: { seconds: 5 } };
  await scene.made('demo', scene.spec({ ...tier, sessions: { clientHeartbeatMs: '3s' } }, tier));
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const lost = cluster().nodes[1]!;
  t.after(() => lost.join());
  const begun = Date.now();
  const since = () => `${Math.round((Date.now() - begun) / 1000)} s`;
  await lost.cut();
  const isMissed = scene.until('demo', ({ gate, logic }) => (gate?.ready ?? 2) < 2 || (logic?.ready ?? 2) < 2, 'the loss is seen');
  await Promise.all([
    traffic.answered('ours', 3).then(() => t.diagnostic(`each of our clients had three answers after ${since()}`)),
    traffic.answered('originals', 3).then(() => t.diagnostic(`each original client had three answers after ${since()}`)),
    isMissed.then(() => t.diagnostic(`Kubernetes missed the machine after ${since()}`)),
  ]);
  await scene.ready('demo');
  t.diagnostic(`ready again after ${since()}`);
  const pods = [...(await scene.pods('demo', 'gate')), ...(await scene.pods('demo', 'logic'))];
  assert.ok(pods.every(({ spec }) => spec.nodeName !== lost.name));
  await scene.patch('demo', { gate: { template: { metadata: { annotations: { round: '2' } } } } });
  await scene.ready('demo');
  t.diagnostic(`a new revision was everywhere after ${since()}`);
  const isTold = ({ conditions = [] }: KimClusterStatus) => conditions.some(({ reason }) => reason === 'MachineLost');
  await scene.until('demo', isTold, 'it is said that a machine is lost');
  await traffic.more(3);
  await traffic.stop();
  assertExplained('our clients', traffic.ours.tally);
  assertExplained('original clients', traffic.originals.tally);
  await lost.join();
  await scene.until('demo', (status) => !isTold(status), 'the machine is back, and what was left on it is gone');
  t.diagnostic(`all is well after ${since()}`);
});
