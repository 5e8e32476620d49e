// The table of what operators do does not lie: every test that it names is there, by its exact name.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { chances, features } from '../../scripts/support/operator/features.ts';
import { root } from './support.ts';

const all = [...features, ...chances];

test('all features are judged, and each has a test or a reason why there is none', () => {
  assert.deepEqual([features.length, chances.length], [54, 11]);
  for (const { what, here, how, proofs } of all) {
    assert.ok(how.length > 0, what);
    assert.equal(proofs.length > 0, here !== 'no', what);
  }
  assert.equal(new Set(all.map(({ what }) => what)).size, all.length);
});

test('every test that is named is there', () => {
  const wrong = all.flatMap(({ what, proofs }) =>
    proofs.filter(([file, name]) => !isNamed(file, name)).map(([file, name]) => `${what}: ${file} has no test "${name}"`),
  );
  assert.deepEqual(wrong, []);
});

test('a name that differs by a letter is noticed', () => {
  const [file, name] = features[0]!.proofs[0]!;
  assert.ok(isNamed(file, name));
  assert.ok(!isNamed(file, `${name}s`));
  assert.ok(!isNamed('test/unit/operator/plan/doings.test.ts', 'plan: what nobody has thought of'));
  assert.ok(!isNamed('test/nowhere.test.ts', name));
});

function isNamed(file: string, name: string): boolean {
  if (!file.endsWith('.test.ts') || !existsSync(`${root}/${file}`)) return false;
  // of names that are put together from golden files the files have to be there
  const [, kind, situation = ''] = /^(plan|objects): (.*)$/.exec(name) ?? [];
  const folder = { plan: 'doings', objects: 'objects' }[kind ?? ''];
  if (folder !== undefined && !existsSync(`${root}/test/golden/plan/${folder}/${situation.replaceAll(' ', '-')}.yaml`)) return false;
  return namesIn(readFileSync(`${root}/${file}`, 'utf8')).some((known) => known.test(name));
}

/** Names of the tests of a file; what is put into them stands for any text. */
function namesIn(text: string): RegExp[] {
  return [...text.matchAll(/\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`)/g)].map(([, single, double, template]) => {
    const pieces = (single?.replace(/\\(.)/g, '$1') ?? double ?? template ?? '').split(template === undefined ? /(?!)/ : /\$\{[^}]*\}/);
    return new RegExp(`^${pieces.map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
  });
}
