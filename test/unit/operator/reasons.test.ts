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
import { root, sources } from '../../meta/support.ts';

const textOf = (files: readonly string[]) => files.map((file) => readFileSync(`${root}/${file}`, 'utf8')).join('\n');
const isTable = (file: string) => file.endsWith('-reasons.ts');
const operator = textOf(sources('src/operator').filter((file) => !isTable(file)));

const conditions = conditionTypes.flatMap((type) =>
  Object.entries(conditionReasons[type]).flatMap(([status, reasons]) =>
    Object.entries<Advice>(reasons).map(([reason, advice]) => ({ type, status, reason, advice })),
  ),
);

interface Doings {
  readonly conditions: Readonly<Record<string, string>>;
  readonly events: readonly { readonly type: string; readonly reason: string }[];
}

test('whatever a plan says in its situations is in the tables', () => {
  const files = globSync(`${root}/test/golden/plan/doings/*.yaml`);
  assert.ok(files.length > 50);
  for (const file of files) {
    const doings = parseDocument(readFileSync(file, 'utf8')).toJS() as Doings;
    for (const [type, text] of Object.entries(doings.conditions)) {
      const [status, reason] = text.split(/[ :]/);
      const isKnown = conditions.some((one) => one.type === type && one.status === status && one.reason === reason);
      assert.ok(isKnown, `${basename(file)}: ${type} ${text}`);
    }
    for (const { type, reason } of doings.events) {
      assert.equal(Object.entries(eventReasons).find(([name]) => name === reason)?.[1].type, type, `${basename(file)}: ${reason}`);
    }
  }
});

test('nothing is in the tables that the operator never says', () => {
  for (const reason of [...conditions.map((one) => one.reason), ...Object.keys(eventReasons)]) {
    // GateNotReady and LogicNotReady are put together
    const word = reason.replace(/^(Gate|Logic)(?=NotReady$)/, '}');
    assert.ok(operator.includes(`'${reason}'`) || operator.includes(`${word}\``), reason);
  }
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
