// A client with nothing between the test and the bytes: what is sent, in which pieces, and what came back in which order.

import { once } from 'node:events';
import net from 'node:net';
import { readBody, writeRequestBody } from '../../src/wire/body.ts';
import { protobufCodec } from '../../src/wire/codecs/protobuf.ts';
import { HEAD_BYTES, writeHead } from '../../src/wire/frame.ts';
import { Writer } from '../../src/wire/writer.ts';

export interface Answer {
  cmd: number;
  seq: number;
  code: number;
  msg: string;
  data: string;
  /** The data as bytes; not shown and not compared. */
  readonly bytes: Buffer;
}

/** A request as bytes. */
export function frame(cmd: number, seq: number, data: string | Uint8Array = ''): Buffer {
  const out = new Writer();
  const at = out.skip(HEAD_BYTES);
  writeRequestBody(out, data);
  writeHead(out.memory, at, cmd, seq, out.length - at - HEAD_BYTES);
  return Buffer.from(out.take());
}

/** A frame with any body and any length in its head, honest or not. */
export function rawFrame(cmd: number, seq: number, len: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  writeHead(head, 0, cmd, seq, len);
  return Buffer.concat([head, body]);
}

export class RawClient {
  readonly socket: net.Socket;
  /** Everything that came and was not taken by `next` or `request`, in order. */
  readonly answers: Answer[] = [];
  /** How the stream ended: "end" when the other side closed it in order, else the error code. Undefined while it is open. */
  ended: string | undefined;
  /** Resolves with `ended`. */
  readonly closed: Promise<string>;
  received = 0;
  readonly #decoder = protobufCodec.decoder(1 << 30);
  readonly #waiting: { take: (answer: Answer) => void; fail: (error: Error) => void }[] = [];
  #seq = 0;
  /** Gets each answer instead of `answers`. */
  onAnswer: ((answer: Answer) => void) | undefined;

  static async connect(port: number, options: Partial<net.TcpNetConnectOpts> = {}): Promise<RawClient> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true, ...options });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.ended !== undefined) return;
        this.ended = how;
        for (const { fail } of this.#waiting.splice(0)) fail(new Error(`the connection ended (${how}) before the answer came`));
        resolve(how);
      };
      socket.on('end', () => end('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
      socket.on('close', () => end('closed here'));
    });
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  /** Sends bytes; `request` does the same for one frame and waits. */
  write(...parts: Uint8Array[]): void {
    this.socket.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  /** The next answer, whatever it answers. */
  next(): Promise<Answer> {
    const answer = this.answers.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    if (this.ended !== undefined) return Promise.reject(new Error(`the connection has ended (${this.ended})`));
    return new Promise((take, fail) => this.#waiting.push({ take, fail }));
  }

  /** Sends one request and waits for the next answer. */
  request(cmd: number, data: string | Uint8Array = ''): Promise<Answer> {
    this.write(frame(cmd, ++this.#seq, data));
    return this.next();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.received += chunk.length;
    this.#decoder.feed(chunk);
    for (let next = this.#decoder.next(); next !== undefined; next = this.#decoder.next()) {
      const { result, data } = readBody(next.bytes, next.start, next.end);
      const { cmd, seq } = next;
      const answer = { cmd, seq, code: result?.code ?? -1, msg: result?.msg.toString() ?? '', data: data.toString() } as Answer;
      Object.defineProperty(answer, 'bytes', { value: data, enumerable: false });
      if (this.onAnswer !== undefined) this.onAnswer(answer);
      else {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.answers.push(answer);
        else waiting.take(answer);
      }
    }
  }
}
