// Frames as an original in C++ writes and reads them, made here from the description alone: our own reader and writer are not asked, so a
// mistake of theirs is not made twice.

export const HEAD = 15;

/** What the original's encoder reads behind the end of a head that came out too short: a NUL, then whatever lay there. */
const BEHIND = Buffer.from('00c07f55aa', 'hex');

export interface CppFrame {
  readonly cmd: number;
  readonly seq: number;
  readonly head: Buffer;
  readonly body: Buffer;
}

/** The parts of a body that an original knows. Fields that are empty or zero are not written, as in proto3. */
export interface CppBody {
  /** Present in every answer. */
  result?: { code: number; msg: string } | undefined;
  data?: string | Uint8Array;
  addOn?: string | Uint8Array;
  traceId?: string;
}

/** A body as it was read; `unknown` has the numbers of fields that an original does not know. */
export interface CppParsed {
  result: { code: number; msg: string } | undefined;
  data: Buffer;
  unknown: number[];
}

/** A node as it tells of itself in commands 23 and 24. */
export interface CppTarget {
  type: string;
  ip: string;
  port: number;
  worker: number;
}

// ---- writing ----

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]);
}

function delimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

/** Text or bytes, left out when empty. */
function text(field: number, content: string | Uint8Array = ''): Buffer {
  return content.length === 0 ? Buffer.alloc(0) : delimited(field, Buffer.from(content));
}

/** A number, left out when 0. */
function number(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)]);
}

export function cppBody({ result, data, addOn, traceId }: CppBody): Buffer {
  const answer = result && delimited(2, Buffer.concat([number(1, result.code), text(2, result.msg)]));
  return Buffer.concat([answer ?? Buffer.alloc(0), text(3, data), text(4, addOn), text(5, traceId)]);
}

export function cppTarget({ type, ip, port, worker }: CppTarget): Buffer {
  return Buffer.concat([text(1, type), text(2, ip), number(3, port), number(4, worker)]);
}

/** 15 bytes always, but fields that are 0 are left out: such a head ends in what lay behind it, and nobody can read it. */
export function cppHead(cmd: number, seq: number, len: number): Buffer {
  const parts = (
    [
      [0x0d, cmd],
      [0x15, seq],
      [0x1d, len],
    ] as const
  ).map(([tag, value]) => {
    const part = Buffer.alloc(value === 0 ? 0 : 5, tag);
    if (value !== 0) part.writeUInt32LE(value >>> 0, 1);
    return part;
  });
  return Buffer.concat([...parts, BEHIND, BEHIND, BEHIND]).subarray(0, HEAD);
}

export function cppFrame(cmd: number, seq: number, body: Uint8Array): Buffer {
  return Buffer.concat([cppHead(cmd, seq, body.length), body]);
}

/** A request, as Network::send_req makes it. */
export function cppRequest(cmd: number, seq: number, data: string | Uint8Array): Buffer {
  return cppFrame(cmd, seq, cppBody({ data }));
}

/** An answer, as Network::send_ack makes it. */
export function cppAck({ cmd, seq }: Pick<CppFrame, 'cmd' | 'seq'>, code: number, msg: string, data: string | Uint8Array = ''): Buffer {
  return cppFrame(cmd + 1, seq, cppBody({ result: { code, msg }, data }));
}

// ---- reading ----

interface Field {
  number: number;
  wire: number;
  /** Of a varint. */
  value: number;
  content: Buffer;
}

/** Reads one message as a row of fields. Throws for what a parser of protobuf refuses. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const take = (n: number): Buffer => {
    if (at + n > bytes.length) throw new Error('a field passes the end');
    return bytes.subarray(at, (at += n));
  };
  const readVarint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asUintN(64, value));
    }
    throw new Error('a varint of more than ten bytes');
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field === 0) throw new Error('tag 0');
    const empty = { number: field, wire, value: 0, content: Buffer.alloc(0) };
    if (wire === 0) yield { ...empty, value: readVarint() };
    else if (wire === 1) yield { ...empty, content: take(8) };
    else if (wire === 2) yield { ...empty, content: take(readVarint()) };
    else if (wire === 5) yield { ...empty, content: take(4) };
    else throw new Error(`wire type ${wire}`);
  }
}

export function parseCppBody(bytes: Buffer): CppParsed {
  const body: CppParsed = { result: undefined, data: Buffer.alloc(0), unknown: [] };
  for (const { number: field, content } of fieldsOf(bytes)) {
    if (field === 2) {
      body.result = { code: 0, msg: '' };
      for (const { number: inner, value, content: msg } of fieldsOf(content)) {
        if (inner === 1) body.result.code = value;
        if (inner === 2) body.result.msg = msg.toString();
      }
    } else if (field === 3) body.data = content;
    else if (field > 5) body.unknown.push(field);
  }
  return body;
}

export function parseCppTarget(bytes: Buffer): CppTarget {
  const target = { type: '', ip: '', port: 0, worker: 0 };
  for (const { number: field, value, content } of fieldsOf(bytes)) {
    if (field === 1) target.type = content.toString();
    else if (field === 2) target.ip = content.toString();
    else if (field === 3) target.port = value;
    else if (field === 4) target.worker = value;
  }
  return target;
}

/** Cuts a stream into frames. Throws for what makes an original close: a head or a body that does not parse. */
export class CppReader {
  #bytes: Buffer = Buffer.alloc(0);

  feed(piece: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
  }

  next(): CppFrame | undefined {
    if (this.#bytes.length < HEAD) return undefined;
    const head = this.#bytes.subarray(0, HEAD);
    const { cmd, seq, len } = parseHead(head);
    // an original takes a negative length for no body
    const end = HEAD + Math.max(0, len);
    if (this.#bytes.length < end) return undefined;
    const body = this.#bytes.subarray(HEAD, end);
    parseCppBody(body);
    this.#bytes = this.#bytes.subarray(end);
    return { cmd, seq, head, body };
  }

  /** Bytes behind the last frame, which are forgotten: an original that passes a connection on does not pass what it has read. */
  drop(): number {
    const { length } = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return length;
  }
}

function parseHead(head: Buffer): { cmd: number; seq: number; len: number } {
  const read = { cmd: 0, seq: 0, len: 0 };
  for (const { number: field, wire, content } of fieldsOf(head)) {
    if (wire !== 5) continue;
    if (field === 1) read.cmd = content.readUInt32LE();
    else if (field === 2) read.seq = content.readUInt32LE();
    else if (field === 3) read.len = content.readInt32LE();
  }
  return read;
}
