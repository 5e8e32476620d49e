// What the benchmark sends and expects: three kinds of requests of 16 bytes of data, and the bytes of their replies.

import { protobufCodec } from '../wire/codecs/protobuf.ts';
import { writeRequestBody } from '../wire/body.ts';
import { Frame, HEAD_BYTES, writeHead } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import { JSON_COMMAND } from './commands.ts';

const DATA = '0123456789abcdef';

export interface Exchange {
  readonly cmd: number;
  readonly data: string;
  /** Data of the reply. */
  readonly reply: string;
  readonly what: string;
}

export const exchanges = {
  test: { cmd: 1001, data: DATA, reply: 'good job!', what: 'command 1001 of the module test' },
  echo: { cmd: 1101, data: DATA, reply: DATA, what: 'command 1101 of the module echo: the data of the request is the data of the reply' },
  json: {
    cmd: JSON_COMMAND,
    data: '{"n":1234567890}',
    reply: '{"n":1234567890}',
    what: 'data is JSON, request and reply are checked by a zod schema',
  },
} as const satisfies Record<string, Exchange>;

export type ExchangeName = keyof typeof exchanges;

export function requestFrame(cmd: number, seq: number, data: string): Buffer {
  const out = new Writer();
  const at = out.skip(HEAD_BYTES);
  writeRequestBody(out, data);
  writeHead(out.memory, at, cmd, seq, out.length - HEAD_BYTES);
  return out.take();
}

/** `depth` requests with seq 1 to `depth`, as one piece of bytes. */
export function burst({ cmd, data }: Exchange, depth: number): Buffer {
  return Buffer.concat(Array.from({ length: depth }, (_, i) => requestFrame(cmd, i + 1, data)));
}

/** The body of the reply as our server writes it: what the floor answers as well. */
export function replyBody({ cmd, reply }: Exchange): Buffer {
  const out = new Writer();
  const nothing = Buffer.alloc(0);
  protobufCodec.writeReply(out, new Frame(cmd, 1, nothing, 0, 0), { code: 0, msg: 'ok', data: reply });
  return out.take().subarray(HEAD_BYTES);
}
