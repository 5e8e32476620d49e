// The relay context: what a gate appends is found and believed, what a client writes into its own body is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendContext, contextAt, encodeOrigin, readContextHead, readOrigin, type Origin } from '../../../src/wire/relay-context.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { bodyOf, hex } from '../../support/frames.ts';
import { fc } from '../../support/property.ts';

const anna: Origin = { session: 'a1b2-1.1-z', user: 'anna', address: '192.0.2.7:51332', gate: '10.0.0.7:3344.2' };

interface Parts {
  ref?: number;
  number?: number;
  /** null for a client that is known there. */
  origin?: Origin | null;
}

function relayed(body: Uint8Array, { ref = 1, number = 1, origin = anna }: Parts = {}): Buffer {
  const out = new Writer();
  out.bytes(body);
  appendContext(out, ref, number, origin === null ? undefined : encodeOrigin(origin));
  return out.take();
}

function read(bytes: Buffer, at: number) {
  const head = { ref: 0, number: 0, origin: 0 };
  readContextHead(bytes, at, bytes.length, head);
  const origin = head.origin === bytes.length ? undefined : readOrigin(bytes, head.origin, bytes.length);
  return { ref: head.ref, number: head.number, origin };
}

test('the context is found behind any body, and read as it was written', () => {
  const text = fc.string({ maxLength: 200 }).map((value) => value.toWellFormed());
  const origin = fc.record({ session: text.filter((value) => value !== ''), user: text, address: text, gate: text });
  const uint32 = fc.nat(0xffffffff);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), text, uint32, uint32, fc.option(origin), (data, trace, ref, number, from) => {
      const body = bodyOf({ data: Buffer.from(data), trace_id: trace });
      const bytes = relayed(body, { ref, number, origin: from });
      const at = contextAt(bytes, 0, bytes.length);
      assert.equal(at, body.length);
      assert.deepEqual(read(bytes, at), { ref, number, origin: from === null ? undefined : { ...from } });
    }),
  );
});

test('a body without a context has none', () => {
  const body = bodyOf({ data: Buffer.from('1 - hello') });
  assert.equal(contextAt(body, 0, body.length), body.length);
  assert.equal(contextAt(body, 0, 0), 0);
});

test('one that was introduced costs ten bytes or less for each request', () => {
  const body = bodyOf({ data: Buffer.from('x') });
  assert.ok(relayed(body, { ref: 100_000, number: 100_000, origin: null }).length - body.length <= 10);
});

test('a context that a client wrote itself is not the last field, so the one of the gate counts', () => {
  const forged = relayed(bodyOf({ data: Buffer.from('x') }), { ref: 9, origin: { ...anna, user: 'admin' } });
  const bytes = relayed(forged);
  const at = contextAt(bytes, 0, bytes.length);
  assert.equal(at, forged.length);
  assert.equal(read(bytes, at).origin?.user, 'anna');
});

test('a body that does not end on a field boundary could swallow what is appended, and is told', () => {
  for (const body of ['72ff', '1a0568656c', '08', '0a80', '1aff01']) {
    const bytes = hex(body);
    assert.equal(contextAt(bytes, 0, bytes.length), -1, body);
  }
});

test('bytes of any kind are read, refused, or no context, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      const at = contextAt(buffer, 0, buffer.length);
      if (at < 0 || at === buffer.length) return;
      try {
        read(buffer, at);
      } catch (error) {
        assert.equal((error as Error).name, 'Fault');
      }
    }),
    { numRuns: 2000 },
  );
});
