// A short run of the fuzzer with a fixed seed; the long one is "npm run fuzz -- --frames 1000000".

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('20,000 frames of all kinds hurt nobody: no worker dies, nothing leaks, honest clients get every reply', async () => {
  const report = await fuzz({ frames: 20_000, seed: 20_210_218, workers: 2, connections: 64, rolls: 0 });
  assert.deepEqual(report.problems, []);
  assert.ok(report.frames >= 20_000);
  // the attack has to be one: connections were closed for every kind of offence
  for (const reason of ['frame', 'size', 'unknown_command', 'module', 'reset', 'peer']) {
    assert.ok((report.closed[reason] ?? 0) > 0, `no connection was closed for ${reason}: ${JSON.stringify(report.closed)}`);
  }
});

test('workers that are replaced in the middle of an attack hand over every connection', async () => {
  const report = await fuzz({ frames: 20_000, seed: 7, workers: 2, connections: 64, rolls: 1 });
  assert.deepEqual(report.problems, []);
});
