// Frames as a client sees them, made and read without the server's own reader and writer: heads by hand, bodies by protobufjs.

import { systemType } from '../../src/wire/protobuf.ts';

export const HEAD = 15;
const msgBody = systemType('msg', 'MsgBody');

export interface BodyFields {
  req_target?: { route_id?: number; route?: string };
  rsp_result?: { code?: number; msg?: Uint8Array };
  data?: Uint8Array;
  add_on?: Uint8Array;
  trace_id?: string;
}

/** A frame as it came. `code` is -1 where the body has no rsp_result. */
export interface Seen {
  cmd: number;
  seq: number;
  body: Buffer;
  code: number;
  msg: string;
  data: string;
  traceId: string;
}

export function hex(...parts: string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
}

/** A head with any `len`, honest or not. */
export function head(cmd: number, seq: number, len: number): Buffer {
  const out = Buffer.from('0d0000000015000000001d00000000', 'hex');
  out.writeUInt32LE(cmd, 1);
  out.writeUInt32LE(seq, 6);
  out.writeInt32LE(len, 11);
  return out;
}

export function frame(cmd: number, seq: number, body: Uint8Array): Buffer {
  return Buffer.concat([head(cmd, seq, body.length), body]);
}

export function bodyOf(fields: BodyFields): Buffer {
  return msgBody.encode(fields);
}

/** A request with text or bytes as data. */
export function request(cmd: number, seq: number, data: string | Uint8Array = '', traceId = ''): Buffer {
  return frame(cmd, seq, bodyOf({ data: Buffer.from(data), ...(traceId === '' ? {} : { trace_id: traceId }) }));
}

/** `n` requests one behind the other with seq 1..n. */
export function requests(n: number, cmd: number, data: string | Uint8Array = ''): Buffer {
  return Buffer.concat(Array.from({ length: n }, (_, i) => request(cmd, i + 1, data)));
}

export function seen(cmd: number, seq: number, body: Buffer): Seen {
  const fields = msgBody.decode(body) as BodyFields;
  return {
    cmd,
    seq,
    body,
    code: fields.rsp_result?.code ?? -1,
    msg: Buffer.from(fields.rsp_result?.msg ?? []).toString(),
    data: Buffer.from(fields.data ?? []).toString(),
    traceId: fields.trace_id ?? '',
  };
}

/** Cuts what a client received into frames; what is left over is not whole yet. Throws for anything that is not a plain head. */
export function cut(bytes: Buffer): { frames: Seen[]; rest: Buffer } {
  const frames: Seen[] = [];
  let at = 0;
  while (bytes.length - at >= HEAD) {
    if (bytes[at] !== 0x0d || bytes[at + 5] !== 0x15 || bytes[at + 10] !== 0x1d) throw new Error(`no head at byte ${at}`);
    const len = bytes.readInt32LE(at + 11);
    if (bytes.length - at - HEAD < len) break;
    frames.push(seen(bytes.readUInt32LE(at + 1), bytes.readUInt32LE(at + 6), bytes.subarray(at + HEAD, at + HEAD + len)));
    at += HEAD + len;
  }
  return { frames, rest: bytes.subarray(at) };
}
