// Small protobuf messages by hand, from a table of their fields: for code that must not need protobufjs, as the client in a browser.
// Tests compare with protobufjs. Field numbers are 1 to 15.

import { isUtf8 } from 'node:buffer';
import { Fault } from '../errors.ts';
import { readVarint, skipBytes, skipField, skipTag, skipVarint } from './frame.ts';
import { Writer } from './writer.ts';

interface Values {
  text: string;
  texts: readonly string[];
  bytes: Uint8Array;
  uint32: number;
  int32: number;
  double: number;
  bool: boolean;
}

type Kind = keyof Values;
type Fields = Readonly<Record<string, readonly [number: number, kind: Kind]>>;
type Message<F extends Fields> = { [K in keyof F]: Values[F[K][1]] };

export interface MessageType<T> {
  /** Fields that are left out, or have the default of their kind, take no bytes. */
  encode(value: Partial<T>): Buffer;
  /** Every field is there, with its default where it was absent; bytes are views. Throws Fault invalidMessage for what does not parse. */
  decode(bytes: Buffer): T;
}

/** How a field is told on the wire: 0 varint, 1 eight bytes, 2 length and bytes. */
const wireTypes: Readonly<Record<Kind, 0 | 1 | 2>> = { text: 2, texts: 2, bytes: 2, uint32: 0, int32: 0, double: 1, bool: 0 };
const EMPTY = Buffer.alloc(0);

const defaults: { readonly [K in Kind]: () => Values[K] } = {
  text: () => '',
  texts: () => [],
  bytes: () => EMPTY,
  uint32: () => 0,
  int32: () => 0,
  double: () => 0,
  bool: () => false,
};

/** A message type of these fields. `name` is for errors. */
export function messageType<const F extends Fields>(name: string, fields: F): MessageType<Message<F>> {
  const rows = Object.entries(fields).map(([key, [number, kind]]) => ({ key, kind, tag: number * 8 + wireTypes[kind] }));
  const byTag = new Map(rows.map((row) => [row.tag, row]));
  return {
    encode(value) {
      const out = new Writer(128);
      const given: Readonly<Record<string, unknown>> = value;
      for (const { key, kind, tag } of rows) if (given[key] !== undefined) writeField(out, tag, kind, given[key]);
      return out.take();
    },

    decode(bytes) {
      const message: Record<string, unknown> = Object.fromEntries(rows.map(({ key, kind }) => [key, defaults[kind]()]));
      let i = 0;
      while (i < bytes.length) {
        const next = skipField(bytes, i, bytes.length);
        if (next < 0) throw new Fault('invalidMessage', `${name} does not parse at byte ${i}`);
        const at = skipTag(bytes, i, next);
        const row = byTag.get(readVarint(bytes, i, at));
        if (row !== undefined) {
          const value = readField(bytes, at, next, row.kind, `${row.key} of ${name}`);
          if (row.kind === 'texts') (message[row.key] as unknown[]).push(value);
          else message[row.key] = value;
        }
        i = next;
      }
      return message as Message<F>;
    },
  };
}

function readField(bytes: Buffer, at: number, next: number, kind: Kind, what: string): unknown {
  if (kind === 'double') return bytes.readDoubleLE(at);
  if (kind === 'uint32') return low32(bytes, at, next) >>> 0;
  if (kind === 'int32') return low32(bytes, at, next);
  if (kind === 'bool') return readVarint(bytes, at, next) !== 0;
  const content = bytes.subarray(skipVarint(bytes, at, next), skipBytes(bytes, at, next));
  if (kind === 'bytes') return content;
  if (!isUtf8(content)) throw new Fault('invalidMessage', `${what} is not UTF-8`);
  return content.toString();
}

function writeField(out: Writer, tag: number, kind: Kind, value: unknown): void {
  if (kind === 'texts') {
    for (const text of value as Values['texts']) out.textField(tag, text);
  } else if (kind === 'text') {
    if (value !== '') out.textField(tag, value as string);
  } else if (kind === 'bytes') {
    const bytes = value as Uint8Array;
    if (bytes.length === 0) return;
    out.byte(tag);
    out.varint(bytes.length);
    out.bytes(bytes);
  } else if (kind === 'double') {
    if (Object.is(value, 0)) return;
    out.byte(tag);
    const at = out.skip(8);
    out.memory.writeDoubleLE(value as number, at);
  } else if (Number(value) !== 0) {
    out.byte(tag);
    writeNumber(out, Number(value));
  }
}

/** A negative int32 is sign-extended to 64 bits, which makes ten bytes: the low 31 bits, then ones. */
function writeNumber(out: Writer, value: number): void {
  if (value >= 0) return out.varint(value);
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) out.byte(Number(rest & 0x7fn) | 0x80);
  out.byte(Number(rest));
}

/** The low 32 bits of a varint, signed, as protobuf takes them for 32-bit numbers. */
export function low32(bytes: Uint8Array, at: number, next: number): number {
  let value = 0;
  for (let i = Math.min(next, at + 5) - 1; i >= at; i--) value = (value << 7) | (bytes[i]! & 0x7f);
  return value;
}
