// Managed ZooKeeper on a real cluster: it becomes ready, servers of it come and go, and clients of gates notice nothing.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage } from '../support/kube/image.ts';
import { applyCrd, Operated, startOperator } from '../support/kube/operated.ts';
import { noZookeeperImage, zookeeperImage } from '../support/kube/zookeeper-image.ts';

const skip = noImage === false ? noZookeeperImage : noImage;
const cluster = clusterOfFile();
const BUILD_MS = 30 * 60_000;
const images = { image: '', zookeeperImage: '' };
before(
  async () => {
    if (skip !== false) return;
    const [kim, zookeeper] = [await kimImage(), await zookeeperImage()];
    Object.assign(images, { image: kim.name, zookeeperImage: zookeeper.name });
    for (const { archive } of [kim, zookeeper]) await cluster().load(archive);
    await applyCrd(cluster().kube);
  },
  { timeout: BUILD_MS },
);

const spec = (discovery: object) => ({
  image: images.image,
  gate: { replicas: 2, workers: 1, listeners: [{ name: 'client', port: 3355 }], service: { type: 'NodePort' }, drain: { seconds: 5 } },
  logic: { replicas: 2, workers: 1, modules: ['test', 'echo'], drain: { seconds: 5 } },
  discovery,
});

for (const replicas of [1, 3]) {
  test(`a KimCluster with ${replicas} ZooKeeper servers of its own serves clients`, { skip, timeout: 300_000 }, async (t) => {
    const lines: string[] = [];
    const namespace = await cluster().kube.namespace(t);
    const operator = await startOperator(cluster().kube, { ...images, namespace, namespaces: [namespace], lines });
    t.after(() => operator.stop());
    t.after(() => {
      if (process.env['KIM_SHOW_LOG'] !== undefined) process.stderr.write(lines.join(''));
    });
    const operated = new Operated(cluster(), namespace);
    const begun = Date.now();
    await operated.apply('demo', spec({ zookeeper: { managed: { replicas } } }));
    await operated.ready('demo');
    t.diagnostic(`ready after ${Date.now() - begun} ms`);
    const client = await operated.client(t, 'demo', { hello: true });
    assert.equal((await client.request(1101, 'through a gate')).text(), 'through a gate');
  });
}
