// What the chart renders for each values file of charts/kimserver/ci, kept in test/golden/chart; the same with both versions of Helm.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { assertGolden, noOtherGolden } from '../support/golden.ts';
import { CHART, helms, runHelm, template } from '../support/kube/helm.ts';
import { noHelm } from '../support/kube/needs.ts';

/** Helm has to be built the first time. */
const timeout = 15 * 60_000;
const skip = noHelm;

const files = globSync(`${CHART}/ci/*-values.yaml`).sort();

for (const file of files) {
  const name = basename(file, '-values.yaml');
  test(`values of "${name}" render as they did, with Helm 4 and 3`, { skip, timeout }, async () => {
    const [four, three] = [await template('helm', ['-f', file]), await template('helm3', ['-f', file])];
    assert.equal(sorted(three), sorted(four));
    assertGolden(`test/golden/chart/${name}.yaml`, sorted(four));
  });
}

test('there are at least a dozen of them, and no file is left of one that is gone', () => {
  assert.ok(files.length >= 12);
  noOtherGolden(
    'test/golden/chart',
    files.map((file) => `${basename(file, '-values.yaml')}.yaml`),
  );
});

for (const helm of helms) {
  test(`${helm} lint has nothing to say with any of them`, { skip, timeout }, async () => {
    for (const file of files) await runHelm(helm, ['lint', '--strict', '--quiet', '-f', file, CHART]);
  });
}

test('a plain-YAML install is what the chart renders', { skip, timeout }, async () => {
  const text = await runHelm('helm', [
    ...['template', 'kimserver', CHART, '--namespace=kimserver', '--kube-version=1.34.0', '--no-hooks'],
    ...['--set=crds.install=false,tests.enabled=false'],
  ]);
  const head = `# The operator without Helm. Rendered from charts/kimserver by "npm test -- chart/golden --accept". Do not edit.
#   kubectl apply --server-side -f crds/
#   kubectl apply -f manifests/operator.yaml
---
apiVersion: v1
kind: Namespace
metadata:
  name: kimserver
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
`;
  const labels = /^ *(helm\.sh\/.*|app\.kubernetes\.io\/managed-by: Helm)\n/gm;
  const body = sorted(text)
    .replace(/^# Source: .*\n/gm, '')
    .replace(labels, '')
    .replace(/^ *annotations:\n(?! {4})/gm, '');
  assertGolden('manifests/operator.yaml', `${head}${body}`);
});

/** Documents in the order of their templates and names. The definition of KimCluster is large and has tests of its own: it counts by its size. */
function sorted(text: string): string {
  const documents = text
    .split(/^---\n/m)
    .map((document) => document.trim())
    .filter((document) => document !== '')
    .map((document) =>
      /^kind: CustomResourceDefinition$/m.test(document) ? document.replace(/^spec:\n[^]*$/m, 'spec: (as in crds)') : document,
    );
  return `${documents.sort().join('\n---\n')}\n`;
}
