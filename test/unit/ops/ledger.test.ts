// The resource ledger: what is held is what was made and not released.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, ledgerText } from '../../../src/ops/ledger.ts';

test('counts what is made, released and held, with its bytes', () => {
  const ledger = new Ledger();
  assert.ok(ledger.isZero());
  ledger.connections.take();
  ledger.buffers.take(100);
  ledger.buffers.grow(28);
  ledger.buffers.take(10);
  ledger.buffers.give(10);
  assert.ok(!ledger.isZero());
  assert.equal(ledger.connections.held, 1);
  assert.deepEqual(ledger.snapshot().buffer, { held: 1, made: 2, released: 1, bytes: 128 });
  ledger.buffers.give(128);
  ledger.connections.give();
  assert.ok(ledger.isZero());
});

test('has the five kinds from the start and makes others on first use', () => {
  const ledger = new Ledger();
  assert.deepEqual(Object.keys(ledger.snapshot()), ['connection', 'message', 'buffer', 'timer', 'session']);
  assert.equal(ledger.account('timer'), ledger.timers);
  ledger.account('link').take();
  assert.equal(ledger.snapshot().link?.held, 1);
  assert.ok(!ledger.isZero());
});

test('bytes that stay behind are a leak even when nothing is held', () => {
  const ledger = new Ledger();
  ledger.messages.take(20);
  ledger.messages.give(15);
  assert.ok(!ledger.isZero());
  assert.match(ledger.toText({ atExit: true }), /^message +0 +1 +1 +5 {2}possible leak$/m);
});

test('prints an aligned table, naming possible leaks only at exit and double releases always', () => {
  const ledger = new Ledger();
  for (let i = 0; i < 1200; i++) ledger.connections.take();
  for (let i = 0; i < 1199; i++) ledger.connections.give();
  ledger.sessions.give();
  assert.equal(
    ledger.toText({ atExit: true }),
    [
      'resource    held  made  released  bytes',
      'connection     1  1200      1199      0  possible leak',
      'message        0     0         0      0',
      'buffer         0     0         0      0',
      'timer          0     0         0      0',
      'session       -1     0         1      0  released twice',
    ].join('\n'),
  );
  assert.doesNotMatch(ledger.toText(), /leak/);
  assert.match(ledger.toText(), /released twice/);
  assert.equal(ledgerText(ledger.snapshot()), ledger.toText());
});
