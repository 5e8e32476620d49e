// What the operator says of a KimCluster is in the tables that docs/troubleshooting.md is made from, and nothing stands there that it never says.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { nodeReasons, operatorReasons } from '../../../scripts/support/troubleshooting-page.ts';
import { parseDocument } from '../../../src/config/yaml.ts';
import { conditionReasons, type Advice } from '../../../src/operator/condition-reasons.ts';
import { eventReasons } from '../../../src/operator/event-reasons.ts';
import { conditionTypes } from '../../../src/operator/status-types.ts';
import { NodeRefusal } from '../../../src/operator/run/node-client.ts';
import { withRefusal } from '../../../src/operator/run/refused.ts';
import { invalidStatus } from '../../../src/operator/run/invalid.ts';
import { root, sources } from '../../meta/support.ts';
import { kim, NOW, SMALL, World } from './plan/support.ts';

const textOf = (files: readonly string[]) => files.map((file) => readFileSync(`${root}/${file}`, 'utf8')).join('\n');

const conditions = conditionTypes.flatMap((type) =>
  Object.entries(conditionReasons[type]).flatMap(([status, reasons]) =>
    Object.entries<Advice>(reasons).map(([reason, advice]) => ({ type, status, reason, advice })),
  ),
);

interface Doings {
  readonly conditions: Readonly<Record<string, string>>;
  /** "Normal DrainStarted: ..." */
  readonly events: readonly string[];
}

function doings(): (Doings & { readonly file: string })[] {
  const files = globSync(`${root}/test/golden/plan/doings/*.yaml`);
  assert.ok(files.length > 50);
  return files.map((file) => ({ ...(parseDocument(readFileSync(file, 'utf8')).toJS() as Doings), file: basename(file) }));
}

test('whatever a plan says in its situations is in the tables', () => {
  for (const { file, conditions: all, events } of doings()) {
    for (const [type, text] of Object.entries(all)) {
      const [status, reason] = text.split(/[ :]/);
      const isKnown = conditions.some((one) => one.type === type && one.status === status && one.reason === reason);
      assert.ok(isKnown, `${file}: ${type} ${text}`);
    }
    for (const event of events) {
      const [type, reason] = event.split(/[ :]/);
      assert.equal(Object.entries(eventReasons).find(([name]) => name === reason)?.[1].type, type, `${file}: ${event}`);
    }
  }
});

test('each reason of a condition is given in some situation', () => {
  const world = World.of(kim(SMALL));
  const failing = (message: string) => {
    const failed = { conditions: [{ type: 'ReplicaFailure', status: 'True', message }] };
    world.change('Deployment', 'demo-gate', (object) => ({ ...object, status: { ...(object['status'] as object), ...failed } }));
    return world.plan().status;
  };
  const { metadata } = world.cluster;
  const usual = World.of(kim(SMALL)).plan().status;
  const rare = [
    failing('pods "demo-gate-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=9, limited: pods=9'),
    failing('pods "demo-gate-x" is forbidden: violates PodSecurity "restricted:latest"'),
    World.of(kim(SMALL.replace('listeners', 'template: { env: [{ name: POD_IP, value: other }] }, listeners'))).plan().status,
    withRefusal(usual, [new NodeRefusal(400, 'max_clients is 0')], usual, new Date(NOW)),
    invalidStatus({ apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', metadata }, 'spec.gate is missing', new Date(NOW)),
  ].flatMap((status) => status.conditions ?? []);
  const given = new Set(rare.map(({ type, status, reason }) => `${type} ${status} ${reason}`));
  for (const { conditions: all } of doings()) for (const [type, text] of Object.entries(all)) given.add(`${type} ${text.split(':', 1)[0]}`);
  const wanted = conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  assert.deepEqual(
    wanted.filter((one) => !given.has(one)),
    [],
  );
});

test('each event is told in some situation, but for the one of hand edits, which needs a real API server', () => {
  const told = new Set(doings().flatMap(({ events }) => events.map((event) => event.split(/[ :]/)[1])));
  assert.deepEqual(
    Object.keys(eventReasons).filter((reason) => !told.has(reason)),
    ['Corrected'],
  );
  assert.ok(textOf(['test/kube/e2e-operator.test.ts']).includes("'Corrected'"));
});

test('what nodes and the operator say of themselves stands so in their sources', () => {
  const all = textOf(sources('src'));
  for (const { text } of [...nodeReasons, ...operatorReasons]) {
    // words in capitals stand for what is filled in; the longest piece between them has to be there
    const pieces = text.split(/\b(?:N|STATE|NAME)\b/).map((piece) => piece.trim());
    const [piece = ''] = pieces.toSorted((a, b) => b.length - a.length);
    assert.ok(all.includes(piece), text);
  }
});

test('events are told in one place, which takes none but those of the table', () => {
  const tells = sources('src/operator').filter((file) => /\bemit\(/.test(textOf([file])));
  assert.deepEqual(tells, ['src/operator/engine/events.ts', 'src/operator/run/reconcile.ts']);
});

test('each reason is one word, and says what it means and what to do', () => {
  const all = [...conditions, ...Object.entries(eventReasons).map(([reason, advice]) => ({ reason, advice }))];
  for (const { reason, advice } of all) {
    assert.match(reason, /^([A-Z][a-z]+)+$/);
    for (const text of [advice.meaning, advice.cure]) assert.match(text, /^[^A-Z].*[^.]$/, reason);
  }
});
