// Reading what the kernel tells of a process.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { cpuUs, parseStat, rssBytes, sumSchedstat } from '../../../src/bench/cpu.ts';

const hasProc = existsSync('/proc/self/stat');

test('the nanoseconds of all threads are summed to microseconds', () => {
  assert.equal(sumSchedstat(['716504439 861800 35\n', '1000 0 1\n']), 716_505.439);
});

test('a thread that ended in between is left out', () => {
  assert.equal(sumSchedstat(['2000 0 1\n', '']), 2);
});

test('a kernel that does not count leaves the choice to ticks', () => {
  assert.equal(sumSchedstat(['0 0 1\n', '0 0 0\n']), undefined);
  assert.equal(sumSchedstat([]), undefined);
});

test('ticks are read behind a name that holds spaces and parentheses', () => {
  const text = '10648 (kim) (x 1) R 10645 10645 7465 0 -1 4194560 3615 0 24 0 71 12 0 0 20 0 7 0 217319 1441435648\n';
  assert.equal(parseStat(text), 830_000);
});

test('a status without times is refused', () => {
  assert.throws(() => parseStat('1 (x) R'), /no times/);
});

test('a process has used a processor and memory', { skip: !hasProc }, () => {
  assert.ok(cpuUs(process.pid) > 0);
  assert.ok(rssBytes(process.pid) > 1024 * 1024);
});

test('a process that is gone is named', () => {
  assert.throws(() => cpuUs(2 ** 22 + 1), /process 4194305/);
  assert.throws(() => rssBytes(2 ** 22 + 1), /process 4194305/);
});
