// values.yaml, its schema and Chart.yaml: wrong values are refused with a sentence, and everything has one source.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseDocument } from '../../src/config/yaml.ts';
import { CRD_REVISION, REVISION_ANNOTATION } from '../../src/operator/crd/crd.ts';
import { CHART, helms, template, tryHelm } from '../support/kube/helm.ts';
import { noHelm } from '../support/kube/needs.ts';
import { root } from '../meta/support.ts';

const timeout = 15 * 60_000;
const skip = noHelm;

/** What is given, and what the complaint has to say: the place, and what is wrong there. */
const wrong: readonly (readonly [string, RegExp])[] = [
  ['replica=2', /replica.*not allowed/],
  ['image.tags=1', /image.*tags.*not allowed/s],
  ['replicas=-1', /replicas.*minimum/s],
  ['replicas=9', /replicas.*maximum/s],
  ['replicas=two', /replicas.*want integer/s],
  ['image.digest=0.1.0', /image\/digest.*does not match pattern/s],
  ['image.pullPolicy=Sometimes', /image\/pullPolicy.*Always.*IfNotPresent.*Never/s],
  ['logLevel=loud', /logLevel.*trace.*debug.*info.*warn.*error/s],
  ['namespaces={Team_A}', /namespaces\/0.*does not match pattern/s],
  ['namespaces={a,a}', /namespaces.*equal/s],
  ['fullnameOverride=Kim Server', /fullnameOverride.*does not match pattern/s],
  ['crds.install=maybe', /crds\/install.*want boolean/s],
  ['ports.metrics=80', /ports\/metrics.*minimum/s],
  ['imagePullSecrets[0].nme=x', /imagePullSecrets\/0.*missing property 'name'/s],
  ['podLabels.a.b=x', /podLabels\/a.*want string/s],
  ['monitoring.serviceMonitor.interval=soon', /serviceMonitor\/interval.*does not match pattern/s],
  ['podDisruptionBudget.maxUnavailable=half', /podDisruptionBudget\/maxUnavailable/],
  ['tests.timeoutSeconds=1', /tests\/timeoutSeconds.*minimum/s],
  [
    'replicas=2,podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1',
    /podDisruptionBudget\.minAvailable and podDisruptionBudget\.maxUnavailable are both given, .* leave one empty/,
  ],
  [
    'monitoring.alerts.enabled=true,monitoring.alerts.disabled={KimserverRain}',
    /monitoring\.alerts\.disabled names "KimserverRain", and there is no such alert; there are: KimserverNodeNotReady, /,
  ],
];

for (const helm of helms) {
  test(`${helm} refuses wrong values and says where and why`, { skip, timeout }, async () => {
    for (const [given, complaint] of wrong) {
      const { code, stderr } = await tryHelm(helm, ['template', 'kim', CHART, '--kube-version=1.34.0', '--set', given]);
      assert.notEqual(code, 0, given);
      assert.match(stderr, complaint, given);
    }
  });
}

test('an older Kubernetes is refused', { skip, timeout }, async () => {
  await assert.rejects(template('helm', ['--kube-version=1.29.9']), /requires kubeVersion: >=1\.30/);
});

test('the versions of the chart are that of the package', () => {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
  const text = readFileSync(`${CHART}/Chart.yaml`, 'utf8');
  const chart = parseDocument(text).toJS() as Record<string, string>;
  assert.equal(chart['version'], version);
  assert.equal(chart['appVersion'], version);
  const { annotations } = parseDocument(text).toJS() as { annotations: Record<string, string> };
  assert.equal(annotations[REVISION_ANNOTATION], String(CRD_REVISION));
  assert.ok(text.includes(`image: kimserver:${version}\n`));
});

test('values.yaml says the defaults that its schema says', () => {
  const values = parseDocument(readFileSync(`${CHART}/values.yaml`, 'utf8')).toJS() as unknown;
  const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as Schema;
  assert.deepEqual(values, defaults(schema));
});

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

function defaults(schema: Schema): unknown {
  if ('default' in schema) return schema.default;
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, defaults(inner)]));
}
