// Managed ZooKeeper on a real cluster: it becomes ready, servers of it come and go, and clients of gates notice nothing.

import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { Operator } from '../../src/operator/run/operator.ts';
import type { KimClusterStatus } from '../../src/operator/status-types.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { ClientLoad, WireLoad, type Counts } from '../support/counted-load.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { kimImage, noImage } from '../support/kube/image.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { Operated, startOperator } from '../support/kube/operated.ts';
import { noZookeeperImage, zookeeperImage } from '../support/kube/zookeeper-image.ts';
import { Traffic } from '../support/kube/traffic.ts';
import { isReady, ZookeeperPods, type PodSeen } from '../support/kube/zookeeper-pods.ts';

const skip = noImage === false ? noZookeeperImage : noImage;
const options = { skip, timeout: 300_000 };

interface Claim extends KubeObject {
  readonly spec: { readonly storageClassName?: string; readonly resources?: object };
}

let image = '';
let operated: Operated;
let operator: Operator | undefined;
const lines: string[] = [];
const ends: (() => Promise<void>)[] = [];

clusterOfFile(async (there) => {
  if (skip !== false) return;
  const [kim, zookeeper] = [await kimImage(), await zookeeperImage()];
  image = kim.name;
  for (const { archive } of [kim, zookeeper]) await there.load(archive);
  await defineClusters(there.kube);
  const namespace = await there.kube.namespace({ after: (end) => ends.push(async () => end()) });
  operated = new Operated(there, namespace);
  operator = await startOperator(there.kube, { image, zookeeperImage: zookeeper.name, namespace, namespaces: [namespace], lines });
});
after(async () => {
  await operator?.stop();
  if (process.env['KIM_SHOW_LOG'] !== undefined) process.stderr.write(lines.join(''));
});

const spec = (discovery: object, more: object = {}) => ({
  image,
  gate: { replicas: 1, workers: 1, listeners: [{ name: 'client', port: 3355 }], service: { type: 'NodePort' }, drain: { seconds: 5 } },
  logic: { replicas: 2, workers: 1, modules: ['test', 'echo'], drain: { seconds: 5 } },
  discovery,
  ...more,
});

/** Applies a KimCluster, waits for it, and asks something through its gate. */
async function serves(t: TestContext, name: string, wanted: object): Promise<void> {
  const begun = Date.now();
  await operated.apply(name, wanted);
  await operated.ready(name);
  t.diagnostic(`${name} is ready after ${Date.now() - begun} ms`);
  const client = await operated.client(t, name, { hello: true });
  assert.equal((await client.request(1101, 'through a gate')).text(), 'through a gate');
}

const saying = (status: 'True' | 'False', reason?: string) => {
  return ({ conditions = [] }: KimClusterStatus) =>
    conditions.some((one) => one.type === 'DiscoveryHealthy' && one.status === status && (reason ?? one.reason) === one.reason);
};

/** Clients of both kinds ask all the time while something is done; none may notice. */
async function unnoticed(name: string, what: (more: () => Promise<void>) => Promise<void>): Promise<void> {
  const { host, port } = await operated.entry(name);
  const loads = [new ClientLoad(port, { host, clients: 6 }), await WireLoad.start(port, { host, clients: 6 })];
  const counts: Counts[] = [];
  const more = async () => {
    await Promise.all(loads.map((load) => load.more(20)));
  };
  try {
    await more();
    await what(more);
    await more();
  } finally {
    for (const load of loads) counts.push(await load.stop());
  }
  for (const { failed, ended } of counts) assert.deepEqual({ failed, ended }, { failed: {}, ended: 0 });
  assert.equal((loads[0] as ClientLoad).connected, 6);
}

test('a KimCluster with one ZooKeeper server of its own serves clients', options, async (t) => {
  await serves(t, 'single', spec({ zookeeper: { managed: { replicas: 1 } } }));
});

test('the only ZooKeeper server is killed: clients notice nothing, and nodes are announced again', options, async (t) => {
  const zookeeper = new ZookeeperPods(operated, 'single', 1);
  const lives = await zookeeper.lives();
  await unnoticed('single', async (more) => {
    const old = await zookeeper.pods();
    await zookeeper.kill(0);
    await operated.until('single', saying('False'), 'the condition says that ZooKeeper is lost');
    await more();
    await zookeeper.back(old);
    await operated.until('single', saying('True'), 'the condition says that ZooKeeper is back');
  });
  await zookeeper.announced(t);
  assert.deepEqual(await zookeeper.lives(), lives);
});

test('a KimCluster with three ZooKeeper servers of its own serves clients', options, async (t) => {
  await serves(t, 'trio', spec({ zookeeper: { managed: { replicas: 3 } } }));
  await new ZookeeperPods(operated, 'trio', 3).back();
});

test('one of three ZooKeeper servers is killed: the others go on, and it comes back', options, async (t) => {
  const zookeeper = new ZookeeperPods(operated, 'trio', 3);
  const lives = await zookeeper.lives();
  await unnoticed('trio', async () => {
    const [first] = await zookeeper.pods();
    await zookeeper.kill(0);
    const begun = Date.now();
    await zookeeper.back([first!]);
    t.diagnostic(`the server is back after ${Date.now() - begun} ms`);
    await operated.until('trio', saying('True'), 'ZooKeeper is healthy');
  });
  await zookeeper.announced(t);
  assert.deepEqual(await zookeeper.lives(), lives);
});

test('all ZooKeeper servers are killed under load: nodes stay ready, and are announced again', options, async (t) => {
  const zookeeper = new ZookeeperPods(operated, 'trio', 3);
  const lives = await zookeeper.lives();
  await unnoticed('trio', async (more) => {
    const old = await zookeeper.pods();
    await zookeeper.kill(0, 1, 2);
    const { status } = await operated.until('trio', saying('False', 'NoQuorum'), 'the condition says that there is no quorum');
    assert.match(status!.discovery!.primary!.message ?? '', /./);
    await more();
    const begun = Date.now();
    await zookeeper.back(old);
    t.diagnostic(`all servers are back after ${Date.now() - begun} ms`);
    await operated.until('trio', saying('True'), 'the condition says that ZooKeeper is back');
  });
  await zookeeper.announced(t);
  assert.deepEqual(await zookeeper.lives(), lives);
});

test('other resources replace the ZooKeeper servers one at a time and only with a quorum', options, async (t) => {
  const zookeeper = new ZookeeperPods(operated, 'trio', 3);
  const lives = await zookeeper.lives();
  await unnoticed('trio', async () => {
    const old = (await zookeeper.pods()).map(({ metadata }) => metadata.uid);
    let least = 3;
    const seen: string[] = [];
    const begun = Date.now();
    await operated.patch('trio', { discovery: { zookeeper: { managed: { resources: { requests: { memory: '96Mi' } } } } } });
    await operated.kube.waitFor<PodSeen>(
      zookeeper.path('zookeeper'),
      (pods) => {
        const ready = pods.filter(isReady);
        least = Math.min(least, ready.length);
        seen.push(
          pods.map((pod) => `${pod.metadata.name} ${pod.metadata.uid.slice(0, 4)} ${isReady(pod) ? 'ready' : 'not ready'}`).join(', '),
        );
        return ready.length === 3 && ready.every(({ metadata }) => !old.includes(metadata.uid));
      },
      'all ZooKeeper servers are new',
      120_000,
    );
    t.diagnostic(`all servers are new after ${Date.now() - begun} ms`);
    assert.equal(least, 2, seen.join('\n'));
  });
  for (const { spec: pod } of await zookeeper.pods()) assert.deepEqual(pod.containers[0]!.resources, { requests: { memory: '96Mi' } });
  assert.deepEqual(await zookeeper.lives(), lives);
});

test('the number of ZooKeeper servers stays as it was made', options, async () => {
  const patch = JSON.stringify({ spec: { discovery: { zookeeper: { managed: { replicas: 5 } } } } });
  const args = ['-n', operated.namespace, 'patch', 'kimcluster', 'trio', '--type=merge', '-p', patch];
  const { code, stderr } = await operated.kube.tryKubectl(args);
  assert.equal(code, 1);
  assert.match(stderr, /replicas of a ZooKeeper are fixed when it is made; make another KimCluster, or name hosts/);
});

test('a KimCluster uses the ZooKeeper of another one by its Service', options, async (t) => {
  const hosts = 'trio-zookeeper:2181';
  await serves(t, 'guest', spec({ zookeeper: { hosts, root: '/guest' } }));
  const { items } = await operated.kube.get<{ items: KubeObject[] }>(`/apis/apps/v1/namespaces/${operated.namespace}/statefulsets`);
  assert.equal(
    items.some(({ metadata }) => metadata.labels?.['kimserver.io/cluster'] === 'guest'),
    false,
  );
  const zookeeper = new ZookeeperPods(operated, 'trio', 3);
  await zookeeper.announced(t, '/guest', new ZookeeperPods(operated, 'guest', 0));
  await zookeeper.announced(t);
});

test('a KimCluster goes from ZooKeeper to Kubernetes and back by way of both, and no client notices', options, async (t) => {
  const traffic = await Traffic.start(t, operated, 'guest', { clients: 30 });
  const zookeeper = { hosts: 'trio-zookeeper:2181', root: '/guest' };
  const steps = [{ kubernetes: {} }, { zookeeper: null }, { zookeeper }, { kubernetes: null }];
  const seen: unknown[] = [];
  for (const discovery of steps) {
    const begun = Date.now();
    await operated.patch('guest', { discovery });
    const { status } = await operated.settled('guest');
    t.diagnostic(`${JSON.stringify(discovery)}: everywhere after ${Date.now() - begun} ms`);
    seen.push([status?.discovery?.primary?.name, status?.discovery?.fallback?.name]);
    await traffic.more(3);
  }
  const both = ['zookeeper', 'kubernetes'];
  assert.deepEqual(seen, [both, ['kubernetes', undefined], both, ['zookeeper', undefined]]);
  await traffic.unnoticed();
  assert.ok(traffic.ours.tally.moved > 0, 'sessions have moved');
});

test('without any ZooKeeper server new nodes are found by way of Kubernetes', options, async () => {
  const zookeeper = new ZookeeperPods(operated, 'single', 1);
  const place = (nodeSelector: object | null) => ({ discovery: { zookeeper: { managed: { template: { nodeSelector } } } } });
  await operated.patch('single', { discovery: { kubernetes: {} } });
  await operated.settled('single');
  await unnoticed('single', async () => {
    // no machine has it, so the server finds no place
    await operated.patch('single', place({ 'kimserver.io/nowhere': 'yes' }));
    const { status } = await operated.until(
      'single',
      (now) => saying('False')(now) && now.discovery?.active === 'kubernetes',
      'ZooKeeper is gone',
    );
    assert.equal(status!.discovery!.primary!.healthy, false);
    assert.equal(status!.discovery!.fallback!.healthy, true);
    await operated.patch('single', { logic: { replicas: 3 } });
    await zookeeper.gatesKnow(3);
    await operated.patch('single', place(null));
    await operated.until('single', (now) => saying('True')(now) && now.discovery?.active === 'zookeeper', 'ZooKeeper is back');
  });
  await operated.ready('single');
});

test('ZooKeeper servers with storage have volumes that go with the KimCluster', options, async () => {
  const storage = { size: '1Gi', className: 'fast' };
  const { gate } = spec({});
  const discovery = { zookeeper: { managed: { replicas: 1, storage } } };
  await operated.apply('stored', { image, gate: { ...gate, replicas: 0 }, discovery });
  // nobody here provides volumes, so the server waits for its own
  const claims = `/api/v1/namespaces/${operated.namespace}/persistentvolumeclaims`;
  const [claim] = await operated.kube.waitFor<Claim>(claims, (all) => all.length === 1, 'there is a claim');
  assert.equal(claim!.metadata.name, 'kimserver-data-stored-zookeeper-0');
  assert.equal(claim!.spec.storageClassName, 'fast');
  assert.deepEqual(claim!.spec.resources, { requests: { storage: '1Gi' } });
  await operated.kube.kubectl('-n', operated.namespace, 'delete', 'kimcluster', 'stored', '--wait=false');
  await operated.kube.waitFor(claims, (all) => all.length === 0, 'the claim is gone');
});

test('with their KimClusters everything of ZooKeeper goes', options, async () => {
  const { kube, namespace } = operated;
  await kube.kubectl('-n', namespace, 'delete', 'kimcluster', '--all', '--wait=false');
  const places = [
    ...['pods', 'services', 'configmaps', 'serviceaccounts'].map((kind) => `/api/v1/namespaces/${namespace}/${kind}`),
    ...['deployments', 'statefulsets'].map((kind) => `/apis/apps/v1/namespaces/${namespace}/${kind}`),
    `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    ...['roles', 'rolebindings'].map((kind) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${kind}`),
  ];
  for (const path of places) {
    await kube.waitFor(`${path}?labelSelector=kimserver.io%2Fcluster`, (all) => all.length === 0, `nothing is left at ${path}`);
  }
});
