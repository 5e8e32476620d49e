// Who a relayed request comes from: one bytes field of ours (number 15) that a gate appends behind the client's body, which passes as it came.
//
//   body of the client                     7a LEN  0a session 12 user 1a address 22 gate 28 number
//
// The context is always the last field: whatever a client puts into its own body stands before it, and counts for nothing. It is believed
// only on links whose other end said in the handshake that it writes contexts; a body that does not end on a field boundary is not relayed
// at all, since it could swallow what is appended.

import { Fault } from '../errors.ts';
import { readVarint, skipBytes, skipField, skipVarint } from './frame.ts';
import { Writer } from './writer.ts';

const TAG_CONTEXT = 0x7a; // field 15, bytes
const TAG_SESSION = 0x0a;
const TAG_USER = 0x12;
const TAG_ADDRESS = 0x1a;
const TAG_GATE = 0x22;
const TAG_NUMBER = 0x28;

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

/** The part of a context that is the same for all requests of a client: encoded once and kept. */
export function encodeOrigin({ session, user, address, gate }: Origin): Buffer {
  const out = new Writer(256);
  out.textField(TAG_SESSION, session);
  if (user !== '') out.textField(TAG_USER, user);
  out.textField(TAG_ADDRESS, address);
  out.textField(TAG_GATE, gate);
  return out.take();
}

/** Appends the field: what encodeOrigin made, and the number of the request, which names it in traces. */
export function appendContext(out: Writer, origin: Uint8Array, number: number): void {
  out.byte(TAG_CONTEXT);
  out.varint(origin.length + 1 + (number < 0x80 ? 1 : number < 0x4000 ? 2 : number < 0x200000 ? 3 : number < 0x10000000 ? 4 : 5));
  out.bytes(origin);
  out.byte(TAG_NUMBER);
  out.varint(number);
}

/**
 * Where the context begins, which is where the client's own body ends: `end` if there is none, -1 if the body is no row of whole fields.
 * Nearly all bodies are one short data field and the context: that case costs a few comparisons.
 */
export function contextAt(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === 0x1a && bytes[at + 1]! < 0x80 && at + 2 + bytes[at + 1]! <= end) at += 2 + bytes[at + 1]!;
  for (let last = -1; ; ) {
    if (at >= end) return at > end ? -1 : last < 0 ? end : last;
    last = bytes[at] === TAG_CONTEXT ? at : -1;
    at = skipField(bytes, at, end);
    if (at < 0) return -1;
  }
}

export interface RelayContext extends Origin {
  /** Number of the request in its session. */
  readonly number: number;
}

/** Where the id of the session stands in a context, so that its client can be found without reading the rest. Throws Fault decodeFailed. */
export function sessionIn(bytes: Buffer, at: number, end: number): string {
  const begin = skipVarint(bytes, at + 1, end);
  if (begin < 0 || bytes[begin] !== TAG_SESSION) throw broken();
  const next = skipBytes(bytes, begin + 1, end);
  if (next < 0) throw broken();
  return bytes.latin1Slice(skipVarint(bytes, begin + 1, end), next);
}

/** Reads the context at `at`. Throws Fault decodeFailed. */
export function readContext(bytes: Buffer, at: number, end: number): RelayContext {
  const context = { session: '', user: '', address: '', gate: '', number: 0 };
  let i = skipVarint(bytes, at + 1, end);
  if (i < 0) throw broken();
  while (i < end) {
    const tag = bytes[i]!;
    const next = skipField(bytes, i, end);
    if (next < 0) throw broken();
    if (tag === TAG_NUMBER) context.number = readVarint(bytes, i + 1, next);
    else {
      const text = () => bytes.toString('utf8', skipVarint(bytes, i + 1, end), next);
      if (tag === TAG_SESSION) context.session = text();
      else if (tag === TAG_USER) context.user = text();
      else if (tag === TAG_ADDRESS) context.address = text();
      else if (tag === TAG_GATE) context.gate = text();
    }
    i = next;
  }
  if (context.session === '') throw broken();
  return context;
}

/** The number of the request, which is the last field of a context of ours. */
export const traceOf = (session: string, number: number): string => `${session}/${number}`;

const broken = () => new Fault('decodeFailed', 'the relay context does not parse; compare the versions of the nodes');
