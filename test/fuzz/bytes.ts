// Protobuf by hand, so that it can also be written in ways that no encoder writes: fields in other orders, padded, repeated, unknown.

import { HEAD_BYTES, writeHead } from '../../src/wire/frame.ts';
import type { Random } from './random.ts';

/** A varint; with `pad` that many bytes longer than it needs to be. */
export function varint(value: number, pad = 0): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  for (let i = 0; i < pad; i++) {
    out[out.length - 1]! |= 0x80;
    out.push(0);
  }
  return Buffer.from(out);
}

export const tagOf = (field: number, wireType: number): number => field * 8 + wireType;

/** A field of bytes, a text or a message. */
export function bytesField(field: number, value: Buffer, pad = 0): Buffer {
  return Buffer.concat([varint(tagOf(field, 2)), varint(value.length, pad), value]);
}

/** A group, and groups in it down to `depth`. */
export function group(field: number, inner: Buffer, depth = 1): Buffer {
  const start = varint(tagOf(field, 3));
  const end = varint(tagOf(field, 4));
  return Buffer.concat([...Array<Buffer>(depth).fill(start), inner, ...Array<Buffer>(depth).fill(end)]);
}

/** A field that MsgBody does not have, of any kind that protobuf knows. */
export function unknownField(random: Random): Buffer {
  const field = random.chance(0.8) ? random.between(6, 200) : random.between(6, 2 ** 29 - 1);
  switch (random.below(5)) {
    case 0:
      return Buffer.concat([varint(tagOf(field, 0)), varint(random.u32(), random.below(4))]);
    case 1:
      return Buffer.concat([varint(tagOf(field, 1)), random.bytes(8)]);
    case 2:
      return bytesField(field, random.bytes(random.below(20)), random.below(3));
    case 3:
      return group(field, random.chance(0.5) ? unknownField(random) : Buffer.alloc(0), random.between(1, 4));
    default:
      return Buffer.concat([varint(tagOf(field, 5)), random.bytes(4)]);
  }
}

/** The 15 bytes that every encoder writes. */
export function plainHead(cmd: number, seq: number, len: number): Buffer {
  const out = Buffer.allocUnsafe(HEAD_BYTES);
  writeHead(out, 0, cmd, seq, len);
  return out;
}

function fixed32(tag: number, value: number): Buffer {
  const out = Buffer.allocUnsafe(5);
  out[0] = tag;
  out.writeUInt32LE(value >>> 0, 1);
  return out;
}

/** Five bytes of a head that are a field which heads do not have. */
function headFiller(random: Random): Buffer {
  switch (random.below(3)) {
    case 0:
      return Buffer.concat([Buffer.of(tagOf(random.between(4, 15), 0)), varint(random.below(128), 3)]);
    case 1:
      return Buffer.concat([Buffer.of(tagOf(random.between(4, 15), 2), 3), random.bytes(3)]);
    default:
      return fixed32(tagOf(random.between(4, 15), 5), random.u32());
  }
}

/** A head that means the same (or seq 0, where that is returned) and looks otherwise. */
export function oddHead(random: Random, cmd: number, seq: number, len: number): { bytes: Buffer; seq: number } {
  const fields = { cmd: fixed32(0x0d, cmd), seq: fixed32(0x15, seq), len: fixed32(0x1d, len) };
  if (random.chance(0.6)) return { bytes: Buffer.concat(random.shuffle([fields.cmd, fields.seq, fields.len])), seq };
  if (random.chance(0.5)) return { bytes: Buffer.concat(random.shuffle([fields.cmd, fields.len, headFiller(random)])), seq: 0 };
  // the last one counts
  const [first, second] = random.chance(0.5) ? [fixed32(0x0d, random.u32()), fields.cmd] : [fixed32(0x1d, random.u32()), fields.len];
  const other = second === fields.cmd ? fields.len : fields.cmd;
  const at = random.below(3);
  return {
    bytes: Buffer.concat(
      [
        [other, first, second],
        [first, other, second],
        [first, second, other],
      ][at]!,
    ),
    seq: 0,
  };
}
