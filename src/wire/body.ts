// MsgBody by hand: read with one walk over tags and lengths, written without an intermediate object.
// protobufjs needs 63 ns to read one and 212 ns to write one, which is more than all the rest of a request; tests compare with it.
//
//   oneof { Request req_target = 1 { uint32 route_id = 1; string route = 2 }; Response rsp_result = 2 { int32 code = 1; bytes msg = 2 } }
//   bytes data = 3; bytes add_on = 4; string trace_id = 5

import { isUtf8 } from 'node:buffer';
import { Fault } from '../errors.ts';
import { readVarint, skipBytes, skipField, skipTag, skipVarint } from './frame.ts';
import type { Writer } from './writer.ts';

const EMPTY = Buffer.alloc(0);

export interface Body {
  data: Buffer;
  addOn: Buffer;
  traceId: string;
  /** Set in replies. `code` is an int32. */
  result: { code: number; msg: Buffer } | undefined;
  target: { routeId: number; route: string } | undefined;
}

/** Reads a body. Throws Fault invalidMessage where a protobuf parser would fail. Everything in it is a view into `bytes`. */
export function readBody(bytes: Buffer, start = 0, end = bytes.length): Body {
  const body: Body = { data: EMPTY, addOn: EMPTY, traceId: '', result: undefined, target: undefined };
  let i = start;
  while (i < end) {
    const value = skipTag(bytes, i, end);
    const tag = value < 0 ? 0 : readVarint(bytes, i, value);
    if (tag === 0x0a || tag === 0x12 || tag === 0x1a || tag === 0x22 || tag === 0x2a) {
      const next = skipBytes(bytes, value, end);
      if (next < 0) throw broken(i - start);
      const begin = skipVarint(bytes, value, end);
      // fields of the oneof: the one that comes last counts, and parts of the same one are merged
      if (tag === 0x1a) body.data = bytes.subarray(begin, next);
      else if (tag === 0x12) {
        body.result = readResult(bytes, begin, next, body.result);
        body.target = undefined;
      } else if (tag === 0x0a) {
        body.target = readTarget(bytes, begin, next, body.target);
        body.result = undefined;
      } else if (tag === 0x22) body.addOn = bytes.subarray(begin, next);
      else body.traceId = readText(bytes, begin, next);
      i = next;
    } else {
      const next = skipField(bytes, i, end);
      if (next < 0) throw broken(i - start);
      i = next;
    }
  }
  return body;
}

/**
 * Only what a request needs: where `data` lies, found by a walk that also proves that the body ends on a field boundary.
 * Most requests are one short data field; that case costs three comparisons.
 */
export function readData(bytes: Buffer, start: number, end: number): Buffer {
  if (start === end) return EMPTY;
  if (bytes[start] === 0x1a && bytes[start + 1] === end - start - 2 && end - start < 130) return bytes.subarray(start + 2, end);
  return readBody(bytes, start, end).data;
}

/** True if the bytes are whole protobuf fields: what is appended behind them then cannot be swallowed by an unfinished one. */
export function endsOnFieldBoundary(bytes: Buffer, start: number, end: number): boolean {
  let i = start;
  while (i >= 0 && i < end) i = skipField(bytes, i, end);
  return i === end;
}

/** True for the answer to an unknown command, as an original writes it: its result with code 4 comes first. */
export function isUnknownCommand({ bytes, start, end }: { bytes: Uint8Array; start: number; end: number }): boolean {
  return start + 4 <= end && bytes[start] === 0x12 && bytes[start + 2] === 0x08 && bytes[start + 3] === 0x04;
}

function broken(at: number): Fault {
  return new Fault('invalidMessage', `body does not parse at byte ${at}`);
}

function readResult(bytes: Buffer, start: number, end: number, before: Body['result']): NonNullable<Body['result']> {
  const result = before ?? { code: 0, msg: EMPTY };
  readPair(
    bytes,
    start,
    end,
    (value, next) => (result.code = readInt32(bytes, value, next)),
    (begin, next) => (result.msg = bytes.subarray(begin, next)),
  );
  return result;
}

function readTarget(bytes: Buffer, start: number, end: number, before: Body['target']): NonNullable<Body['target']> {
  const target = before ?? { routeId: 0, route: '' };
  readPair(
    bytes,
    start,
    end,
    (value, next) => (target.routeId = readInt32(bytes, value, next) >>> 0),
    (begin, next) => (target.route = readText(bytes, begin, next)),
  );
  return target;
}

type Found = (begin: number, next: number) => void;

/** Walks a message with a number as field 1 and bytes as field 2, which both parts of the oneof are. */
function readPair(bytes: Buffer, start: number, end: number, number: Found, text: Found): void {
  let i = start;
  while (i < end) {
    const value = skipTag(bytes, i, end);
    const tag = value < 0 ? 0 : readVarint(bytes, i, value);
    const next = tag === 0x08 ? skipVarint(bytes, value, end) : tag === 0x12 ? skipBytes(bytes, value, end) : skipField(bytes, i, end);
    if (next < 0) throw broken(i - start);
    if (tag === 0x08) number(value, next);
    else if (tag === 0x12) text(skipVarint(bytes, value, end), next);
    i = next;
  }
}

/** Text has to be UTF-8: the original refuses a message in which it is not. */
function readText(bytes: Buffer, begin: number, next: number): string {
  if (!isUtf8(bytes.subarray(begin, next))) throw new Fault('invalidMessage', 'a text in the body is not UTF-8');
  return bytes.toString('utf8', begin, next);
}

/** The low 32 bits of a varint, as protobuf takes them for int32 and uint32. */
function readInt32(bytes: Uint8Array, at: number, next: number): number {
  let value = 0;
  for (let i = Math.min(next, at + 5) - 1; i >= at; i--) value = (value << 7) | (bytes[i]! & 0x7f);
  return value;
}

// ---- writing ----

const varintBytes = (n: number): number => (n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x200000 ? 3 : n < 0x10000000 ? 4 : 5);
const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

/** The result part for the few answers that nearly every reply carries, ready to copy. */
const results = new Map<string, Uint8Array>();
const MAX_RESULTS = 256;
const OK = encodeResult(0, 'ok');

function resultBytes(code: number, msg: string | Uint8Array): Uint8Array {
  if (code === 0 && msg === 'ok') return OK;
  if (typeof msg !== 'string' || msg.length > 64) return encodeResult(code, msg);
  const key = `${code} ${msg}`;
  let bytes = results.get(key);
  if (bytes === undefined) {
    // a copy with memory of its own: what is kept must not hold the 64 KiB that Node.js cuts short buffers from
    bytes = new Uint8Array(encodeResult(code, msg));
    // the oldest goes: texts that are ever new, as those with a trace id, must not keep the others out for good
    if (results.size >= MAX_RESULTS) results.delete(results.keys().next().value!);
    results.set(key, bytes);
  }
  return bytes;
}

function encodeResult(code: number, msg: string | Uint8Array): Uint8Array {
  const text = bytesOf(msg);
  // a negative int32 is sign-extended to 64 bits: ten bytes
  const codeBytes = code === 0 ? [] : [0x08, ...varint(code < 0 ? BigInt.asUintN(64, BigInt(code)) : BigInt(code))];
  const msgBytes = text.length === 0 ? [] : [0x12, ...varint(BigInt(text.length))];
  const length = codeBytes.length + msgBytes.length + text.length;
  return Buffer.concat([Buffer.from([0x12, ...varint(BigInt(length)), ...codeBytes, ...msgBytes]), text]);
}

function varint(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** Writes a reply's body: rsp_result is always there, also when it is empty; data only when it has bytes. */
export function writeReplyBody(out: Writer, code: number, msg: string | Uint8Array, data: string | Uint8Array): void {
  out.bytes(resultBytes(code, msg));
  if (data.length > 0) writeField(out, 0x1a, data);
}

/** Writes the body of a request or a push. */
export function writeRequestBody(out: Writer, data: string | Uint8Array, traceId = ''): void {
  if (data.length > 0) writeField(out, 0x1a, data);
  if (traceId.length > 0) writeField(out, 0x2a, traceId);
}

function writeField(out: Writer, tag: number, value: string | Uint8Array): void {
  if (typeof value === 'string') return out.textField(tag, value);
  out.byte(tag);
  out.varint(value.length);
  out.bytes(value);
}

/** How many bytes writeReplyBody will write. */
export function replyBodyBytes(code: number, msg: string | Uint8Array, data: string | Uint8Array): number {
  const dataBytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
  return resultBytes(code, msg).length + (dataBytes === 0 ? 0 : 1 + varintBytes(dataBytes) + dataBytes);
}
