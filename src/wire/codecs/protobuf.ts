// The dialect of co_kimserver: 15-byte head, MsgBody, replies under cmd + 1 with the same seq.

import type { Codec } from '../codec.ts';
import { FramingError } from '../codec.ts';
import { FIRST_CLIENT_COMMAND } from '../commands.ts';
import { Frame, HEAD_BYTES, headCmd, headLen, headSeq, isPlainHead, parseHead, writeHead } from '../frame.ts';
import { readBody, readData, writeReplyBody, writeRequestBody } from '../body.ts';
import { contextAt } from '../relay-context.ts';
import { LengthDecoder, type Framing } from '../length-decoder.ts';

const framing: Framing = {
  headBytes: HEAD_BYTES,

  bodyBytes(bytes, at, maxBody) {
    const len = isPlainHead(bytes, at) ? headLen(bytes, at) : slowHead(bytes, at).len;
    if (len > maxBody) throw new FramingError('size', `a body of ${len} bytes is announced, the limit is ${maxBody} (max_frame)`);
    return len > 0 ? len : 0;
  },

  frame(bytes, at, bodyBytes) {
    const start = at + HEAD_BYTES;
    if (isPlainHead(bytes, at)) return new Frame(headCmd(bytes, at), headSeq(bytes, at), bytes, start, start + bodyBytes);
    const { cmd, seq } = slowHead(bytes, at);
    return new Frame(cmd, seq, bytes, start, start + bodyBytes);
  },
};

function slowHead(bytes: Buffer, at: number) {
  try {
    return parseHead(bytes, at);
  } catch (cause) {
    throw new FramingError('frame', (cause as Error).message);
  }
}

export const protobufCodec: Codec = {
  name: 'protobuf',
  coalesce: true,
  unknown: 'reply and close',
  decoder: (maxBody) => new LengthDecoder(framing, maxBody),
  data: (frame) => readData(frame.bytes, frame.start, frame.end),
  traceId: (frame) => readBody(frame.bytes, frame.start, frame.end).traceId,
  isClientCommand: (cmd) => cmd >= FIRST_CLIENT_COMMAND,
  hasReply: () => true,

  writeReply(out, request, reply) {
    const at = out.skip(HEAD_BYTES);
    writeReplyBody(out, reply.code, reply.msg, reply.data);
    writeHead(out.memory, at, reply.cmd ?? request.cmd + 1, request.seq, out.length - at - HEAD_BYTES);
  },

  relay: {
    isWhole: ({ bytes, start, end }) => contextAt(bytes, start, end) >= 0,
    writeReply(out, request, { cmd, bytes, start, end }) {
      writeHead(out.memory, out.skip(HEAD_BYTES), cmd, request.seq, end - start);
      out.range(bytes, start, end);
    },
  },

  writePush(out, cmd, data) {
    const at = out.skip(HEAD_BYTES);
    writeRequestBody(out, data);
    writeHead(out.memory, at, cmd, 0, out.length - at - HEAD_BYTES);
  },
};
