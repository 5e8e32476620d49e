// The copies of everything, and the guard that knows when they are old.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Kind, KubeObject } from '../../../../src/kube/types.ts';
import { StaleGuard } from '../../../../src/operator/engine/stale-guard.ts';
import { Store } from '../../../../src/operator/engine/store.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const pods: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
const maps: Kind = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };

function pod(name: string, owners: readonly string[] = [], version = 10, uid = `uid of ${name}`): KubeObject {
  const ownerReferences = owners.map((owner) => ({ apiVersion: 'v1', kind: 'Thing', name: owner, uid: owner }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid, resourceVersion: String(version), ownerReferences } };
}

const added = (after: KubeObject) => ({ key: `shop/${after.metadata.name}`, before: undefined, after });
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name).join();

test('objects are found by key, by namespace and by whom they matter to, each kind apart', () => {
  const keysOf = ({ metadata }: KubeObject) => (metadata.ownerReferences ?? []).map(({ name }) => `shop/${name}`);
  const store = new Store(new Map([['v1/Pod', keysOf]]));
  store.take(pods, [added(pod('a', ['x'])), added(pod('b', ['x', 'y'])), added(pod('c'))]);
  assert.equal(store.get(pods, 'shop/a')?.metadata.name, 'a');
  assert.equal(store.get(maps, 'shop/a'), undefined);
  assert.equal(names(store.list(pods, 'shop')), 'a,b,c');
  assert.equal(names(store.list(pods, 'other')), '');
  assert.equal(names(store.of(pods, 'shop/x')), 'a,b');
  assert.equal(names(store.of(maps, 'shop/x')), '');
  store.take(pods, [added(pod('a', ['y'])), { key: 'shop/b', before: pod('b'), after: undefined }]);
  assert.equal(names(store.of(pods, 'shop/x')), '');
  assert.equal(names(store.of(pods, 'shop/y')), 'a');
});

test('who listens sees a list as a whole', () => {
  const store = new Store();
  const seen: number[] = [];
  store.listen(() => seen.push(store.list(pods).length));
  store.take(pods, [added(pod('a')), added(pod('b'))]);
  assert.deepEqual(seen, [2, 2]);
});

function guarded() {
  const store = new Store();
  const clock = new ManualClock();
  return { store, clock, guard: new StaleGuard(store, clock) };
}

test('what we wrote has to be seen before the key is acted upon', () => {
  const { store, guard } = guarded();
  store.take(pods, [added(pod('a', [], 10))]);
  guard.wrote('shop/owner', pods, pod('a', [], 12));
  guard.wrote('shop/owner', pods, pod('new', [], 13));
  assert.deepEqual(guard.behind('shop/owner'), ['v1/Pod shop/a', 'v1/Pod shop/new']);
  assert.deepEqual(guard.behind('shop/another'), []);
  store.take(pods, [added(pod('a', [], 11))]);
  assert.equal(guard.behind('shop/owner').length, 2, 'an event from before our write');
  store.take(pods, [added(pod('a', [], 12)), added(pod('new', [], 99))]);
  assert.deepEqual(guard.behind('shop/owner'), []);
});

test('an answer that comes after its event leaves nothing to wait for', () => {
  const { store, guard } = guarded();
  store.take(pods, [added(pod('a', [], 12))]);
  guard.wrote('k', pods, pod('a', [], 12));
  assert.deepEqual(guard.behind('k'), []);
});

test('what we removed has to be gone, or going, or another of the same name', () => {
  for (const after of [
    undefined,
    pod('a', [], 20, 'another'),
    { ...pod('a', [], 20), metadata: { ...pod('a').metadata, deletionTimestamp: 'now' } },
  ]) {
    const { store, guard } = guarded();
    const there = pod('a');
    store.take(pods, [added(there)]);
    guard.removed('k', pods, there);
    assert.equal(guard.behind('k').length, 1);
    store.take(pods, [{ key: 'shop/a', before: there, after }]);
    assert.deepEqual(guard.behind('k'), []);
  }
});

test('what was made and deleted by somebody else before we saw it is not waited for', () => {
  const { store, guard } = guarded();
  guard.wrote('k', pods, pod('a', [], 12));
  store.take(pods, [{ key: 'shop/a', before: pod('a', [], 14), after: undefined }]);
  assert.deepEqual(guard.behind('k'), []);
});

test('a write that never shows does not hold a key up for ever', () => {
  const { clock, guard } = guarded();
  guard.wrote('k', pods, pod('a', [], 12));
  clock.advance(30_000);
  assert.equal(guard.behind('k').length, 1);
  clock.advance(1);
  assert.deepEqual(guard.behind('k'), []);
});
