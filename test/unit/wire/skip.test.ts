// Stepping over fields: what a gate does before it appends a field of its own behind a client's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endsOnFieldBoundary, readBody } from '../../../src/wire/body.ts';
import { skipField } from '../../../src/wire/frame.ts';
import { loadProtoType } from '../../../src/wire/protobuf.ts';
import { hex } from '../../support/frames.ts';
import { bytes, forAll } from '../../support/property.ts';
import { anyField, anyMessage, field, varint } from '../../support/protobuf-bytes.ts';

const nothing = loadProtoType(fileURLToPath(new URL('../../support/nothing.proto', import.meta.url)), 'Nothing');

/** Whether protobufjs takes bytes for whole fields, whatever they mean. */
function isWhole(input: Buffer): boolean {
  try {
    nothing.decode(input);
    return true;
  } catch {
    return false;
  }
}

const ends = (input: Buffer) => endsOnFieldBoundary(input, 0, input.length);
const nested = (depth: number) =>
  Buffer.concat([...Array.from({ length: depth }, () => hex('7b')), ...Array.from({ length: depth }, () => hex('7c'))]);

test('agrees with protobufjs on where fields end', () => {
  let whole = 0;
  forAll(
    anyMessage,
    (input) => {
      assert.equal(ends(input), isWhole(input));
      if (isWhole(input)) whole++;
    },
    4000,
  );
  assert.ok(whole > 1000 && whole < 3700, `the made-up messages prove little: ${whole} of 4000 are whole`);
});

test('agrees with protobufjs on bytes of any kind', () => {
  // ten bytes at most: protobufjs steps over longer varints, which no parser of the original accepts
  forAll(bytes(10), (input) => assert.equal(ends(input), isWhole(input)), 4000);
});

test('steps over one field and no more', () => {
  forAll(anyField, (input) => {
    if (!isWhole(input)) return;
    const next = skipField(input, 0, input.length);
    assert.ok(next > 0 && next <= input.length);
    assert.ok(isWhole(input.subarray(0, next)) && isWhole(input.subarray(next)));
    for (let end = 0; end < next; end++) assert.equal(skipField(input, 0, end), -1, `of ${end} bytes`);
  });
});

test('what stands behind whole fields is read as it was written', () => {
  const ours = field(15, 'context');
  forAll(anyMessage, (input) => {
    if (!ends(input)) return;
    assert.equal(skipField(Buffer.concat([input, ours]), input.length, input.length + ours.length), input.length + ours.length);
  });
});

test('a body that would swallow what is appended does not end on a boundary', () => {
  for (const unfinished of ['7209', '720801', '1a05ff', '0a', '08', '0880', '0d0000', '09', '7b', '7b0800', '2a80', '7a8080']) {
    assert.equal(ends(hex(unfinished)), false, unfinished);
  }
  for (const whole of [
    '',
    '7200',
    '1a05ffffffffff',
    '0800',
    '0880808080808080808001',
    '0d00000000',
    '090000000000000000',
    '7b7c',
    '7b08007c',
  ]) {
    assert.equal(ends(hex(whole)), true, whole);
  }
});

test('the end is looked for where it was said, not at the end of the memory', () => {
  const bytes = hex('ffff 1a0131 ffff');
  assert.equal(endsOnFieldBoundary(bytes, 2, 5), true);
  assert.equal(endsOnFieldBoundary(bytes, 2, 4), false);
  assert.equal(endsOnFieldBoundary(bytes, 2, 6), false);
  assert.equal(endsOnFieldBoundary(bytes, 2, 2), true);
});

test('the number of a field is 1 to 536870911', () => {
  for (const wire of [0, 1, 2, 3, 4, 5]) assert.equal(skipField(Buffer.concat([varint(wire), Buffer.alloc(9)]), 0, 10), -1);
  assert.equal(skipField(hex('f8ffffff0f 00'), 0, 6), 6);
  assert.equal(skipField(hex('f8ffffff1f 00'), 0, 6), -1);
});

test('wire types that do not exist, and an end without a beginning, are no fields', () => {
  for (const tag of [0x0e, 0x0f, 0x0c]) assert.equal(skipField(Buffer.from([tag, 0, 0]), 0, 3), -1);
});

test('a varint has ten bytes at most, a tag and a length five, however many of them are zero', () => {
  assert.equal(ends(Buffer.concat([hex('08'), varint(1, 9)])), true);
  assert.equal(ends(Buffer.concat([hex('08'), varint(1, 10)])), false);
  assert.equal(ends(Buffer.concat([varint(0x08, 4), hex('00')])), true);
  assert.equal(ends(Buffer.concat([varint(0x08, 5), hex('00')])), false);
  assert.equal(ends(Buffer.concat([hex('1a'), varint(1, 4), hex('31')])), true);
  assert.equal(ends(Buffer.concat([hex('1a'), varint(1, 5), hex('31')])), false);
  assert.throws(() => readBody(Buffer.concat([hex('1a'), varint(1, 5), hex('31')])), /does not parse/);
});

test('a length that passes every number is refused, not followed', () => {
  for (const length of [2 ** 31, 2 ** 32, 2 ** 32 - 1, 2 ** 53])
    assert.equal(ends(Buffer.concat([hex('1a'), varint(length), hex('31')])), false);
});

test('groups end with their own number, and nest a hundred times', () => {
  assert.equal(ends(hex('7b 7c')), true);
  assert.equal(ends(hex('7b 74')), false);
  assert.equal(ends(hex('0b 13 14 0c')), true);
  assert.equal(ends(hex('0b 13 0c 14')), false);
  assert.equal(ends(hex('7b 00 7c')), false);
  assert.equal(ends(nested(100)), true);
  assert.equal(ends(nested(101)), false);
  assert.equal(ends(Buffer.alloc(1 << 20, 0x7b)), false);
});
