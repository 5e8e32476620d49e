// The flags of the benchmark.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings, rowNames } from '../../../src/bench/settings.ts';

test('without flags everything is measured', () => {
  const settings = parseSettings([]);
  assert.deepEqual(settings.rows, rowNames);
  assert.equal(settings.output, 'table');
  assert.ok(settings.loads >= 1 && settings.awake);
});

test('quick is shorter, and single values can still be chosen', () => {
  const settings = parseSettings(['--quick', '--rounds', '4', '-o', 'json']);
  assert.ok(settings.seconds < parseSettings([]).seconds);
  assert.ok(!settings.rows.includes('soak'));
  assert.equal(settings.rounds, 4);
  assert.equal(settings.output, 'json');
});

test('rows are chosen by name', () => {
  assert.deepEqual(parseSettings(['--rows', 'depth1, idle']).rows, ['depth1', 'idle']);
});

test('there are never more load processes than connections', () => {
  assert.equal(parseSettings(['--connections', '3', '--loads', '8']).loads, 3);
});

test('a flag that does not fit is refused with what would', () => {
  const message = (...argv: string[]) => {
    try {
      parseSettings(argv);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail('nothing was refused');
  };
  assert.match(message('--rows', 'depth2'), /--rows names "depth2"; rows are depth1, /);
  assert.equal(message('--rounds', '1.5'), '--rounds is "1.5"; it is a whole number from 1 to 100');
  assert.equal(message('--seconds', ''), '--seconds is ""; it is a number from 0.05 to 600');
  assert.equal(message('-o', 'xml'), '--output is "xml"; it is table or json');
  assert.match(message('--fast'), /--fast/);
});
