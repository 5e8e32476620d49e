// KimClusters that are good or bad, as files are judged; test/kube/crd.test.ts has the API server judge the same ones.

import assert from 'node:assert/strict';
import test from 'node:test';
import { changeProblems } from '../../../src/config/cluster-changes.ts';
import { clusterOf } from '../../../src/config/cluster.ts';
import { ConfigError } from '../../../src/config/error.ts';
import { bad, badChanges, goodChanges } from '../../support/bad-clusters.ts';
import { clusterObject, good, type Part } from '../../support/cluster-objects.ts';

test('good clusters are taken, and what is special about them arrives', () => {
  for (const [what, object] of Object.entries(good)) assert.doesNotThrow(() => clusterOf(object, what), what);
  const { spec } = clusterOf(good['everything at once'], 'all').cluster;
  assert.deepEqual(
    [spec.gate.keepAlive, spec.gate.logLevel, spec.gate.limits?.maxFrame, spec.gate.sessions?.resumeMs],
    [90_000, 'warn', 1_048_576, 0],
  );
  assert.deepEqual(spec.gate.routes?.[0]?.key, { from: 'field', field: 'id', proto: { file: 'a.proto', type: 'A' } });
});

test('bad clusters are refused, and the sentence begins with the field', () => {
  assert.ok(bad.length >= 40, `${bad.length}`);
  for (const [what, spec, field] of bad) {
    const problems = problemsOf(clusterObject(spec), what);
    assert.ok(
      problems.some(({ path }) => path.startsWith(field)),
      `${what}: ${field} is not among ${JSON.stringify(problems)}`,
    );
  }
});

test('all that changes begin with and end with is good in itself', () => {
  for (const [what, from, to] of [...badChanges, ...goodChanges]) {
    for (const spec of [from, to]) assert.doesNotThrow(() => clusterOf(clusterObject(spec), what), what);
  }
});

test('changes that can not be made are known without asking the API server', () => {
  const problems = (from: Part, to: Part) => {
    const [before, after] = [from, to].map((spec) => clusterOf(clusterObject(spec), 'x').cluster);
    return changeProblems(before!, after!);
  };
  for (const [what, from, to] of badChanges) assert.equal(problems(from, to).length, 1, what);
  for (const [what, from, to] of goodChanges) assert.deepEqual(problems(from, to), [], what);
  const [[, from, to] = []] = badChanges;
  assert.deepEqual(problems(from!, to!), [
    'spec.discovery.zookeeper.managed.replicas can not be changed once it is there; make another KimCluster, or name hosts',
  ]);
});

function problemsOf(object: unknown, what: string) {
  try {
    clusterOf(object, what);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  assert.fail(`${what} was not refused`);
}
