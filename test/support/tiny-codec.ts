// A second dialect, for tests: lines "ID NUMBER TEXT" with numbers 1 to 99. It has everything that is unlike the first one: a delimiter
// instead of a length, ids that are words, its own numbers, a request without a reply, replies under another id, and ids for pushes.
//
//   ID 7 TEXT -> command 1007      reply: ID 7 CODE TEXT      NUMBER 4 has no reply      a reply with a command of its own: ID:NUMBER
//   a push: * NUMBER TEXT

import { FramingError, type Codec, type Decoder } from '../../src/wire/codec.ts';
import { Frame } from '../../src/wire/frame.ts';

const BASE = 1000;
/** Where numbers go that are none: no module can claim them. */
const FOREIGN = 100_000;
const WITHOUT_REPLY = 4;
const MAX_HEAD = 64;

/** A message of this dialect: its id is a word, which the number `seq` could not carry. */
class Line extends Frame {
  readonly id: string;

  constructor(id: string, number: number, bytes: Buffer, start: number, end: number) {
    super((number >= 1 && number <= 99 ? BASE : FOREIGN) + number, 0, bytes, start, end);
    this.id = id;
  }
}

class LineDecoder implements Decoder {
  readonly #maxBody: number;
  #kept = Buffer.alloc(0);

  constructor(maxBody: number) {
    this.#maxBody = maxBody;
  }

  get held(): number {
    return this.#kept.length;
  }

  get unfinished(): boolean {
    return this.#kept.length > 0;
  }

  feed(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk]);
  }

  next(): Frame | undefined {
    const end = this.#kept.indexOf('\n');
    if ((end < 0 ? this.#kept.length : end) > this.#maxBody + MAX_HEAD) {
      throw new FramingError('size', `a line of more than ${this.#maxBody} bytes`);
    }
    if (end < 0) return undefined;
    const line = this.#kept.subarray(0, end);
    this.#kept = this.#kept.subarray(end + 1);
    const head = /^(\w+) (\d{1,5}) /.exec(line.toString('latin1'));
    if (head === null) throw new FramingError('frame', 'a line that is not "ID NUMBER TEXT"');
    return new Line(head[1]!, Number(head[2]), line, head[0].length, end);
  }

  rest(): Buffer {
    const rest = this.#kept;
    this.#kept = Buffer.alloc(0);
    return rest;
  }
}

const textOf = (value: string | Uint8Array) => Buffer.from(value).toString();
const write = (line: string) => Buffer.from(`${line}\n`);

/** The dialect, with what differs between those that a server speaks. */
export function lineCodec({ unknown = 'ignore', coalesce = true }: Partial<Pick<Codec, 'unknown' | 'coalesce'>> = {}): Codec {
  return {
    name: 'line',
    coalesce,
    unknown,
    decoder: (maxBody) => new LineDecoder(maxBody),
    data: (frame) => frame.body,
    traceId: () => '',
    isClientCommand: (cmd) => cmd > BASE && cmd < BASE + 100,
    hasReply: (cmd) => cmd !== BASE + WITHOUT_REPLY,
    writeReply(out, request: Line, { code, msg, data, cmd }) {
      const number = request.cmd - (request.cmd < FOREIGN ? BASE : FOREIGN);
      const id = cmd === undefined ? request.id : `${request.id}:${cmd - BASE}`;
      out.bytes(write(`${id} ${number} ${code} ${textOf(data.length > 0 || code === 0 ? data : msg)}`));
    },
    writePush: (out, cmd, data) => out.bytes(write(`* ${cmd - BASE} ${textOf(data)}`)),
  };
}
