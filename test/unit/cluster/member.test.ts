// Which records of nodes are taken, whatever somebody has written into a directory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isValid, mergeMembers, type Member } from '../../../src/cluster/member.ts';

const member: Member = {
  type: 'logic',
  host: '10.0.0.1',
  port: 3356,
  workers: 4,
  activeTime: 1_700_000_000,
  name: 'logic-1',
  source: 'test',
  facts: undefined,
};

test('a record that no node can have announced is left out', () => {
  assert.ok(isValid(member));
  assert.ok(isValid({ ...member, host: 'fd00::1', workers: 512, type: 'logic of games' }));
  const strange: Partial<Member>[] = [
    { type: '' },
    { type: 'logic\nuser' },
    { type: 'x'.repeat(257) },
    { host: '' },
    { host: '10.0.0.1 ' },
    { host: '10.0.0.1\n' },
    { host: 'x'.repeat(257) },
    { port: 0 },
    { port: 65_536 },
    { port: 1.5 },
    { workers: 0 },
    { workers: 1.5 },
    // each has places in the ring and a link from every worker there is
    { workers: 4_294_967_295 },
    { activeTime: 0 },
    { activeTime: Number.NaN },
    { activeTime: Infinity },
  ];
  for (const part of strange) assert.equal(isValid({ ...member, ...part }), false, JSON.stringify(part));
  assert.deepEqual(mergeMembers([strange.map((part) => ({ ...member, ...part })), [member]]), [member]);
});
