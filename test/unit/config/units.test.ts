// Durations, sizes and the nearest known word.

import assert from 'node:assert/strict';
import test from 'node:test';
import { editDistance, nearest } from '../../../src/config/nearest.ts';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../../src/config/units.ts';

test('durations are read with their unit, also when several are joined', () => {
  const rows: [string, number | undefined][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['0s', 0],
    ['30', undefined],
    ['30x', undefined],
    ['', undefined],
    ['-5s', undefined],
    ['5 s', undefined],
    ['s', undefined],
  ];
  for (const [text, ms] of rows) assert.equal(parseDuration(text), ms, text);
});

test('sizes are read with their unit, as Kubernetes writes them too', () => {
  const rows: [string, number | undefined][] = [
    ['100B', 100],
    ['64KiB', 65_536],
    ['64Ki', 65_536],
    ['8 MiB', 8_388_608],
    ['1.5MiB', 1_572_864],
    ['1Gi', 1_073_741_824],
    ['8MB', undefined],
    ['8', undefined],
    ['', undefined],
    ['-1KiB', undefined],
  ];
  for (const [text, bytes] of rows) assert.equal(parseBytes(text), bytes, text);
});

test('a formatted duration or size is read back as the same number', () => {
  for (const value of [0, 1, 999, 1000, 1500, 30_000, 60_000, 90_000, 3_600_000, 86_400_000, 86_400_001]) {
    assert.equal(parseDuration(formatDuration(value)), value, formatDuration(value));
  }
  for (const value of [0, 1, 1023, 1024, 1536, 8_388_608, 8_388_609, 3 * 1024 ** 3]) {
    assert.equal(parseBytes(formatBytes(value)), value, formatBytes(value));
  }
});

test('the edit distance counts added, removed, changed and swapped letters', () => {
  const rows: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'ac', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of rows) {
    assert.equal(editDistance(a, b), distance, `${a} ${b}`);
    assert.equal(editDistance(b, a), distance, `${b} ${a}`);
  }
});

test('the nearest word is found through misspellings and other ways to write it, and not through anything', () => {
  const known = ['worker_cnt', 'gate_port', 'node_port', 'gate_host'];
  const rows: [string, string | undefined][] = [
    ['worker_cont', 'worker_cnt'],
    ['workerCnt', 'worker_cnt'],
    ['WORKER-CNT', 'worker_cnt'],
    ['gate_prot', 'gate_port'],
    ['gatehost', 'gate_host'],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ];
  for (const [word, expected] of rows) assert.equal(nearest(word, known), expected, word.slice(0, 20));
});
