// docs/faults.md and the tables that it is made from name the same things, and the codes of the original stay what they are.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { faultByCode, faults } from '../../src/errors.ts';
import { exitCodes } from '../../src/node/exit-codes.ts';
import { closeReasons } from '../../src/ops/reasons.ts';
import { root } from './support.ts';

const page = readFileSync(`${root}/docs/faults.md`, 'utf8');

/** The cells of all rows below the headings that `isWanted` picks. */
function rows(isWanted: (heading: string) => boolean): string[][] {
  return page
    .split(/^## /m)
    .slice(1)
    .filter((section) => isWanted(section.split('\n')[0]!))
    .flatMap((section) => section.split('\n').filter((line) => line.startsWith('| ')))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([first]) => first !== '---' && first !== 'code' && first !== 'reason');
}

const ofFaults = (heading: string): boolean => heading !== 'Exit codes' && heading !== 'Why connections close';

test('the page has every fault, and no other, with its code, text, meaning and cure', () => {
  const told = rows(ofFaults).toSorted((a, b) => Number(a[0]) - Number(b[0]));
  const known = Object.entries(faults)
    .map(([name, { code, text, meaning, cure }]) => [`${code}`, name, text, meaning, cure])
    .toSorted((a, b) => Number(a[0]) - Number(b[0]));
  assert.deepEqual(told, known);
});

test('the page has every reason why connections close, and every exit code', () => {
  assert.deepEqual(
    rows((heading) => heading === 'Why connections close'),
    Object.entries(closeReasons),
  );
  const exits = rows((heading) => heading === 'Exit codes').map(([code, name]) => [name, Number(code)]);
  assert.deepEqual(exits, Object.entries(exitCodes));
});

test('every fault says what it means and what to do about it', () => {
  for (const [name, { text, meaning, cure }] of Object.entries(faults)) {
    for (const words of [text, meaning, cure])
      assert.match(words, /^\S.*[^.\s]$/, `${name}: "${words}" is not a sentence without full stop`);
  }
});

test('no two faults share a code, and a code finds its fault', () => {
  const codes = Object.values(faults).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const [name, { code }] of Object.entries(faults)) assert.equal(faultByCode(code)?.name, name);
  assert.equal(faultByCode(20_000), undefined);
});

test('the codes of co_kimserver are all there', () => {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const known = new Set<number>(Object.values(faults).map(({ code }) => code));
  const original = [...range(0, 21), ...range(11_001, 11_009), ...range(12_001, 12_009)];
  assert.deepEqual(
    original.filter((code) => !known.has(code)),
    [],
  );
});
