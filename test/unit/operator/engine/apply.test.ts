// Applying: only when something differs, never over what is not ours, and always saying what was found.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { KubeClient } from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/error.ts';
import type { KubeObject } from '../../../../src/kube/types.ts';
import { ContestedError } from '../../../../src/operator/engine/apply-errors.ts';
import { Applier, FieldConflictError, ForeignObjectError, type ApplyOptions } from '../../../../src/operator/engine/apply.ts';
import { keepOwnership } from '../../../../src/operator/engine/ownership.ts';
import { StaleGuard } from '../../../../src/operator/engine/stale-guard.ts';
import { Store } from '../../../../src/operator/engine/store.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { configMaps } from '../../../support/toy-controller.ts';

const MAPS = '/api/v1/configmaps';
const owner = (uid: string) => [{ apiVersion: 'v1', kind: 'Thing', name: 't', uid, controller: true }];
const map = (data: object, uid = 'ours') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace: 'shop', ownerReferences: owner(uid) },
  data,
});

async function start(t: TestContext) {
  const kube = await FaultyKube.start(t);
  const store = new Store();
  const clock = new ManualClock();
  const guard = new StaleGuard(store, clock);
  const client = new KubeClient({ access: kube.access });
  t.after(() => client.close());
  const told: string[] = [];
  const options = {
    client,
    store,
    guard,
    clock,
    kinds: [configMaps],
    applied: (_: unknown, { what }: { what: string }) => told.push(what),
  };
  const applier = new Applier(options);
  /** What a watch would have brought by now. */
  const sync = () => {
    const object = kube.memory.get(MAPS, 'shop', 'm');
    store.take(configMaps, [
      { key: 'shop/m', before: store.get(configMaps, 'shop/m'), after: object && keepOwnership(object, 'kimserver-operator') },
    ]);
  };
  const apply = async (data: object, more: Partial<ApplyOptions> = {}, by = applier) => {
    const result = await by.apply(map(data), { key: 'k', ...more });
    sync();
    return result;
  };
  return { kube, clock, store, guard, client, applier, told, sync, apply, another: () => new Applier(options) };
}

test('an object is made, left alone while it is as wanted, and changed with what is wanted', async (t) => {
  const { kube, apply, another } = await start(t);
  assert.equal((await apply({ a: '1' })).what, 'created');
  const [made] = kube.received.filter(({ method }) => method === 'PATCH');
  assert.equal(made?.query.toString(), 'fieldManager=kimserver-operator&force=false&fieldValidation=Strict');
  assert.equal(made?.headers['content-type'], 'application/apply-patch+yaml');
  const before = kube.received.length;
  assert.equal((await apply({ a: '1' })).what, 'same');
  assert.equal((await apply({ a: '1' }, {}, another())).what, 'same', 'also by a process that starts anew');
  assert.equal(kube.received.length, before, 'nothing was asked');
  assert.equal((await apply({ a: '2' })).what, 'changed');
  assert.equal(kube.received.length, before + 1);
});

test('what the server writes in its own way is not applied again and again', async (t) => {
  const { kube, apply, another } = await start(t);
  await apply({ cpu: '0.1' });
  const [mine] = kube.memory.get(MAPS, 'shop', 'm')!.metadata.managedFields!;
  kube.put(MAPS, { ...kube.memory.get(MAPS, 'shop', 'm'), data: { cpu: '100m' } });
  assert.ok(mine);
  const next = another();
  kube.faults.length = 0;
  const before = kube.count('PATCH');
  await apply({ cpu: '0.1' }, {}, next);
  await apply({ cpu: '0.1' }, {}, next);
  await apply({ cpu: '0.1' }, {}, next);
  assert.ok(kube.count('PATCH') <= before + 1);
});

test('what somebody else changed is put right and told', async (t) => {
  const { kube, apply, sync, told } = await start(t);
  await apply({ a: '1' });
  kube.edit(MAPS, 'shop', 'm', { data: { a: '2' } });
  sync();
  const { what, by } = await apply({ a: '1' });
  assert.deepEqual([what, by], ['corrected', 'somebody']);
  assert.deepEqual(kube.memory.get(MAPS, 'shop', 'm')?.['data'], { a: '1' });
  assert.deepEqual(told, ['created', 'corrected']);
  kube.put(MAPS, { ...kube.memory.get(MAPS, 'shop', 'm'), status: { touched: 1 } });
  sync();
  assert.equal((await apply({ a: '1' })).what, 'same', 'what others add is theirs');
});

test('objects of others are not touched', async (t) => {
  const { kube, apply } = await start(t);
  kube.put(MAPS, map({ a: 'theirs' }, 'theirs'));
  await assert.rejects(
    apply({ a: '1' }, { mayAdopt: () => true }),
    new ForeignObjectError('ConfigMap shop/m belongs to Thing "t"; rename one of the two'),
  );
  const { ownerReferences: _, ...metadata } = map({}).metadata;
  kube.put(MAPS, { ...map({ a: 'nobodys' }), metadata: { ...metadata, uid: 'u2' } });
  await assert.rejects(apply({ a: '1' }), /is there already and belongs to nobody; remove it, or allow that it is adopted/);
  assert.equal(kube.count('PATCH'), 0);
  assert.equal((await apply({ a: '1' }, { mayAdopt: ({ metadata: { name } }) => name === 'm' })).what, 'changed');
});

test('fields of other managers are taken only where they may be, and it is said from whom', async (t) => {
  const { kube, apply } = await start(t);
  await apply({ a: '1' });
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "hpa" using v1', field: '.data.b' }];
  const act = { status: 409, reason: 'Conflict', details: { causes } };
  kube.faults.push({ when: ({ method }) => method === 'PATCH', act });
  const { conflicts } = await apply({ a: '1', b: '2' });
  assert.deepEqual(conflicts, [{ manager: 'hpa', field: '.data.b' }]);
  assert.deepEqual(
    kube.received.filter(({ method }) => method === 'PATCH').map(({ query }) => query.get('force')),
    ['false', 'false', 'true'],
  );
  kube.faults.push({ when: ({ method }) => method === 'PATCH', act });
  await assert.rejects(apply({ a: '1', b: '3' }, { mayForce: ({ manager }) => manager !== 'hpa' }), (error) => {
    assert.ok(error instanceof FieldConflictError);
    assert.equal(error.message, 'cannot apply ConfigMap shop/m: "hpa" has set .data.b; let go of the field there, or leave it out here');
    return true;
  });
  kube.faults.push({ when: ({ method }) => method === 'PATCH', act: { status: 409, reason: 'Conflict' } });
  await assert.rejects(apply({ a: '1', b: '3' }), KubeError, 'another conflict is not forced away');
});

test('an object that is being deleted is left to go', async (t) => {
  const { kube, apply, sync } = await start(t);
  await apply({ a: '1' });
  const there = kube.memory.get(MAPS, 'shop', 'm')!;
  kube.put(MAPS, { ...there, metadata: { ...there.metadata, deletionTimestamp: 'now' } });
  sync();
  assert.equal((await apply({ a: '2' })).what, 'leaving');
  assert.equal(kube.count('PATCH'), 1);
});

test('removing takes this very object, and what is gone already is as good', async (t) => {
  const { kube, apply, applier, guard, sync, store } = await start(t);
  const { object }: { object: KubeObject } = await apply({ a: '1' });
  await applier.remove(object, { key: 'k' });
  const asked = kube.received.at(-1)!;
  assert.equal(asked.method, 'DELETE');
  assert.deepEqual((asked.body as { preconditions: object }).preconditions, { uid: object.metadata.uid });
  assert.equal(guard.behind('k').length, 1);
  await applier.remove(object, { key: 'k' });
  sync();
  assert.equal(store.get(configMaps, 'shop/m'), undefined);
  assert.deepEqual(guard.behind('k'), []);
});

test('a status is written when it differs and not otherwise; an object that went meanwhile is no error', async (t) => {
  const { kube, apply, applier, sync } = await start(t);
  const { object } = await apply({ a: '1' });
  assert.equal(await applier.applyStatus(object, { ready: 1, list: [{ b: 1, a: 2 }] }, { key: 'k' }), true);
  sync();
  assert.equal(await applier.applyStatus(object, { list: [{ a: 2, b: 1 }], ready: 1 }, { key: 'k' }), false);
  const [written] = kube.received.filter(({ path }) => path.endsWith('/status'));
  assert.equal(written?.query.get('fieldManager'), 'kimserver-operator-status');
  kube.faults.push({ act: { status: 404, reason: 'NotFound' } });
  assert.equal(await applier.applyStatus(object, { ready: 2 }, { key: 'k' }), false);
});

test('a kind that is not watched is refused with the list of those that are', async (t) => {
  const { applier } = await start(t);
  await assert.rejects(applier.apply({ ...map({}), kind: 'Pod' }, { key: 'k' }), /cannot apply v1\/Pod: known kinds are v1\/ConfigMap/);
});

test('what somebody changes again and again is put right more and more seldom, and it is said who that is', async (t) => {
  const { kube, clock, apply, sync } = await start(t);
  await apply({ a: '1' });
  const edit = () => {
    kube.edit(MAPS, 'shop', 'm', { data: { a: '2' } });
    sync();
  };
  for (let i = 0; i < 5; i++) {
    edit();
    assert.equal((await apply({ a: '1' })).what, 'corrected');
  }
  edit();
  const writes = kube.count('PATCH');
  await assert.rejects(apply({ a: '1' }), (error) => {
    assert.ok(error instanceof ContestedError);
    const said =
      'ConfigMap shop/m is changed by "somebody" again and again; it is put right in 1 s, stop "somebody" or leave the object to it';
    assert.equal(error.message, said);
    return true;
  });
  assert.equal(kube.count('PATCH'), writes);
  assert.equal((await apply({ a: '3' })).what, 'changed', 'what we want ourselves does not wait');
  for (const ms of [1000, 2000, 4000]) {
    edit();
    clock.advance(ms - 1);
    await assert.rejects(apply({ a: '3' }), ContestedError);
    clock.advance(1);
    assert.equal((await apply({ a: '3' })).what, 'corrected');
  }
  clock.advance(600_001);
  for (let i = 0; i < 5; i++) {
    edit();
    assert.equal((await apply({ a: '3' })).what, 'corrected', 'after a while it is a new story');
  }
});

test('what was read a moment ago is not read again', async (t) => {
  const { kube, apply } = await start(t);
  assert.equal((await apply({ a: '1' }, { read: null })).what, 'created');
  assert.equal(kube.count('GET'), 0);
  const other = await start(t);
  const read = other.kube.put(MAPS, map({ a: 'theirs' }, 'theirs'));
  await assert.rejects(other.apply({ a: '1' }, { read }), ForeignObjectError);
  assert.deepEqual([other.kube.count('GET'), other.kube.count('PATCH')], [0, 0]);
});

test('an object that somebody makes in the moment before is not taken by force', async (t) => {
  const { kube, apply } = await start(t);
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "them" using v1', field: '.data.a' }];
  kube.faults.push({ when: ({ method }) => method === 'PATCH', act: { status: 409, reason: 'Conflict', details: { causes } } });
  await assert.rejects(apply({ a: '1' }), (error) => {
    assert.ok(error instanceof FieldConflictError);
    assert.match(error.message, /^cannot apply ConfigMap shop\/m: "them" has set \.data\.a/);
    return true;
  });
  assert.equal(kube.count('PATCH'), 1);
});
