// When a rollout trusts the new revision, and when it does not: what new pods do is compared with what old ones do, and few say nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marks } from '../../../../src/operator/plan/names.ts';
import type { NodeView } from '../../../../src/operator/plan/types.ts';
import { kim, World } from './support.ts';

const spec = (image: string, gate = '') =>
  kim(`{ image: "${image}", gate: { replicas: 2, listeners: [{ port: 3355 }], ${gate} }, discovery: { kubernetes: {} } }`);

/** One gate is new and two are old; what they have counted. Returns why the rollout pauses itself. */
function stalled(fresh: Partial<NodeView>, old: Partial<NodeView>): string | undefined {
  const world = World.of(spec('kim:1'));
  const next = spec('kim:2');
  world.apply(world.plan(next));
  const revision = world.deployment('gate').metadata.annotations![marks.revision]!;
  world.gates({ revision, node: fresh }, { revision: 'old', node: old }, { revision: 'old', node: old });
  const { status, apply } = world.plan(next);
  const degraded = status.conditions?.find(({ type }) => type === 'Degraded');
  const gate = apply.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-gate');
  assert.equal((gate!['spec'] as { paused: boolean }).paused, degraded?.reason === 'RolloutStalled');
  return degraded?.reason === 'RolloutStalled' ? degraded.message : undefined;
}

test('a rollout pauses itself when connections to new pods break more often', () => {
  const old = { accepted: 1000, broken: 10 };
  assert.match(stalled({ accepted: 200, broken: 20 }, old) ?? '', /^10\.0 % of their connections break, 1\.0 % in old pods/);
  assert.equal(stalled({ accepted: 200, broken: 5 }, old), undefined);
});

test('a rollout pauses itself when new pods answer with more failures', () => {
  const old = { replies: 1000, failures: 0 };
  assert.match(
    stalled({ replies: 1000, failures: 11 }, old) ?? '',
    /^1\.1 % of their replies say that something failed, 0\.0 % in old pods/,
  );
  assert.equal(stalled({ replies: 1000, failures: 10 }, old), undefined);
});

test('a few replies or connections say nothing, neither of new pods nor of old ones', () => {
  assert.equal(stalled({ replies: 99, failures: 99 }, { replies: 1000 }), undefined);
  assert.equal(stalled({ replies: 1000, failures: 500 }, { replies: 49 }), undefined);
  assert.match(stalled({ replies: 100, failures: 99 }, { replies: 50 }) ?? '', /99\.0 %/);
});

test('a tier without pods is not held up by a pause that is meant for replacing them', () => {
  const cluster = spec('kim:1', 'update: { paused: true }');
  const world = World.of(cluster).gates();
  const gate = world.plan(cluster).apply.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-gate');
  assert.equal((gate!['spec'] as { paused: boolean }).paused, false);
});
