// A codec turns one client dialect into messages and back. The data path knows only this; it never sees a head or a delimiter.

import type { CloseReason } from '../errors.ts';
import type { Frame } from './frame.ts';
import type { Writer } from './writer.ts';

/** The bytes of one connection on their way to messages. Pull: nothing is decoded before somebody asks for the next message. */
export interface Decoder {
  /** Takes bytes from the socket; the decoder may keep them until the next message is asked for, and copies what it keeps longer. */
  feed(chunk: Buffer): void;
  /** The next whole message, or undefined when more bytes are needed. Throws FramingError when the stream can not go on. */
  next(): Frame | undefined;
  /** Memory in use for bytes that were not delivered yet. */
  readonly held: number;
  /** True while a message has begun and is not whole: the deadline for slow senders runs. */
  readonly unfinished: boolean;
  /** Everything fed and not delivered, in order: what travels along when the connection is handed to another worker. */
  rest(): Buffer;
}

/** What a handler answered, before it is bytes. */
export interface Reply {
  code: number;
  msg: string | Uint8Array;
  data: string | Uint8Array;
  /** The command of the reply where it is not the one that the dialect gives by rule. */
  cmd?: number | undefined;
}

export interface Codec {
  /** As in `gate_codec` and `listeners[].codec`. */
  readonly name: string;
  /** True if replies of one turn may leave in one write; false for clients that take one segment for one message. */
  readonly coalesce: boolean;
  /** What a command that nobody answers gets. Unknown is what no module claims and what `isClientCommand` refuses. */
  readonly unknown: 'reply and close' | 'reply' | 'ignore';
  /** A decoder for one connection. `maxBody` is the largest body in bytes; its length is judged before a byte of it is kept. */
  decoder(maxBody: number): Decoder;
  /** The application's bytes in a message. Throws Fault when the body does not parse: the connection is then closed. */
  data(frame: Frame): Buffer;
  /** The id that the client gave for tracing, or an empty text. */
  traceId(frame: Frame): string;
  /** False for commands that a client of this dialect may not send. */
  isClientCommand(cmd: number): boolean;
  /** False for requests whose clients expect no answer. */
  hasReply(cmd: number): boolean;
  writeReply(out: Writer, request: Frame, reply: Reply): void;
  /** What it takes to relay messages of this dialect to other nodes; without it none is relayed. */
  readonly relay?: {
    /** True if something may be appended to the body without being swallowed by it; false closes the connection. */
    isWhole(frame: Frame): boolean;
    /** Writes the answer of another node, which is a frame of ours, as the reply to `request`. */
    writeReply(out: Writer, request: Frame, reply: Frame): void;
  };
  /** A message that answers nothing. */
  writePush(out: Writer, cmd: number, data: string | Uint8Array): void;
}

/** The bytes are not this dialect, or a frame is too large: the connection is closed, and nothing else is touched. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
  readonly reason: CloseReason & ('frame' | 'size');

  constructor(reason: 'frame' | 'size', message: string) {
    super(message);
    this.reason = reason;
  }
}
