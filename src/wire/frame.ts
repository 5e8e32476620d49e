// A frame: the 15-byte head (cmd, seq, len) and the body that follows it (co_kimserver msg.proto, MsgHead).
//
//   0    1..4      5    6..9      10   11..14
//   0d   cmd u32LE 15   seq u32LE 1d   len i32LE     then len bytes of MsgBody

import { Fault } from '../errors.ts';

export const HEAD_BYTES = 15;
const TAG_CMD = 0x0d; // field 1, fixed32
const TAG_SEQ = 0x15; // field 2, fixed32
const TAG_LEN = 0x1d; // field 3, sfixed32

/** One message as it came: `seq` is whatever the reply has to carry, `start`..`end` is the body inside `bytes`. */
export class Frame {
  readonly cmd: number;
  readonly seq: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(cmd: number, seq: number, bytes: Buffer, start: number, end: number) {
    this.cmd = cmd;
    this.seq = seq;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The bytes of the body; a view, not a copy. */
  get body(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }
}

export interface Head {
  cmd: number;
  seq: number;
  /** As sent; negative and zero both mean an empty body. */
  len: number;
}

/** Writes a head at `at`: always 15 bytes with all three fields, zero or not. A serialiser that drops zero fields makes peers close (seeds 1.2). */
export function writeHead(out: Uint8Array, at: number, cmd: number, seq: number, len: number): void {
  out[at] = TAG_CMD;
  out[at + 1] = cmd;
  out[at + 2] = cmd >>> 8;
  out[at + 3] = cmd >>> 16;
  out[at + 4] = cmd >>> 24;
  out[at + 5] = TAG_SEQ;
  out[at + 6] = seq;
  out[at + 7] = seq >>> 8;
  out[at + 8] = seq >>> 16;
  out[at + 9] = seq >>> 24;
  out[at + 10] = TAG_LEN;
  out[at + 11] = len;
  out[at + 12] = len >>> 8;
  out[at + 13] = len >>> 16;
  out[at + 14] = len >>> 24;
}

const u32 = (b: Uint8Array, at: number): number => (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;

/** True if the 15 bytes at `at` are the head that every encoder writes; then the fields stand at fixed places. */
export function isPlainHead(b: Uint8Array, at: number): boolean {
  return b[at] === TAG_CMD && b[at + 5] === TAG_SEQ && b[at + 10] === TAG_LEN;
}

export const headCmd = (b: Uint8Array, at: number): number => u32(b, at + 1);
export const headSeq = (b: Uint8Array, at: number): number => u32(b, at + 6);
export const headLen = (b: Uint8Array, at: number): number => u32(b, at + 11) | 0;

/**
 * Reads any 15 bytes that protobuf accepts as a MsgHead: fields in any order, repeated (the last wins) or unknown ones.
 * Throws Fault invalidPacket where the reference would close.
 */
export function parseHead(b: Uint8Array, start: number): Head {
  if (isPlainHead(b, start)) return { cmd: headCmd(b, start), seq: headSeq(b, start), len: headLen(b, start) };
  const head: Head = { cmd: 0, seq: 0, len: 0 };
  const end = start + HEAD_BYTES;
  let i = start;
  while (i < end) {
    const at = skipTag(b, i, end);
    const tag = at < 0 ? 0 : readVarint(b, i, at);
    if ((tag === TAG_CMD || tag === TAG_SEQ || tag === TAG_LEN) && at + 4 <= end) {
      const value = u32(b, at);
      if (tag === TAG_CMD) head.cmd = value;
      else if (tag === TAG_SEQ) head.seq = value;
      else head.len = value | 0;
      i = at + 4;
    } else {
      const next = skipField(b, i, end);
      if (next < 0) throw new Fault('invalidPacket', `not a frame head: ${Buffer.from(b.subarray(start, end)).toString('hex')}`);
      i = next;
    }
  }
  return head;
}

/** A nested group deeper than this is refused, as protobuf does (its default recursion limit). */
const MAX_GROUP_DEPTH = 100;

/** Steps over one protobuf field, whatever it is; returns where the next begins, or -1 if these bytes are no field or pass `end`. */
export function skipField(b: Uint8Array, at: number, end: number, depth = 0): number {
  const afterTag = skipTag(b, at, end);
  if (afterTag < 0) return -1;
  const tag = readVarint(b, at, afterTag);
  // the number of a field is 1..2^29-1, so its tag fits into 32 bits
  if (tag < 8 || tag > 0xffffffff) return -1;
  switch (tag % 8) {
    case 0:
      return skipVarint(b, afterTag, end);
    case 1:
      return afterTag + 8 <= end ? afterTag + 8 : -1;
    case 2:
      return skipBytes(b, afterTag, end);
    case 3: {
      if (depth >= MAX_GROUP_DEPTH) return -1;
      let i = afterTag;
      for (;;) {
        const inner = skipTag(b, i, end);
        if (inner < 0) return -1;
        const innerTag = readVarint(b, i, inner);
        if (innerTag % 8 === 4) return innerTag === tag + 1 ? inner : -1;
        i = skipField(b, i, end, depth + 1);
        if (i < 0) return -1;
      }
    }
    case 5:
      return afterTag + 4 <= end ? afterTag + 4 : -1;
    default:
      return -1; // an end without a beginning, or a wire type that does not exist
  }
}

/** Steps over a varint of at most ten bytes; -1 if it does not end before `end`. */
export function skipVarint(b: Uint8Array, at: number, end: number): number {
  const last = Math.min(end, at + 10);
  for (let i = at; i < last; i++) if (b[i]! < 0x80) return i + 1;
  return -1;
}

/** A tag and the length of a field are 32-bit numbers: the original takes five bytes for each and refuses more, however many are zero. */
const MAX_VARINT32 = 5;

/** Steps over the tag at `at`; -1 if it does not end before `end` or is none. */
export function skipTag(b: Uint8Array, at: number, end: number): number {
  // nearly all fields there are have a number below 16
  return at < end && b[at]! < 0x80 ? at + 1 : skipVarint(b, at, Math.min(end, at + MAX_VARINT32));
}

/** Steps over a length at `at` and as many bytes; -1 if they pass `end`. */
export function skipBytes(b: Uint8Array, at: number, end: number): number {
  const begin = skipVarint(b, at, Math.min(end, at + MAX_VARINT32));
  if (begin < 0) return -1;
  const next = begin + readVarint(b, at, begin);
  return next <= end ? next : -1;
}

/** The value of the varint between `at` and `next` as a number: exact up to 2^53, which is more than any length here can be. */
export function readVarint(b: Uint8Array, at: number, next: number): number {
  let value = 0;
  for (let i = next - 1; i >= at; i--) value = value * 128 + (b[i]! & 0x7f);
  return value;
}
