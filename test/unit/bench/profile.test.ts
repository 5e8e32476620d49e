// Reading CPU profiles, and the medians of rounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratios, type Round } from '../../../src/bench/contest.ts';
import { Histogram } from '../../../src/bench/histogram.ts';
import { topFunctions } from '../../../src/bench/profile.ts';
import { median } from '../../../src/bench/results.ts';

const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber });

test('functions are ranked by their own time, without the time in which nothing was to be done', () => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)', '', -1) },
      { id: 2, callFrame: frame('next', 'file:///home/me/kimserver/src/wire/decoder.ts', 60) },
      { id: 3, callFrame: frame('next', 'file:///home/me/kimserver/src/wire/decoder.ts', 60) },
      { id: 4, callFrame: frame('', 'node:net', 9) },
    ],
    samples: [1, 2, 3, 4],
    // each stands before its sample: what a sample found lasted until the next
    timeDeltas: [0, 1000, 30, 30, 20],
  };
  assert.deepEqual(topFunctions(profile, 5), [
    { what: 'next src/wire/decoder.ts:61', share: 0.75 },
    { what: '(anonymous) node:net:10', share: 0.25 },
  ]);
  assert.equal(topFunctions(profile, 1).length, 1);
});

test('a median is the middle, or the mean of both middles', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 9]), 3);
  assert.equal(median([]), 0);
});

test('ratios compare rounds that ran side by side', () => {
  const round = (workerUs: number, replies: number): Round => ({
    replies,
    rate: replies,
    cpuUs: 1,
    busy: 1,
    latency: new Histogram(),
    managerUs: 0,
    workerUs,
  });
  // the machine was slow in the second round, for both
  assert.deepEqual(ratios([round(20, 10), round(200, 10), round(26, 10)], [round(10, 10), round(100, 10), round(10, 10)]), [2, 2, 2.6]);
});
