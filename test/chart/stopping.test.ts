// The time that Kubernetes gives the operator to end is longer than it can take to hand over.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseYaml } from '../../src/config/yaml-text.ts';
import { CONTROLLER_RULES, longestStopMs } from '../../src/operator/engine/controller-options.ts';
import { root } from '../meta/support.ts';

/** Its page is closed, its log written, its process gone. */
const END_MS = 5000;

test('the grace period of the operator is enough to finish, to tell events and to give the lease back', () => {
  const values = parseYaml(readFileSync(`${root}/charts/kimserver/values.yaml`, 'utf8')).value as { terminationGracePeriodSeconds: number };
  const needsMs = longestStopMs(CONTROLLER_RULES) + END_MS;
  const hasMs = values.terminationGracePeriodSeconds * 1000;
  assert.ok(needsMs <= hasMs, `it needs ${needsMs} ms and has ${hasMs} ms`);
});
