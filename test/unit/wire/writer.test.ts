// Where messages are encoded: memory that grows with the largest message, is given back after it, and is used again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyBodyBytes, writeReplyBody, writeRequestBody } from '../../../src/wire/body.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { written } from '../../support/decode.ts';
import { fc, forAll } from '../../support/property.ts';
import { field, varint } from '../../support/protobuf-bytes.ts';

/** What a writer keeps at most when it has nothing to write. */
const KEPT = 256 * 1024;

test('varints have the bytes that their value needs, at both sides of every step', () => {
  for (const [value, bytes] of [
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2_097_151, 3],
    [2_097_152, 4],
    [268_435_455, 4],
    [268_435_456, 5],
    [0xffffffff, 5],
    [2 ** 34, 5],
    [2 ** 35, 6],
    [Number.MAX_SAFE_INTEGER, 8],
  ] as const) {
    const out = written((writer) => writer.varint(value));
    assert.deepEqual([out.length, out], [bytes, varint(value)]);
  }
});

test('a field is written as any protobuf encoder writes it, whatever its length', () => {
  for (const length of [1, 47, 48, 49, 126, 127, 128, 129, 16_383, 16_384, 300_000]) {
    const text = 'x'.repeat(length);
    assert.ok(written((out) => writeRequestBody(out, text)).equals(field(3, text)), `${length} bytes of text`);
    assert.ok(written((out) => writeRequestBody(out, Buffer.from(text))).equals(field(3, text)), `${length} bytes`);
    const wide = 'é'.repeat(length);
    assert.ok(written((out) => writeRequestBody(out, wide)).equals(field(3, wide)), `${length} characters of two bytes`);
  }
});

test('the length of a reply is known before it is written', () => {
  for (const length of [0, 1, 64, 65, 127, 128, 16_383, 16_384, 2_097_152]) {
    for (const msg of ['', 'ok', 'é'.repeat(Math.min(length, 500))]) {
      const data = 'x'.repeat(length);
      assert.equal(replyBodyBytes(-5, msg, data), written((out) => writeReplyBody(out, -5, msg, data)).length);
    }
  }
});

test('what was written before stays when the memory grows', () => {
  const out = new Writer();
  const expected: Buffer[] = [];
  for (let n = 1; n < 400_000; n = n * 3 + 1) {
    const piece = Buffer.alloc(n, String(n));
    out.bytes(piece);
    out.varint(n);
    expected.push(piece, varint(n));
  }
  assert.ok(out.take().equals(Buffer.concat(expected)));
});

test('memory grows by doubling at least, so that a large message is not copied for each of its parts', () => {
  const out = new Writer();
  const sizes = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    out.bytes(Buffer.alloc(100));
    sizes.add(out.memory.length);
  }
  assert.ok(sizes.size < 12, `grew ${sizes.size} times`);
});

test('a large message gets room of its own, and gives it back', () => {
  const out = new Writer();
  out.bytes(Buffer.alloc(9 << 20));
  assert.equal(out.take().length, 9 << 20);
  assert.ok(out.memory.length <= KEPT, `${out.memory.length} bytes are kept`);
  out.byte(1);
  assert.deepEqual(out.take(), Buffer.from([1]));
});

test('small messages use the same memory again', () => {
  const out = new Writer();
  const { memory } = out;
  for (let i = 0; i < 1000; i++) {
    out.text('hello', 5);
    assert.equal(out.take().toString(), 'hello');
  }
  assert.equal(out.memory, memory);
});

test('what was taken is not written over by the next message', () => {
  const out = new Writer();
  out.text('first', 5);
  const first = out.take();
  out.text('other', 5);
  assert.equal(first.toString(), 'first');
  assert.equal(out.take().toString(), 'other');
});

test('a head is filled in behind, also when the memory moved meanwhile', () => {
  const out = new Writer();
  out.text('before', 6);
  const at = out.skip(15);
  out.bytes(Buffer.alloc(100_000, 'x'));
  out.memory.fill('h', at, at + 15);
  const all = out.take();
  assert.equal(all.subarray(0, 22).toString(), 'before' + 'h'.repeat(15) + 'x');
  assert.equal(all.length, 6 + 15 + 100_000);
});

test('text is written as UTF-8, short or long', () => {
  forAll(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
    const bytes = Buffer.from(text);
    assert.deepEqual(
      written((out) => out.text(text, bytes.length)),
      bytes,
    );
  });
});
