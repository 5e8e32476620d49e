// Requests that wait on a link: each is found by its seq, once, however far apart and however many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pending, type Awaited } from '../../../src/net/pending.ts';
import { fc } from '../../support/property.ts';

const item = (): Awaited => ({ seq: 0 });

test('seqs begin at 1 and are never 0', () => {
  const pending = new Pending<Awaited>();
  assert.deepEqual([pending.add(item()), pending.add(item())], [1, 2]);
});

test('what waits is found by its seq, once', () => {
  const pending = new Pending<Awaited>();
  const mine = item();
  const seq = pending.add(mine);
  assert.equal(pending.take(seq + 1), undefined);
  assert.equal(pending.take(seq), mine);
  assert.equal(pending.take(seq), undefined);
  assert.equal(pending.size, 0);
});

test('one that is slow keeps its place while thousands come and go', () => {
  const pending = new Pending<Awaited>();
  const slow = item();
  const seq = pending.add(slow);
  for (let i = 0; i < 10_000; i++) assert.ok(pending.take(pending.add(item())) !== undefined);
  assert.equal(pending.take(seq), slow);
});

test('whatever the order of asking and answering, each is answered with its own', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('add' as const), fc.nat(500)), { maxLength: 2000 }), (steps) => {
      const pending = new Pending<Awaited>();
      const waiting: Awaited[] = [];
      for (const step of steps) {
        if (step === 'add') {
          const one = item();
          pending.add(one);
          waiting.push(one);
        } else if (waiting.length > 0) {
          const [one] = waiting.splice(step % waiting.length, 1);
          assert.equal(pending.take(one!.seq), one);
        }
        assert.equal(pending.size, waiting.length);
      }
      assert.deepEqual(
        pending.takeAll(),
        waiting.toSorted((a, b) => a.seq - b.seq),
      );
      assert.equal(pending.size, 0);
    }),
  );
});
