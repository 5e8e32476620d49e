// Bytes that are nearly protobuf: fields in all their forms, honest and crooked, for comparing our readers with protobufjs.

import { bytes, fc } from './property.ts';

/** A varint, longer than it has to be by up to `pad` bytes. */
export function varint(value: bigint | number, pad = 0): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  for (let i = 0; i < pad; i++) {
    out[out.length - 1]! |= 0x80;
    out.push(0);
  }
  return Buffer.from(out);
}

/** Field `number` with a value of bytes. */
export function field(number: number, value: Uint8Array | string, pad = 0): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2, pad), varint(content.length, pad), content]);
}

const number = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(15, 16, 2047, 2048, 536_870_911));
const pad = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) });
const integer = fc.oneof(fc.integer().map(BigInt), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
/** Ten bytes are the most that a varint has. */
const value = fc.tuple(integer, pad).map(([n, more]) => varint(n, Math.min(more, 10 - varint(n).length)));

const scalar = fc.oneof(
  fc.tuple(number, pad, value).map(([n, more, v]) => Buffer.concat([varint(n * 8, more), v])),
  fc.tuple(number, pad, bytes(8, 8)).map(([n, more, v]) => Buffer.concat([varint(n * 8 + 1, more), v])),
  fc.tuple(number, pad, bytes(4, 4)).map(([n, more, v]) => Buffer.concat([varint(n * 8 + 5, more), v])),
);

/** One field of any kind, groups and messages nested a few times. */
export const anyField: fc.Arbitrary<Buffer> = fc.letrec<{ field: Buffer; many: Buffer }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .tuple(
        number,
        fc.oneof(
          bytes(6),
          fc.string({ maxLength: 6 }).map((s) => Buffer.from(s)),
        ),
        pad,
      )
      .map(([n, v, more]) => field(n, v, more)),
    fc.tuple(number, tie('many'), pad).map(([n, v, more]) => field(n, v, more)),
    fc.tuple(number, tie('many'), number).map(([n, v, end]) => Buffer.concat([varint(n * 8 + 3), v, varint(end * 8 + 4)])),
    fc.tuple(number, tie('many')).map(([n, v]) => Buffer.concat([varint(n * 8 + 3), v, varint(n * 8 + 4)])),
    fc.integer({ min: 0, max: 127 }).map((tag) => Buffer.from([tag])),
  ),
  many: fc.array(tie('field'), { maxLength: 3 }).map((parts) => Buffer.concat(parts)),
})).field;

/** A message of such fields, sometimes cut off. */
export const anyMessage: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(anyField, { maxLength: 6 }),
    fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 6 }) }),
  )
  .map(([parts, less]) => {
    const all = Buffer.concat(parts);
    return all.subarray(0, Math.max(0, all.length - less));
  });
