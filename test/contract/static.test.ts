// The list of a configuration as a directory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StaticDirectory } from '../../src/cluster/directories/static.ts';
import { mergeMembers } from '../../src/cluster/member.ts';
import { directoryContract, nodeOf, Watched } from './directory.ts';

const list = [
  { type: 'logic', host: '10.0.0.1', port: 3344, workers: 2 },
  { type: 'gate', host: '10.0.0.2', port: 3344, workers: 1 },
];

directoryContract('static', { isWritable: false, place: () => Promise.resolve({ directory: () => new StaticDirectory(list) }) });

test('the nodes of the list are there from the start', (t) => {
  const watched = new Watched(t, new StaticDirectory(list));
  assert.deepEqual(
    watched.lists.at(-1)!.map(({ type, host, port, workers, source }) => ({ type, host, port, workers, source })),
    list.map((node) => ({ ...node, source: 'static' })),
  );
});

test('a node that announces itself elsewhere knows itself better than the list', (t) => {
  const watched = new Watched(t, new StaticDirectory(list));
  const announced = { ...nodeOf(1, { host: '10.0.0.1', port: 3344, workers: 8, type: 'logic' }), source: 'file' };
  const merged = mergeMembers([watched.lists.at(-1)!, [announced]]);
  assert.deepEqual(
    merged.map(({ host, workers }) => [host, workers]),
    [
      ['10.0.0.2', 1],
      ['10.0.0.1', 8],
    ],
  );
});
