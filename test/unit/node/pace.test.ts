// How fast clients may leave a node that drains: as fast as the others of its type can take them in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../../../src/cluster/member.ts';
import { paceOf } from '../../../src/node/pace.ts';

const self = { node_type: 'gate', node_host: '10.0.0.1', accept_rate: 5000 };

function member(host: string, more: Partial<Member> = {}): Member {
  const facts = { state: 'serving' as const, version: '0.1.0', connections: 0, gate: '' };
  return { type: 'gate', host, port: 3344, workers: 1, activeTime: 1, name: host, source: 'test', facts, ...more };
}

test('each of the others takes 200 clients in a second, or as many as it lets in', () => {
  const members = [member('10.0.0.1'), member('10.0.0.2'), member('10.0.0.3')];
  assert.equal(paceOf(members, self, 3344), 400);
  assert.equal(paceOf(members, { ...self, accept_rate: 30 }, 3344), 60);
  assert.equal(paceOf(members, { ...self, accept_rate: 0 }, 3344), 400);
});

test('nodes of other types, those that drain, and the node itself take none', () => {
  const draining = { state: 'draining' as const, version: '0.1.0', connections: 0, gate: '' };
  const members = [member('10.0.0.1'), member('10.0.0.2', { type: 'logic' }), member('10.0.0.3', { facts: draining }), member('10.0.0.4')];
  assert.equal(paceOf(members, self, 3344), 200);
});

test('an original, which says nothing of itself, takes clients as well', () => {
  assert.equal(paceOf([member('10.0.0.2', { facts: undefined })], self, 3344), 200);
});

test('where nobody else is known there is nobody to spare', () => {
  assert.equal(paceOf([member('10.0.0.1')], self, 3344), undefined);
  assert.equal(paceOf([], self, undefined), undefined);
});
