// What a handler knows of its request.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Context } from '../../../src/route/context.ts';
import type { Client } from '../../../src/session/client.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { Frame } from '../../../src/wire/frame.ts';
import { bodyOf, hex } from '../../support/frames.ts';

function contextOf(body: Buffer): Context {
  return new Context({} as Client, new Frame(1001, 7, body, 0, body.length), protobufCodec);
}

test('a request has its command', () => {
  assert.equal(contextOf(hex('')).cmd, 1001);
});

test('the trace id is the one of the client, or one that is made once', () => {
  assert.equal(contextOf(bodyOf({ data: Buffer.from('x'), trace_id: 'abc-1' })).traceId, 'abc-1');
  const own = contextOf(bodyOf({ data: Buffer.from('x') }));
  assert.match(own.traceId, /^[0-9a-f]{16}$/);
  assert.equal(own.traceId, own.traceId);
  assert.notEqual(own.traceId, contextOf(hex('')).traceId);
});

test('a trace id is as long as an id may be: it goes into replies and log lines', () => {
  const long = contextOf(bodyOf({ trace_id: 'x'.repeat(100_000) })).traceId;
  assert.equal(long, 'x'.repeat(128));
});

test('the signal is aborted when nobody waits any more, whether it was asked for before or behind', () => {
  const before = contextOf(hex(''));
  const { signal } = before;
  assert.equal(signal.aborted, false);
  before.abort();
  assert.equal(signal.aborted, true);
  assert.equal(before.signal, signal);
  const behind = contextOf(hex(''));
  behind.abort();
  assert.equal(behind.signal.aborted, true);
  assert.equal(behind.signal, behind.signal);
});
