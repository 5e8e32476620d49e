// What the original takes for a head: any 15 bytes that are a MsgHead. Compared with protobufjs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { HEAD_BYTES, isPlainHead, parseHead, writeHead, type Head } from '../../../src/wire/frame.ts';
import { systemType } from '../../../src/wire/protobuf.ts';
import { hex } from '../../support/frames.ts';
import { bytes, fc, forAll } from '../../support/property.ts';
import { anyMessage, field, varint } from '../../support/protobuf-bytes.ts';

const msgHead = systemType('msg', 'MsgHead');

function reference(input: Buffer): Head | undefined {
  try {
    return msgHead.decode(input) as unknown as Head;
  } catch {
    return undefined;
  }
}

function ours(input: Buffer, at = 0): Head | undefined {
  try {
    return parseHead(input, at);
  } catch (error) {
    assert.ok(error instanceof Fault && error.fault === 'invalidPacket');
    return undefined;
  }
}

/** A fixed32 field, with a tag that may be longer than it has to be. */
const fixed = fc
  .tuple(
    fc.constantFrom(1, 2, 3),
    fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
    bytes(4, 4),
  )
  .map(([number, pad, value]) => Buffer.concat([varint(number * 8 + 5, pad), value]));
/** Small fields that the original steps over. */
const unknown = fc.oneof(
  fc.constantFrom(hex('2000'), hex('208001'), hex('2200'), hex('2324'), hex('0800'), hex('0a00'), hex('1a00')),
  fc.tuple(fc.integer({ min: 1, max: 20 }), bytes(3)).map(([number, value]) => field(number, value)),
);
/** 15 bytes made of such fields: often a head, often just not. */
const nearlyHead = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: fixed }, { weight: 2, arbitrary: unknown }), { minLength: 2, maxLength: 8 }),
    bytes(HEAD_BYTES, HEAD_BYTES),
  )
  .map(([parts, fill]) => Buffer.concat([...parts, fill]).subarray(0, HEAD_BYTES));

test('writes what protobufjs reads', () => {
  forAll(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer()), ([cmd, seq, len]) => {
    const out = Buffer.alloc(HEAD_BYTES);
    writeHead(out, 0, cmd, seq, len);
    assert.deepEqual(reference(out), { cmd, seq, len });
    assert.deepEqual(ours(out), { cmd, seq, len });
    assert.ok(isPlainHead(out, 0));
  });
});

test('reads the three fields in any order, and the last of a field that comes twice', () => {
  forAll(fc.array(fc.tuple(fc.constantFrom(0x0d, 0x15, 0x1d), fc.nat(0xffffffff)), { minLength: 3, maxLength: 3 }), (fields) => {
    const out = Buffer.concat(fields.map(([tag, value]) => Buffer.from([tag, value, value >>> 8, value >>> 16, value >>> 24])));
    const expected = reference(out);
    assert.ok(expected !== undefined);
    assert.deepEqual(ours(out), expected);
  });
});

test('agrees with protobufjs on what is a head, and on its values', () => {
  let accepted = 0;
  forAll(
    nearlyHead,
    (input) => {
      const expected = reference(input);
      assert.deepEqual(ours(input), expected);
      if (expected !== undefined) accepted++;
    },
    4000,
  );
  assert.ok(accepted > 200, `the made-up heads prove little: ${accepted} of 4000 are heads`);
});

test('agrees with protobufjs on 15 bytes of any kind, wherever they lie', () => {
  forAll(
    fc.tuple(fc.oneof(bytes(HEAD_BYTES, HEAD_BYTES), anyMessage), bytes(9)),
    ([input, before]) => {
      const window = Buffer.concat([input, Buffer.alloc(HEAD_BYTES)]).subarray(0, HEAD_BYTES);
      assert.deepEqual(ours(Buffer.concat([before, window, before]), before.length), reference(window));
    },
    2000,
  );
});

test('a head never reaches into the bytes behind it', () => {
  for (const start of ['0de9030000 1501000000 2a09', '0de9030000 1501000000 00', '0de9030000 1501000000 8080', '2a0f', '1d']) {
    const stream = Buffer.concat([hex(start), Buffer.alloc(60, 0x08)]);
    assert.deepEqual(ours(stream), reference(stream.subarray(0, HEAD_BYTES)));
  }
});
