// Whose objects are whose: only what is ours goes, only what is free is taken over, and wishes count when they say yes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnerReference } from '../../../../src/kube/types.ts';
import type { Manifest } from '../../../../src/operator/plan/types.ts';
import { iso, kim, SMALL, World } from './support.ts';

const stranger: OwnerReference = { apiVersion: 'apps/v1', kind: 'Other', name: 'other', uid: 'u-other', controller: true };
const wishing = (wish: string, value: string) => kim(SMALL, { annotations: { [`kimserver.io/${wish}`]: value } });

/** A ConfigMap that nobody wants any more, with the labels of the cluster. */
function surplus(world: World, name: string, owners: readonly OwnerReference[], labels: Record<string, string> = {}, age = 100): void {
  const { labels: usual } = world.objects.find(({ kind }) => kind === 'ConfigMap')!.metadata;
  const metadata = {
    name,
    namespace: 'shop',
    uid: `u-${name}`,
    labels: { ...usual, 'kimserver.io/config': 'live', ...labels },
    ownerReferences: owners,
  };
  world.objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, creationTimestamp: iso(age) } });
}

const ownerOf = (world: World) => world.objects[0]!.metadata.ownerReferences!;
const removed = (world: World) => world.plan().remove.map(({ name }) => name);

test('of what nobody wants only that goes which obeys this KimCluster', () => {
  const world = World.of(kim(SMALL));
  surplus(world, 'mine', ownerOf(world));
  surplus(world, 'of-another', [stranger]);
  surplus(world, 'of-nobody', []);
  surplus(world, 'of-one-before', [{ ...ownerOf(world)[0]!, uid: 'uid-of-one-before' }]);
  surplus(world, 'not-ours-to-decide', [{ ...ownerOf(world)[0]!, controller: false }]);
  assert.deepEqual(removed(world), ['mine']);
});

test('volumes and Secrets never go', () => {
  const world = World.of(kim(SMALL));
  for (const kind of ['PersistentVolumeClaim', 'Secret']) {
    const { metadata } = world.objects[0]!;
    world.objects.push({ apiVersion: 'v1', kind, metadata: { ...metadata, name: 'mine' } });
  }
  assert.deepEqual(removed(world), []);
});

test('of configurations that no pod has the two youngest are kept for a way back', () => {
  const world = World.of(kim(SMALL));
  const label = { 'kimserver.io/config': 'lasting', 'app.kubernetes.io/component': 'gate' };
  for (const [name, age] of [
    ['old', 400],
    ['young', 100],
    ['middle', 200],
    ['oldest', 900],
  ] as const) {
    surplus(world, name, ownerOf(world), label, age);
  }
  assert.deepEqual(removed(world).toSorted(), ['old', 'oldest']);
});

/** What is applied when an object of that name has these owners, and the KimCluster this wish. */
function applies(owners: readonly OwnerReference[], cluster = kim(SMALL)): boolean {
  const world = World.of(kim(SMALL));
  const isService = ({ kind, metadata }: Manifest) => kind === 'Service' && metadata.name === 'demo-gate';
  world.objects = world.objects.map((one) => (isService(one) ? { ...one, metadata: { ...one.metadata, ownerReferences: owners } } : one));
  return world.plan(cluster).apply.some(isService);
}

test('what obeys nobody is taken over when that is wished, what obeys another never', () => {
  assert.equal(applies([]), false);
  assert.equal(applies([], wishing('adopt', 'true')), true);
  assert.equal(applies([stranger], wishing('adopt', 'true')), false);
  assert.equal(applies([{ ...stranger, controller: false }], wishing('adopt', 'true')), true);
});

test('a wish that says false, or nothing, is none', () => {
  for (const value of ['false', '']) {
    assert.equal(applies([], wishing('adopt', value)), false);
    for (const wish of ['pause', 'dry-run']) assert.ok(new World(wishing(wish, value)).plan().apply.length > 0, `${wish}=${value}`);
  }
  for (const wish of ['pause', 'dry-run']) assert.equal(new World(wishing(wish, 'yes')).plan().apply.length, 0);
});
