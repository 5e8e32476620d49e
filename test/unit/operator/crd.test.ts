// The definition of KimClusters follows the rules that Kubernetes has for schemas, and says something about every field.

import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterJsonSchema } from '../../../src/config/cluster.ts';
import { clusterSchema, CRD_NAME, CRD_REVISION, customResourceDefinition, REVISION_ANNOTATION } from '../../../src/operator/crd/crd.ts';
import type { Schema } from '../../../src/operator/crd/structural.ts';
import { conditionTypes } from '../../../src/operator/status-types.ts';

interface Node {
  readonly path: string;
  readonly schema: Schema;
  /** How often its values may occur; 1 where no list is around them. */
  readonly isField: boolean;
}

function nodesOf(schema: Schema, path: string, isField = true): Node[] {
  return [
    { path, schema, isField },
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => nodesOf(inner, `${path}.${key}`)),
    ...(schema.items === undefined ? [] : nodesOf(schema.items, `${path}[]`, false)),
    ...(schema.additionalProperties === undefined ? [] : nodesOf(schema.additionalProperties, `${path}.*`, false)),
  ];
}

const all = nodesOf(clusterSchema(), '');
const spec = all.filter(({ path }) => path.startsWith('.spec'));
const paths = (nodes: readonly Node[]) => nodes.map(({ path }) => path);

test('every field is described in whole sentences', () => {
  const silent = all.filter(({ path, schema, isField }) => isField && path !== '.metadata' && (schema.description ?? '') === '');
  assert.deepEqual(paths(silent), []);
  const cut = all.filter(({ schema: { description } }) => description !== undefined && !/[.}]$/.test(description));
  assert.deepEqual(paths(cut), []);
  assert.ok(all.length > 300, `${all.length}`);
});

test('descriptions speak of fields, not of the options of a node’s file', () => {
  const options = spec.filter(({ schema: { description = '' } }) => /\b(?!add_on)[a-z]+_[a-z]+(_[a-z]+)*\b/.test(description));
  assert.deepEqual(
    options.map(({ path, schema }) => `${path}: ${schema.description}`),
    [],
  );
});

test('every value has one type, or is a number or a text', () => {
  const loose = all.filter(({ schema }) => (schema.type === undefined) === (schema['x-kubernetes-int-or-string'] !== true));
  assert.deepEqual(paths(loose), []);
});

test('only keywords of structural schemas are used', () => {
  const known = new Set([
    ...[
      'description',
      'type',
      'format',
      'default',
      'enum',
      'pattern',
      'minimum',
      'maximum',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
    ],
    ...['maxProperties', 'required', 'properties', 'additionalProperties', 'items'],
    ...['int-or-string', 'preserve-unknown-fields', 'list-type', 'list-map-keys', 'validations'].map((word) => `x-kubernetes-${word}`),
  ]);
  const others = all.flatMap(({ path, schema }) =>
    Object.keys(schema)
      .filter((key) => !known.has(key))
      .map((key) => `${path} ${key}`),
  );
  assert.deepEqual(others, []);
  const both = all.filter(({ schema }) => schema.properties !== undefined && schema.additionalProperties !== undefined);
  assert.deepEqual(paths(both), []);
});

test('every list has a greatest length and a way in which writers share it', () => {
  const lists = spec.filter(({ schema }) => schema.type === 'array');
  assert.deepEqual(paths(lists.filter(({ schema }) => schema.maxItems === undefined)), []);
  assert.deepEqual(paths(lists.filter(({ schema }) => schema['x-kubernetes-list-type'] === undefined)), []);
  for (const { path, schema } of all) {
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    assert.equal(keys.length > 0, schema['x-kubernetes-list-type'] === 'map', path);
    // a key has to be there: given, or by default
    for (const key of keys)
      assert.ok(schema.items?.required?.includes(key) === true || schema.items?.properties?.[key]?.default !== undefined, path);
  }
});

test('texts that rules look at have a greatest length, so that rules have a greatest cost', () => {
  const open = spec.filter(
    ({ schema }) => schema.type === 'string' && schema['x-kubernetes-validations'] !== undefined && schema.maxLength === undefined,
  );
  assert.deepEqual(paths(open), []);
});

test('patterns are those of Go: they can not look around', () => {
  const patterns = all.flatMap(({ schema }) => [
    schema.pattern ?? '',
    ...(schema['x-kubernetes-validations'] ?? []).map(({ rule }) => rule),
  ]);
  assert.deepEqual(
    patterns.filter((pattern) => /\(\?[=!<]/.test(pattern)),
    [],
  );
});

test('every rule has a sentence of its own, in lower case and without full stop', () => {
  const rules = all.flatMap(({ path, schema }) => (schema['x-kubernetes-validations'] ?? []).map((rule) => ({ path, ...rule })));
  assert.ok(rules.length > 150, `${rules.length}`);
  assert.ok(rules.filter(({ rule }) => rule.includes('oldSelf')).length >= 6);
  for (const { path, message } of rules) {
    assert.match(message, /^[a-z][^\n]*[^.\s]$/, path);
    assert.ok(message.length <= 2048, path);
  }
});

test('defaults are whole and may be given', () => {
  for (const { path, schema } of spec) {
    if (schema.default === undefined || typeof schema.default !== 'object' || Array.isArray(schema.default)) continue;
    const inside = Object.entries(schema.properties ?? {}).filter(([, { default: value }]) => value !== undefined);
    assert.deepEqual(schema.default, Object.fromEntries(inside.map(([key, { default: value }]) => [key, value])), path);
  }
});

test('everything that a file may hold is in the definition, and nothing else', () => {
  const inFile = nodesOf(clusterJsonSchema() as Schema, '').filter(({ path, isField }) => isField && /^\.spec\b/.test(path));
  assert.deepEqual(paths(spec.filter(({ isField }) => isField)), paths(inFile));
});

test('the scale of the gates and all columns lead to fields that there are', () => {
  const { spec: crd } = customResourceDefinition() as unknown as {
    spec: { versions: { subresources: { scale: Record<string, string> }; additionalPrinterColumns: { jsonPath: string }[] }[] };
  };
  const [version] = crd.versions;
  const known = new Set(paths(all));
  const given = Object.values(version!.subresources.scale);
  const shown = version!.additionalPrinterColumns.map(({ jsonPath }) => jsonPath.replace(/\[\?.*\]/, '[]'));
  for (const path of [...given, ...shown]) assert.ok(known.has(path) || path === '.metadata.creationTimestamp', path);
  for (const { jsonPath } of version!.additionalPrinterColumns) {
    const [, type] = /@\.type=="(\w+)"/.exec(jsonPath) ?? [];
    assert.ok(type === undefined || (conditionTypes as readonly string[]).includes(type), jsonPath);
  }
});

test('the definition tells operators how new it is', () => {
  const { metadata } = customResourceDefinition() as { metadata: { name: string; annotations: Record<string, string> } };
  assert.equal(metadata.name, CRD_NAME);
  assert.equal(metadata.annotations[REVISION_ANNOTATION], String(CRD_REVISION));
});

test('the definition fits into the annotation in which kubectl keeps what was applied', () => {
  assert.ok(JSON.stringify(customResourceDefinition()).length < 256 * 1024);
});
