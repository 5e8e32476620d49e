// Whether what is there is what we want.

import assert from 'node:assert/strict';
import test from 'node:test';
import { canonical } from '../../../../src/kube/json.ts';
import { covers, digest } from '../../../../src/operator/engine/compare.ts';
import { conflictsOf, keepOwnership, lastOther, ownDigest } from '../../../../src/operator/engine/ownership.ts';
import type { ManagedFields } from '../../../../src/kube/types.ts';
import { fc, forAll } from '../../../support/property.ts';

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more });

test('what the server or others add makes no difference, what is missing or different does', () => {
  for (const [there, wanted, expected] of [
    [{ a: 1, b: 2 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { a: '1' }, false],
    [{ a: null }, { a: {} }, false],
    [undefined, { a: 1 }, false],
    [{ containers: [container('side'), container('main', { port: 1 })] }, { containers: [container('main')] }, true],
    [{ containers: [container('main')] }, { containers: [container('main', { image: 'x' })] }, false],
    [{ volumeMounts: [{ name: 'a', mountPath: '/b' }] }, { volumeMounts: [{ name: 'a', mountPath: '/a' }] }, false],
    [{ args: ['a', 'b'] }, { args: ['a'] }, false],
    [{ args: ['b', 'a'] }, { args: ['a', 'b'] }, false],
    [{ rules: [{ verbs: ['get'] }] }, { rules: [{ verbs: ['get'] }] }, true],
    [{ subjects: [{ name: 'a' }, { name: 'intruder' }] }, { subjects: [{ name: 'a' }] }, false],
    [{ ports: [{ port: 80, protocol: 'TCP' }] }, { ports: [{ port: 80 }] }, true],
    [{ ports: [{ port: 80 }, { port: 22 }] }, { ports: [{ port: 80 }] }, false],
  ] as const)
    assert.equal(covers(there, wanted), expected, `${JSON.stringify(there)} ${JSON.stringify(wanted)}`);
});

test('the digest of a value does not depend on the order of its fields', () => {
  assert.equal(digest({ a: 1, b: { c: [1, { y: 2, x: 3 }], d: undefined } }), digest({ b: { c: [1, { x: 3, y: 2 }] }, a: 1 }));
  assert.notEqual(digest({ a: [1, 2] }), digest({ a: [2, 1] }));
  assert.match(digest({}), /^[\w-]{16}$/);
});

test('anything covers itself', () => {
  forAll(fc.jsonValue(), (value) => {
    assert.ok(covers(JSON.parse(JSON.stringify(value)), value));
    assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)));
  });
});

const object = (managedFields: ManagedFields[]) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields } });

test('of managed fields a copy keeps who they are, and a digest that changes when somebody takes one of ours', () => {
  const ours = { manager: 'me', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } };
  const status = { manager: 'me', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } };
  const other = { manager: 'kubectl-edit', operation: 'Update', time: '2026-01-02T00:00:00Z', fieldsV1: { 'f:data': { 'f:c': {} } } };
  const older = { manager: 'helm', operation: 'Update', time: '2026-01-01T00:00:00Z' };
  const kept = keepOwnership(object([status, ours, older, other]), 'me');
  assert.ok(!JSON.stringify(kept).includes('f:data'));
  assert.equal(ownDigest(kept, 'me'), ownDigest(keepOwnership(object([{ ...ours, time: 'later' }]), 'me'), 'me'));
  const taken = { ...ours, fieldsV1: { 'f:data': { 'f:a': {} } } };
  assert.notEqual(ownDigest(kept, 'me'), ownDigest(keepOwnership(object([taken]), 'me'), 'me'));
  assert.equal(ownDigest(kept, 'you'), undefined);
  assert.equal(lastOther(kept, 'me'), 'kubectl-edit');
});

test('conflicts are read from the causes of a refusal', () => {
  const causes = [
    {
      reason: 'FieldManagerConflict',
      message: 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1',
      field: '.spec.replicas',
    },
    { reason: 'FieldValueInvalid', message: 'no', field: '.x' },
  ];
  assert.deepEqual(conflictsOf(causes), [{ manager: 'kube-controller-manager', field: '.spec.replicas' }]);
});
