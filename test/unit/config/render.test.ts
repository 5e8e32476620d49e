// What is made of the table of options: docs, sample and JSON schema. And the table itself.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { clusterJsonSchema } from '../../../src/config/cluster.ts';
import { parseNodeConfig } from '../../../src/config/node-config.ts';
import { optionKeys, optionOf } from '../../../src/config/options.ts';
import { variableOf } from '../../../src/config/overrides.ts';
import { renderDocs, renderJsonSchema, renderSample } from '../../../src/config/render.ts';

test('the docs have one row for each option, with its path, default and change', () => {
  const docs = renderDocs();
  for (const key of optionKeys) {
    const { path, apply, doc } = optionOf(key);
    const rows = docs.split('\n').filter((line) => line.startsWith(`| \`${key}\` |`));
    assert.equal(rows.length, 1, key);
    for (const part of [path ?? '', apply, doc]) assert.ok(rows[0]?.includes(part), `${key}: ${part}`);
    assert.ok(docs.includes(`\`${variableOf(key)}\``), key);
  }
  for (const part of ['`redis.NODE.max_conn_cnt`', '`database.nodes.NODE.password`', '`zookeeper.watch_node_type`'])
    assert.ok(docs.includes(part), part);
});

test('every table of the docs has rows of one width', () => {
  for (const block of renderDocs().split('\n\n')) {
    const lines = block.split('\n').filter((line) => line.startsWith('|'));
    const widths = new Set(lines.map((line) => line.replaceAll('\\|', '').split('|').length));
    assert.ok(widths.size <= 1, lines[0]);
  }
});

test('the docs name the keys that only a KimCluster has, and say that they are generated', () => {
  const docs = renderDocs();
  assert.match(docs, /^<!-- Made from src\/config by "npm run generate"/);
  for (const path of ['spec.gate.replicas', 'spec.modules.folder', 'spec.gate.listeners', 'spec.gate.drain.seconds', 'metadata.name']) {
    assert.ok(docs.includes(`| \`${path}\` |`), path);
  }
  for (const word of ['template', 'PodDisruptionBudget', 'metadata.uid'])
    assert.ok(!docs.includes(word), `${word} is for Kubernetes alone`);
});

test('the docs are the same each time', () => {
  assert.equal(renderDocs(), renderDocs());
});

test('every option has a sentence of its own', () => {
  const docs = optionKeys.map((key) => optionOf(key).doc);
  assert.equal(new Set(docs).size, docs.length);
  for (const doc of docs) assert.match(doc, /^[A-Z].{15,}\.$/);
});

test('an option says that 0 turns it off exactly when it may be 0 for that', () => {
  for (const key of optionKeys) {
    const { kind, doc } = optionOf(key);
    assert.equal(doc.includes('0 turns it off'), kind.allowed.includes('0 (off)'), key);
  }
});

test('every path of an option exists in the schema of a KimCluster', () => {
  type Schema = { properties?: Record<string, Schema>; items?: Schema };
  const gate = (clusterJsonSchema() as Schema).properties?.['spec']?.properties?.['gate'];
  for (const key of optionKeys) {
    const steps = optionOf(key).path?.split('.') ?? [];
    const found = steps.reduce<Schema | undefined>((schema, step) => {
      const name = step.replace('[0]', '');
      return step === name ? schema?.properties?.[name] : schema?.properties?.[name]?.items;
    }, gate);
    assert.notEqual(found, undefined, key);
  }
});

test('the sample is a configuration of the original that is worth no note', () => {
  const { config, notes, unknown } = parseNodeConfig(JSON.parse(renderSample()), 'sample');
  assert.deepEqual([notes, unknown], [[], []]);
  assert.deepEqual([config.node_type, config.gate_port, config.node_port], ['gate', 3355, 3344]);
  for (const key of optionKeys) if (optionOf(key).historic === true) assert.ok(renderSample().includes(`"${key}"`), key);
});

test('the keys of the shipped configurations are those that the table calls historic', () => {
  for (const name of ['co_kimserver.json', 'co_kimserver-first.json']) {
    const text = readFileSync(new URL(`../../../manifests/${name}`, import.meta.url), 'utf8');
    for (const key of Object.keys(JSON.parse(text) as object)) assert.ok(optionOf(key as never).historic, `${name}: ${key}`);
  }
});

test('the JSON schema has every option with its limits, default and sentence', () => {
  const schema = renderJsonSchema() as { properties: Record<string, Record<string, unknown>>; required: string[] };
  assert.deepEqual(Object.keys(schema.properties), optionKeys);
  assert.deepEqual(schema.required, ['node_type']);
  for (const key of optionKeys) assert.equal(schema.properties[key]?.['description'], optionOf(key).doc, key);
  assert.deepEqual(schema.properties['worker_cnt'], {
    description: optionOf('worker_cnt').doc,
    default: 1,
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 512,
  });
  assert.equal(schema.properties['max_frame']?.['default'], 8_388_608);
  assert.ok(JSON.stringify(schema.properties['log_level']).includes('"notice"'));
  assert.ok(JSON.stringify(schema.properties['redis']).includes('"max_conn_cnt"'));
});
