// Workers, logic nodes and gates become more and fewer while several hundred clients speak; none of them notices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KimClusterStatus } from '../../src/operator/status-types.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { noImage } from '../support/kube/image.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { imageOfFile, Scene } from '../support/kube/scene.ts';
import { Traffic } from '../support/kube/traffic.ts';
import { until } from '../support/until.ts';

const skip = noImage;
const cluster = clusterOfFile();
const image = imageOfFile(cluster);
const options = { skip, timeout: 240_000 };

interface AutoscalerSeen extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason: string }[] };
}

test('workers change in running pods, and a limit too; no pod is replaced and no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec({ replicas: 2 }));
  await scene.reachable('demo');
  const lives = await scene.lives('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  for (const workers of [4, 2]) {
    const begun = Date.now();
    await scene.patch('demo', { gate: { workers }, logic: { workers } });
    await scene.until('demo', (s) => s.gate?.workers === 2 * workers && s.logic?.workers === 2 * workers, `${workers} workers in all`);
    t.diagnostic(`${workers} workers in every pod after ${Date.now() - begun} ms`);
    await traffic.more(3);
  }
  const begun = Date.now();
  await scene.patch('demo', { gate: { limits: { maxClients: 777 } } });
  for (const pod of await scene.pods('demo', 'gate')) {
    const limit = async () => {
      const response = await fetch(`http://${pod.status.podIP}:9355/config`);
      return ((await response.json()) as { max_clients?: number }).max_clients === 777;
    };
    await until(limit, `${pod.metadata.name} has the new limit`, 30_000);
  }
  t.diagnostic(`the limit is everywhere after ${Date.now() - begun} ms`);
  await traffic.more(2);
  assert.deepEqual(await scene.lives('demo'), lives);
  await traffic.unnoticed();
  assert.equal(traffic.originals.tally.ends, 0);
  assert.equal(traffic.ours.tally.moved, 0);
});

test('logic nodes go from 2 to 4 to 1, and no client notices', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec());
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  for (const replicas of [4, 1]) {
    const begun = Date.now();
    await scene.patch('demo', { logic: { replicas } });
    await scene.ready('demo');
    await scene.until('demo', ({ logic }) => logic?.replicas === replicas && logic.ready === replicas, `${replicas} logic nodes`);
    t.diagnostic(`${replicas} logic nodes after ${Date.now() - begun} ms`);
    await traffic.more(3);
  }
  await traffic.unnoticed();
});

test('gates go from 1 to 3 to 2: the one that leaves moves its clients first', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  await scene.operator();
  await scene.made('demo', scene.spec());
  await scene.reachable('demo');
  const early = await Traffic.start(t, scene, 'demo');
  await scene.patch('demo', { gate: { replicas: 3 } });
  await scene.until('demo', ({ gate }) => gate?.ready === 3, 'three gates');
  await scene.reachable('demo');
  const late = await Traffic.start(t, scene, 'demo');
  const begun = Date.now();
  await scene.patch('demo', { gate: { replicas: 2 } });
  const { status } = await scene.until('demo', ({ gate }) => gate?.draining.length === 1, 'a gate drains');
  const [victim] = status!.gate!.draining;
  await scene.until('demo', ({ gate }) => gate?.replicas === 2 && gate.draining.length === 0, 'two gates', 60_000);
  t.diagnostic(`${victim!.pod} with ${victim!.connections} connections is gone after ${Date.now() - begun} ms`);
  assert.ok((await scene.pods('demo', 'gate')).every(({ metadata }) => metadata.name !== victim!.pod));
  await Promise.all([early.more(3), late.more(3)]);
  await early.unnoticed();
  await late.unnoticed();
  assert.ok(early.ours.tally.moved + late.ours.tally.moved > 0, 'sessions have moved');
});

test('an autoscaler on the KimCluster makes and drains gates; of one on the Deployment it is said what to do', options, async (t) => {
  const scene = await Scene.begin(t, cluster(), image());
  const { kube, namespace } = scene;
  await scene.operator();
  await scene.made('demo', scene.spec());
  await scene.reachable('demo');
  const traffic = await Traffic.start(t, scene, 'demo');
  const autoscale = (apiVersion: string, kind: string, name: string, [minReplicas, maxReplicas]: readonly [number, number]) => {
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }];
    const spec = { scaleTargetRef: { apiVersion, kind, name }, minReplicas, maxReplicas, metrics };
    const object = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: kind.toLowerCase() }, spec };
    return kube.apply([object], namespace);
  };
  const begun = Date.now();
  await autoscale('kimserver.io/v1alpha1', 'KimCluster', 'demo', [2, 3]);
  await scene.until('demo', ({ gate }) => gate?.ready === 2, 'two gates are ready');
  t.diagnostic(`two gates after ${Date.now() - begun} ms`);
  // nobody measures pods here; that it asked how busy they are says that it could read which ones
  const isAsking = ({ status }: AutoscalerSeen) => status?.conditions?.some(({ reason }) => reason === 'FailedGetResourceMetric') === true;
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  await kube.waitFor<AutoscalerSeen>(path, ([one]) => one !== undefined && isAsking(one), 'the autoscaler asks for figures of the gates');
  await scene.reachable('demo');
  const late = await Traffic.start(t, scene, 'demo', { clients: 50 });
  await autoscale('kimserver.io/v1alpha1', 'KimCluster', 'demo', [1, 1]);
  await scene.until('demo', ({ gate }) => gate?.draining.length === 1, 'a gate drains');
  await scene.until('demo', ({ gate }) => gate?.replicas === 1 && gate.draining.length === 0, 'one gate is left');
  await kube.kubectl('-n', namespace, 'delete', 'hpa', 'kimcluster');

  await autoscale('apps/v1', 'Deployment', 'demo-gate', [2, 2]);
  const saying = (reason: string) => (status: KimClusterStatus) =>
    status.conditions?.find((is) => is.type === 'Degraded' && is.reason === reason)?.message;
  const foreign = saying('ForeignAutoscaler');
  const { status } = await scene.until('demo', (now) => foreign(now) !== undefined && now.gate?.replicas === 2, 'it is said');
  assert.match(foreign(status!)!, /deployment changes the Deployment demo-gate itself; aim it at KimCluster demo instead/);
  await kube.kubectl('-n', namespace, 'delete', 'hpa', 'deployment');
  const isOver = (now: KimClusterStatus) => now.gate?.replicas === 1 && now.gate.draining.length === 0;
  await scene.until('demo', (now) => isOver(now) && saying('AsExpected')(now) !== undefined, 'one gate is left again');
  await Promise.all([traffic.more(3), late.more(3)]);
  await traffic.unnoticed();
  await late.unnoticed();
});
