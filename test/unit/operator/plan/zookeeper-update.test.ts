// Servers of a ZooKeeper are replaced one at a time, and only while all the others serve: the quorum is never at stake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kim, NOW, World, type PodShape } from './support.ts';

const spec = (replicas: number) =>
  `{ gate: { listeners: [{ port: 3355 }] }, discovery: { zookeeper: { managed: { replicas: ${replicas} } } } }`;

type Server = PodShape & { readonly is: 'old' | 'new' };

/** Servers of an ensemble whose template has changed, and the number of the one that goes now; undefined if none does. */
function next(servers: readonly Server[], { size = servers.length, seen = true, known = true } = {}): number | undefined {
  const cluster = kim(spec(size));
  const world = World.of(cluster).without('zookeeper');
  for (const [i, { is: _, ...shape }] of servers.entries()) world.pod('zookeeper', { name: `demo-zookeeper-${i}`, deaf: true, ...shape });
  for (const [i, { is }] of servers.entries()) {
    const at = world.pods.findIndex(({ metadata }) => metadata.name === `demo-zookeeper-${i}`);
    const pod = world.pods[at]!;
    const labels = { ...pod.metadata.labels, 'controller-revision-hash': is };
    world.pods[at] = { ...pod, metadata: { ...pod.metadata, labels } };
  }
  world.change('StatefulSet', 'demo-zookeeper', (object) => ({
    ...object,
    metadata: { ...object.metadata, generation: seen ? 1 : 2 },
    ...(known && { status: { observedGeneration: 1, updateRevision: 'new' } }),
  }));
  const { actions, requeueMs } = world.plan();
  const gone = actions.flatMap((action) => (action.kind === 'deletePod' ? [action] : []));
  assert.ok(gone.length <= 1);
  if (gone.length === 0) return undefined;
  assert.ok(requeueMs <= 1000);
  assert.equal(gone[0]!.uid, `uid-of-${gone[0]!.pod}`);
  return Number(gone[0]!.pod.at(-1));
}

const old: Server = { is: 'old' };
const fresh: Server = { is: 'new' };

test('the last server goes first, then the one before it', () => {
  assert.equal(next([old, old, old]), 2);
  assert.equal(next([old, old, fresh]), 1);
  assert.equal(next([old, fresh, fresh]), 0);
  assert.equal(next([fresh, fresh, fresh]), undefined);
});

test('none goes while another is away, whichever that is', () => {
  assert.equal(next([old, old, { is: 'new', ready: false }]), undefined);
  assert.equal(next([old, old, { is: 'old', ending: true }]), undefined);
  assert.equal(next([{ is: 'new', ready: false }, old, old]), undefined);
  assert.equal(next([old, old], { size: 3 }), undefined);
  assert.equal(next([old, old, old, old, { is: 'new', ready: false }]), undefined);
});

test('one that does not serve goes before those that do: the new revision may cure it, and nobody loses anything', () => {
  assert.equal(next([{ is: 'old', ready: false }, old, old]), 0);
  assert.equal(next([{ is: 'old', ready: false }, old, fresh]), 0);
  assert.equal(next([{ is: 'old', ready: false }, old, { is: 'old', ending: true }]), undefined);
});

test('one that has just come back is not relied on', () => {
  // it was made so many seconds ago, and ready five seconds later
  assert.equal(next([old, old, { is: 'new', age: 8 }]), undefined);
  assert.equal(next([old, old, { is: 'new', age: 10 }]), 1);
});

test('the only server is replaced as well', () => {
  assert.equal(next([old]), 0);
});

test('nothing goes before Kubernetes has said which revision is the new one', () => {
  assert.equal(next([old, old, old], { seen: false }), undefined);
  assert.equal(next([old, old, old], { known: false }), undefined);
});

test('while servers are being replaced they are looked at each second', () => {
  const world = World.of(kim(spec(3)), { now: NOW });
  world.change('StatefulSet', 'demo-zookeeper', (object) => ({ ...object, status: { observedGeneration: 1, updateRevision: 'new' } }));
  world.without('zookeeper');
  world.pod('zookeeper', { name: 'demo-zookeeper-0', deaf: true, ending: true });
  const { requeueMs, status } = world.plan();
  assert.equal(requeueMs, 1000);
  const { reason, message } = status.conditions!.find(({ type }) => type === 'Progressing')!;
  assert.deepEqual([reason, message.slice(0, 20)], ['RollingOut', 'zookeeper: 0 of 3 se']);
});

test('a server that ends does not count any more, though it still says that it is ready', () => {
  const world = World.of(kim(spec(3))).without('zookeeper');
  for (const i of [0, 1, 2]) world.pod('zookeeper', { name: `demo-zookeeper-${i}`, deaf: true, ending: i > 0 });
  assert.equal(world.plan().status.summary?.discovery, 'zookeeper 1/3');
});

test('the controller of Kubernetes replaces none by itself', () => {
  const { apply } = new World(kim(spec(3))).plan();
  const set = apply.find(({ kind }) => kind === 'StatefulSet');
  assert.deepEqual((set!['spec'] as { updateStrategy: object }).updateStrategy, { type: 'OnDelete' });
});
