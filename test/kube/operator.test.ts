// The straight line on a real cluster: a KimCluster is applied, becomes pods, and clients from outside are answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operator } from '../../src/operator/run/operator.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage } from '../support/kube/image.ts';
import { Operated, startOperator } from '../support/kube/operated.ts';

const skip = noImage;
let image = '';
const cluster = clusterOfFile(async (there) => {
  if (skip !== false) return;
  const built = await kimImage();
  image = built.name;
  await there.load(built.archive);
  await defineClusters(there.kube);
});

const spec = (more: object = {}) => ({
  image,
  gate: { replicas: 1, workers: 1, listeners: [{ name: 'client', port: 3355 }], service: { type: 'NodePort' }, drain: { seconds: 10 } },
  logic: { replicas: 2, workers: 1, modules: ['test', 'echo'], drain: { seconds: 10 } },
  discovery: { kubernetes: {} },
  ...more,
});

test('a KimCluster becomes gates and logic nodes, and clients from outside are answered', { skip, timeout: 300_000 }, async (t) => {
  const lines: string[] = [];
  const namespace = await cluster().kube.namespace(t);
  const operator: Operator = await startOperator(cluster().kube, { image, namespace, namespaces: [namespace], lines });
  t.after(() => operator.stop());
  t.after(() => {
    if (process.env['KIM_SHOW_LOG'] !== undefined) process.stderr.write(lines.join(''));
  });
  const operated = new Operated(cluster(), namespace);
  await operated.apply('demo', spec());
  const begun = Date.now();
  await operated.ready('demo');
  t.diagnostic(`ready after ${Date.now() - begun} ms`);
  const client = await operated.client(t, 'demo', { hello: true });
  assert.equal((await client.request(1001)).text(), 'good job!');
  assert.equal((await client.request(1101, 'through a gate')).text(), 'through a gate');
});
