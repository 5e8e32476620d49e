// Who a relayed request comes from: one bytes field of ours (number 15) that a gate appends behind the client's body, which passes as it came.
//
//   body of the client        7a LEN   08 ref   10 number   [1a session 22 user 2a address 32 gate]
//
// The first request of a client on a link introduces it: all fields. Those behind it carry the number that stands for it on that link and
// their own number in the session, ten bytes in all. The context is always the last field: whatever a client puts into its own body stands
// before it, and counts for nothing. It is believed only on links whose other end said in the handshake that it writes contexts; a body that
// does not end on a field boundary is not relayed at all, since it could swallow what is appended.

import { Fault } from '../errors.ts';
import { readVarint, skipBytes, skipField, skipVarint } from './frame.ts';
import { Writer } from './writer.ts';

const TAG_CONTEXT = 0x7a; // field 15, bytes
const TAG_REF = 0x08;
const TAG_NUMBER = 0x10;
const TAG_SESSION = 0x1a;
const TAG_USER = 0x22;
const TAG_ADDRESS = 0x2a;
const TAG_GATE = 0x32;

export interface Origin {
  /** Id of the session, unique in the cluster and the same for as long as it lives. */
  readonly session: string;
  /** Empty for a client that has not logged in. */
  readonly user: string;
  /** Address and port of the client. */
  readonly address: string;
  /** Node id of the gate's worker. */
  readonly gate: string;
}

/** What introduces a client: encoded once and kept. */
export function encodeOrigin({ session, user, address, gate }: Origin): Buffer {
  const out = new Writer(256);
  out.textField(TAG_SESSION, session);
  if (user !== '') out.textField(TAG_USER, user);
  out.textField(TAG_ADDRESS, address);
  out.textField(TAG_GATE, gate);
  return out.take();
}

const varintBytes = (n: number): number => (n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x200000 ? 3 : n < 0x10000000 ? 4 : 5);

/**
 * Appends the field. `ref` stands for the client on this link; `number` is that of the request in its session, which names it in traces;
 * `origin` is what encodeOrigin made, once for each client and link.
 */
export function appendContext(out: Writer, ref: number, number: number, origin: Uint8Array | undefined): void {
  out.byte(TAG_CONTEXT);
  out.varint(2 + varintBytes(ref) + varintBytes(number) + (origin === undefined ? 0 : origin.length));
  out.byte(TAG_REF);
  out.varint(ref);
  out.byte(TAG_NUMBER);
  out.varint(number);
  if (origin !== undefined) out.bytes(origin);
}

/**
 * Where the context begins, which is where the client's own body ends: `end` if there is none, -1 if the body is no row of whole fields.
 * Nearly all bodies are one short data field and a short context: that case costs a few comparisons.
 */
export function contextAt(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === 0x1a && bytes[at + 1]! < 0x80 && at + 2 + bytes[at + 1]! <= end) {
    at += 2 + bytes[at + 1]!;
    if (at === end || (bytes[at] === TAG_CONTEXT && bytes[at + 1]! < 0x80 && at + 2 + bytes[at + 1]! === end)) return at;
  }
  for (let last = -1; ;) {
    if (at >= end) return at > end ? -1 : last < 0 ? end : last;
    last = bytes[at] === TAG_CONTEXT ? at : -1;
    at = skipField(bytes, at, end);
    if (at < 0) return -1;
  }
}

/** A context as it is read: `origin` is where the introduction begins, `end` of the body where there is none. */
export interface ContextHead {
  ref: number;
  number: number;
  origin: number;
}

/** Reads the two numbers of the context at `at` into `head`. Throws Fault decodeFailed. */
export function readContextHead(bytes: Uint8Array, at: number, end: number, head: ContextHead): void {
  const begin = bytes[at + 1]! < 0x80 ? at + 2 : skipVarint(bytes, at + 1, end);
  if (begin < 0 || bytes[begin] !== TAG_REF) throw broken();
  const second = skipVarint(bytes, begin + 1, end);
  if (second < 0 || bytes[second] !== TAG_NUMBER) throw broken();
  const third = skipVarint(bytes, second + 1, end);
  if (third < 0) throw broken();
  head.ref = readVarint(bytes, begin + 1, second);
  head.number = readVarint(bytes, second + 1, third);
  head.origin = third;
}

/** Reads the introduction between `at` and `end`. Throws Fault decodeFailed. */
export function readOrigin(bytes: Buffer, at: number, end: number): Origin {
  const origin = { session: '', user: '', address: '', gate: '' };
  for (let i = at; i < end;) {
    const next = skipField(bytes, i, end);
    if (next < 0) throw broken();
    const tag = bytes[i]!;
    const text = () => bytes.toString('utf8', skipVarint(bytes, i + 1, next), skipBytes(bytes, i + 1, next));
    if (tag === TAG_SESSION) origin.session = text();
    else if (tag === TAG_USER) origin.user = text();
    else if (tag === TAG_ADDRESS) origin.address = text();
    else if (tag === TAG_GATE) origin.gate = text();
    i = next;
  }
  if (origin.session === '') throw broken();
  return origin;
}

/** How a request is called in traces whose client gave it no name. */
export const traceOf = (session: string, number: number): string => `${session}/${number}`;

const broken = () => new Fault('decodeFailed', 'the relay context does not parse; compare the versions of the nodes');
