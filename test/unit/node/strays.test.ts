// Sessions that wait for their clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stray } from '../../../src/cluster/gate-sessions.ts';
import { Strays } from '../../../src/node/strays.ts';

const secret = (n: number) => Buffer.alloc(16, n);
const stray = (session: string, n: number): Stray => ({
  session,
  secret: secret(n),
  user: '',
  userTime: 0,
  groups: [],
  pins: [],
  properties: undefined,
  requests: 0,
});

function strays() {
  const over: string[] = [];
  return { over, kept: new Strays(({ session }) => over.push(session)) };
}

test('a session is given once, to whoever knows its secret or the one of before', () => {
  const { kept, over } = strays();
  kept.keep(stray('a', 1), secret(2), 100, 10);
  assert.equal(kept.take('a', secret(3)), undefined);
  assert.equal(kept.take('b', secret(1)), undefined);
  assert.deepEqual(kept.take('a', secret(2)), { ...stray('a', 1), secret: secret(2) });
  assert.equal(kept.take('a', secret(1)), undefined);
  assert.deepEqual(over, []);
});

test('sessions end when their time is over, or when others need the place, the oldest first', () => {
  const { kept, over } = strays();
  kept.keep(stray('a', 1), undefined, 100, 2);
  kept.keep(stray('b', 2), undefined, 200, 2);
  kept.keep(stray('b', 3), undefined, 300, 2);
  assert.equal(kept.size, 2);
  kept.keep(stray('c', 4), undefined, 400, 2);
  assert.deepEqual(over, ['a']);
  kept.sweep(299);
  assert.deepEqual(over, ['a']);
  kept.sweep(300);
  assert.deepEqual(over, ['a', 'b']);
  assert.equal(kept.end('c'), true);
  assert.equal(kept.end('c'), false);
  assert.deepEqual(over, ['a', 'b', 'c']);
  assert.equal(kept.size, 0);
});

test('sessions with large properties make place for each other long before there are many', () => {
  const { kept, over } = strays();
  const large = (n: number) => ({ ...stray(`${n}`, n), properties: Buffer.alloc(4 * 1024 * 1024) });
  for (let n = 0; n < 40; n++) kept.keep(large(n), undefined, 100, 10_000);
  assert.equal(kept.size, 15);
  assert.equal(over.length, 25);
  assert.ok(kept.take('39', secret(39)));
  assert.equal(kept.keep(large(40), undefined, 100, 10_000), 0);
  for (const { session } of kept.takeAll()) assert.equal(kept.end(session), false);
  for (let n = 0; n < 15; n++) assert.equal(kept.keep(large(n), undefined, 100, 10_000), 0);
});
