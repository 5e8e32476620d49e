// A dialect as a client speaks it: the other direction of wire/codec.ts.

import { readBody, writeRequestBody, type Body } from '../wire/body.ts';
import type { Decoder } from '../wire/codec.ts';
import { protobufCodec } from '../wire/codecs/protobuf.ts';
import { HEAD_BYTES, writeHead, type Frame } from '../wire/frame.ts';
import type { Writer } from '../wire/writer.ts';

export interface ClientCodec {
  readonly name: string;
  /** A decoder for one connection; `maxBody` is the largest body in bytes. */
  decoder(maxBody: number): Decoder;
  /** Reads the body of a reply or push. Throws Fault when it does not parse: the connection is then closed. */
  read(frame: Frame): Body;
  writeRequest(out: Writer, cmd: number, seq: number, data: string | Uint8Array, traceId: string): void;
}

/** The dialect of co_kimserver. */
export const protobufClientCodec: ClientCodec = {
  name: protobufCodec.name,
  decoder: (maxBody) => protobufCodec.decoder(maxBody),
  read: (frame) => readBody(frame.bytes, frame.start, frame.end),

  writeRequest(out, cmd, seq, data, traceId) {
    const at = out.skip(HEAD_BYTES);
    writeRequestBody(out, data, traceId);
    writeHead(out.memory, at, cmd, seq, out.length - at - HEAD_BYTES);
  },
};
