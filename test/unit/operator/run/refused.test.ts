// What was refused for good is told in the status; what goes by itself is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '../../../../src/kube/error.ts';
import type { KimClusterStatus } from '../../../../src/operator/status-types.ts';
import { NodeRefusal } from '../../../../src/operator/run/node-client.ts';
import { withRefusal } from '../../../../src/operator/run/refused.ts';
import { kim, SMALL, World } from '../plan/support.ts';

const well = World.of(kim(SMALL)).plan().status;
const NOW = new Date('2026-11-21T09:00:00Z');
const kube = (status: number) => new KubeError(`refused with ${status}`, { status, reason: 'x' });
const degraded = ({ conditions = [] }: KimClusterStatus) => conditions.find(({ type }) => type === 'Degraded')!;

test('a field that the API server refuses, and a pod that obeys another key, are told', () => {
  for (const problem of [kube(422), kube(403), kube(400), new NodeRefusal(403, 'refused with its key')]) {
    const { status, reason, message, lastTransitionTime } = degraded(withRefusal(well, [problem], well, NOW));
    assert.deepEqual([status, reason, message, lastTransitionTime], ['True', 'Refused', problem.message, '2026-11-21T09:00:00Z']);
  }
});

test('what may be otherwise in a moment is not told, and changes nothing', () => {
  const problems = [kube(0), kube(409), kube(429), kube(500), kube(503), new Error('no route'), new NodeRefusal(504, 'busy')];
  assert.equal(withRefusal(well, problems, well, NOW), well);
});

test('of several problems, also of pods together, the one that lasts is told', () => {
  const together = new AggregateError([new Error('no route'), new NodeRefusal(400, 'max_clients is wrong')], 'two');
  assert.equal(degraded(withRefusal(well, [kube(503), together], well, NOW)).message, 'max_clients is wrong');
});

test('as long as it lasts its time does not move, and the sentence has an end', () => {
  const long = new KubeError('x'.repeat(50_000), { status: 422, reason: 'Invalid' });
  const first = withRefusal(well, [long], well, NOW);
  assert.equal(degraded(first).message.length, 2000);
  assert.deepEqual(withRefusal(well, [long], first, new Date('2026-11-21T10:00:00Z')), first);
});

test('what a person has to decide anyway comes before it', () => {
  const stuck = World.of(kim(SMALL)).gates({ ready: false, waiting: 'ImagePullBackOff' }).plan().status;
  assert.equal(degraded(withRefusal(stuck, [kube(422)], stuck, NOW)).reason, 'ImagePullFailed');
});
