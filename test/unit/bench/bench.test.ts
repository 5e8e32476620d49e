// The whole benchmark in small: that it measures and ends, not how fast anything is.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Results } from '../../../src/bench/results.ts';

const main = join(import.meta.dirname, '../../../src/bench/main.ts');
const run = (...argv: string[]) => promisify(execFile)(process.execPath, [main, ...argv], { timeout: 120_000 });
const isLinux = existsSync('/proc/self/stat');

test('every row can be measured', { skip: !isLinux }, async () => {
  const small = ['--rounds', '1', '--seconds', '0.05', '--connections', '8', '--idle', '20', '--soak', '4000'];
  const rows = ['--rows', 'depth1,depth10,json,idle,churn,workers,soak'];
  const { stdout } = await run(...small, ...rows, '-o', 'json');
  const results = JSON.parse(stdout) as Results;
  assert.equal(results.about.node, process.version);
  assert.deepEqual(
    results.load.map(({ name }) => name),
    ['depth1', 'depth10', 'json'],
  );
  for (const { floor, ours, ratios } of results.load) {
    assert.ok(floor.rate > 0 && ours.rate > 0 && floor.cpuUs > 0 && ours.cpuUs > 0 && ratios[0]! > 0);
    assert.ok(ours.p50Us <= ours.p99Us && ours.p99Us <= ours.p999Us);
  }
  assert.deepEqual(
    results.idle.map(({ who, connections }) => [who, connections]),
    [
      ['floor', 20],
      ['kimserver', 20],
    ],
  );
  assert.equal(results.churn.length, 3);
  assert.deepEqual(
    results.workers.map(({ depth }) => depth),
    [10, 100],
  );
  assert.ok(results.soak!.points.at(-1)!.requests >= 4000);
});

test('wrong flags end with one sentence and exit code 2', async () => {
  await assert.rejects(run('--rows', 'depth2'), (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 2);
    assert.match(error.stderr, /^bench: --rows names "depth2"; .*\n$/);
    return true;
  });
  await assert.rejects(run('--write', '--quick'), { code: 2 });
});

test('help has examples', async () => {
  assert.match((await run('--help')).stdout, /examples:\n {2}npm run bench/);
});
