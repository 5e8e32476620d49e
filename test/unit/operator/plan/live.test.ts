// What running pods are told: what differs, of which wish it is, and who is left alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kim, operator, World } from './support.ts';

const spec = (gate: string, metadata: Parameters<typeof kim>[1] = {}) =>
  kim(`{ gate: { replicas: 2, listeners: [{ port: 3355 }], ${gate} }, discovery: { kubernetes: {} } }`, metadata);
const told = (world: World, cluster = world.cluster) =>
  world.plan(cluster).actions.filter(({ kind }) => kind === 'setWorkers' || kind === 'setSettings');

test('a pod that is meant to leave, starts or drains is not told anything', () => {
  const world = World.of(spec('')).gates({}, { drains: 5, state: 'serving' }, { state: 'starting' }, { state: 'draining' }, { deaf: true });
  assert.deepEqual(told(world, spec('workers: 4', { generation: 2 })), [
    { kind: 'setWorkers', pod: 'demo-gate-a', count: 4, generation: 2 },
  ]);
});

test('only options that differ are told, defaults again included', () => {
  const world = World.of(spec('limits: { maxClients: 50, maxInFlight: 7 }')).gates({});
  const [action, ...more] = told(world, spec('limits: { maxInFlight: 7 }', { generation: 3 }));
  assert.deepEqual(action, { kind: 'setSettings', pod: 'demo-gate-a', config: { max_clients: 16_000 }, generation: 3 });
  assert.deepEqual(more, []);
});

test('an option that a node of another version does not know is not told', () => {
  const world = World.of(spec('')).gates({ node: { config: { max_in_flight: 1024 } } });
  assert.deepEqual(told(world, spec('limits: { maxClients: 50 }')), []);
});

test('a KimCluster that was made anew wishes something newer than the one before it, whatever its generation', () => {
  const of = (metadata: object) => {
    const [action] = told(World.of(spec('')).gates({}), spec('workers: 2', metadata));
    return action?.kind === 'setWorkers' ? action.generation : 0;
  };
  const before = of({ generation: 900, creationTimestamp: '2026-11-21T08:00:00Z' });
  const after = of({ generation: 1, creationTimestamp: '2026-11-21T08:00:01Z' });
  assert.ok(after > before && Number.isSafeInteger(after), `${before} ${after}`);
  assert.equal(of({ generation: 901, creationTimestamp: '2026-11-21T08:00:00Z' }), before + 1);
});

test('settings count as given to all when each pod has them and answers', () => {
  const given = (world: World, cluster = world.cluster) => world.plan(cluster).status.gate?.settingsGeneration;
  assert.equal(given(World.of(spec('', { generation: 4 }))), 4);
  assert.equal(given(World.of(spec('')).gates({}, { deaf: true })), undefined);
  assert.equal(given(World.of(spec('')), spec('workers: 3', { generation: 5 })), undefined);
  assert.equal(given(new World(spec(''))), undefined);
});

test('another key of the operator comes to the pods by a rollout', () => {
  const world = World.of(spec(''));
  const revision = () => world.plan().status.gate?.revision;
  const before = revision();
  world.more = { operator: { ...operator, publicKey: 'MCowBQYDK2VwAyEAanotheranotheranotheranotheranotheranother=' } };
  assert.notEqual(revision(), before);
  assert.match(world.plan().status.conditions?.find(({ type }) => type === 'Progressing')?.message ?? '', /^gate: 0 of 2 pods of revision/);
});
