// Whatever stands in a field of a KimCluster: who reads files and the API server judge it alike.

import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterOf } from '../../src/config/cluster.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { findKube } from '../../src/kube/config.ts';
import { KubeError } from '../../src/kube/error.ts';
import { clusterSchema } from '../../src/operator/crd/crd.ts';
import type { Schema } from '../../src/operator/crd/structural.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { good } from '../support/cluster-objects.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();

/** Some of everything: of other types, at and beyond edges, and what is good elsewhere. */
const oddities: readonly unknown[] = [
  ...[null, true, -1, 0, 1, 1.5, 70_000, 1e12, [], {}, [''], [{}], { a: 1 }],
  ...[
    '',
    'x',
    'x-',
    'A b',
    ' warn ',
    'none',
    'a:1',
    '/a',
    '0.4ms',
    '10s',
    '8MiB',
    '1Gi',
    '50%',
    '10.0.0.0/8',
    '2147483648',
    'x'.repeat(2000),
  ],
];
/** As many ask at the same time. */
const ASKING = 8;

type Steps = readonly (string | number)[];

/** Every field of the schema, with the first entry of each list and one key of each map. */
function fieldsOf(schema: Schema, at: Steps): Steps[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).map(([key, value]) => [key, value] as const),
    ...(schema.items === undefined ? [] : [[0, schema.items] as const]),
    ...(schema.additionalProperties === undefined ? [] : [['key', schema.additionalProperties] as const]),
  ];
  return [at, ...inner.flatMap(([step, value]) => fieldsOf(value, [...at, step]))];
}

/** What logic nodes have is what gates have, but for these; the pods of ZooKeeper are pods. */
function isElsewhere([, tier, key, ...rest]: Steps): boolean {
  const isOfLogic = tier === 'logic' && key !== undefined && !['nodePort', 'nodeHost', 'admin'].includes(String(key));
  return isOfLogic || (tier === 'discovery' && rest.includes('template') && rest.at(-1) !== 'template');
}

function withValue(object: unknown, [step, ...rest]: Steps, value: unknown): unknown {
  if (step === undefined) return value;
  const inner = (object as Record<string | number, unknown> | undefined)?.[step];
  const changed = withValue(inner, rest, value);
  if (typeof step === 'number') return Array.isArray(object) ? object.with(step, changed) : [changed];
  return { ...(object as object | undefined), [step]: changed };
}

function refusalOfFiles(object: unknown): string {
  try {
    clusterOf(object, 'file');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

test('files and the API server judge whatever stands in a field alike', { skip, timeout: 300_000 }, async (t) => {
  const { kube, kubeconfig } = plane();
  await defineClusters(kube);
  const client = new KubeClient({ access: await findKube({ kubeconfig }), timeoutMs: 60_000 });
  t.after(() => client.close());
  const path = '/apis/kimserver.io/v1alpha1/namespaces/default/kimclusters';
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const refusalOfServer = (body: unknown) =>
    client.request('POST', path, { query, body }).then(
      () => '',
      (error: unknown) => {
        // other faults are no verdict
        if (error instanceof KubeError && (error.status === 422 || error.status === 400)) return error.message;
        throw error;
      },
    );
  const fields = fieldsOf(clusterSchema().properties!['spec']!, ['spec']).filter((field) => !isElsewhere(field));
  // a third for each, and another third for the next one, which is often of the same kind
  const asked = fields.flatMap((field, i) => oddities.filter((_, j) => (i + j) % 3 === 0).map((value) => ({ field, value })));
  assert.ok(asked.length > 2000, `${asked.length}`);
  const different: string[] = [];
  let taken = 0;
  const ask = async () => {
    for (let next = asked.pop(); next !== undefined; next = asked.pop()) {
      const object = withValue(good['everything at once'], next.field, next.value);
      const [file, server] = [refusalOfFiles(object), await refusalOfServer(object)];
      if (file === '') taken++;
      if ((file === '') !== (server === '')) {
        different.push(`${next.field.join('.')} = ${JSON.stringify(next.value)}: file "${file}", server "${server}"`);
      }
    }
  };
  await Promise.all(Array.from({ length: ASKING }, ask));
  assert.deepEqual(different, []);
  assert.ok(taken > 150, `only ${taken} were good`);
});
