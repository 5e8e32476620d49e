// The status of a KimCluster that can not be understood: what was known stays, and what is wrong is said once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidStatus } from '../../../../src/operator/run/invalid.ts';
import { kim, SMALL, World } from '../plan/support.ts';

const NOW = new Date('2026-11-21T09:00:00Z');

test('a spec that can not be followed is not ready, and everything else stays as it was known', () => {
  const { cluster } = World.of(kim(SMALL, { generation: 4 }));
  const status = World.of(kim(SMALL)).plan().status;
  const { conditions = [], observedGeneration, ...rest } = invalidStatus({ ...cluster, status }, 'spec.gate is missing', NOW);
  const { conditions: before = [], observedGeneration: _, ...known } = status;
  assert.deepEqual(rest, known);
  assert.equal(observedGeneration, 4);
  assert.deepEqual(conditions.map(({ type }) => type).toSorted(), before.map(({ type }) => type).toSorted());
  const wrong = conditions.filter(({ reason }) => reason === 'InvalidSpec');
  assert.deepEqual(
    wrong.map(({ type, status: is, message }) => [type, is, message]),
    [
      ['Ready', 'False', 'spec.gate is missing'],
      ['ConfigValid', 'False', 'spec.gate is missing'],
    ],
  );
});

test('one that never was understood says that, and its time does not move while it lasts', () => {
  const { apiVersion, kind, metadata } = kim(SMALL);
  const bare = { apiVersion, kind, metadata };
  const first = invalidStatus(bare, 'x'.repeat(100_000), NOW);
  assert.ok(first.conditions!.every(({ message }) => message.length <= 32_768));
  const again = invalidStatus({ ...bare, status: first }, 'x'.repeat(100_000), new Date('2026-11-21T10:00:00Z'));
  assert.deepEqual(again, first);
});
