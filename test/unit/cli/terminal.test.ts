// Numbers, tables, colours and foreign text on a terminal.

import assert from 'node:assert/strict';
import test from 'node:test';
import { age, bytes, cut, duration, painter, perSecond, printable, table, whole, wrap } from '../../../src/cli/terminal.ts';

const plain = painter(false, {});

test('numbers are written for people', () => {
  assert.equal(whole(1_234_567.4), '1,234,567');
  assert.deepEqual([0, 0.04, 1.26, 9.96, 1234.5].map(perSecond), ['0', '<0.1', '1.3', '10', '1,235']);
  assert.deepEqual([0, 1023, 1024, 1536, 1_048_576, 120 * 1024 * 1024].map(bytes), [
    '0 B',
    '1,023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '120 MiB',
  ]);
  assert.deepEqual([0, 0.00025, 0.0012, 0.0126, 0.9, 1.25, 75, NaN].map(duration), [
    '0 ms',
    '250 us',
    '1.2 ms',
    '13 ms',
    '900 ms',
    '1.3 s',
    '75 s',
    '-',
  ]);
  assert.deepEqual([-3, 59, 60, 7320, 90_000].map(age), ['0 s', '59 s', '1 min', '2 h 2 min', '1 d 1 h']);
});

test('a table is as wide as what is in it, and never ends in spaces', () => {
  const columns = [{ title: 'NAME', width: 6 }, { title: 'N', right: true }, { title: 'NOTE' }];
  assert.deepEqual(
    table(
      columns,
      [
        ['a', '1', ''],
        ['b', '22,000', 'x'],
      ],
      plain,
    ),
    ['NAME         N  NOTE', 'a            1', 'b       22,000  x'],
  );
});

test('colours are for terminals whose user wants them', () => {
  assert.equal(painter(true, { TERM: 'xterm' })('red', 'x'), '\x1b[31mx\x1b[0m');
  for (const [isTerminal, env] of [
    [false, {}],
    [true, { NO_COLOR: '1' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    assert.equal(painter(isTerminal, env)('red', 'x'), 'x');
  }
});

test('long text is broken at spaces, and long lines are cut', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('a verylongword b', 4), ['a', 'verylongword', 'b']);
  assert.equal(cut('abcdefgh', 6), 'abc...');
  assert.equal(cut('abc', 6), 'abc');
});

test('what a peer sent can not move the cursor of its reader', () => {
  assert.equal(printable('a\x1b[2Jb\tc\n\u202e'), 'a\\u001b[2Jb\tc\n\\u202e');
});
