// A node that is known by its address only: asks it who it is, listens to what changes, and asks again when the connection is lost.

import net from 'node:net';
import { protobufCodec } from '../../wire/codecs/protobuf.ts';
import { readBody, writeRequestBody } from '../../wire/body.ts';
import { commands } from '../../wire/commands.ts';
import { HEAD_BYTES, writeHead } from '../../wire/frame.ts';
import { Writer } from '../../wire/writer.ts';
import { decodeDescription, type Described } from '../description.ts';

const CONNECT_MS = 2000;
/** Three times what the other end lets pass between two answers. */
const SILENCE_MS = 30_000;
const AGAIN_MIN_MS = 100;
const AGAIN_MAX_MS = 5000;
const MAX_BODY = 4096;

export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  /** Called with each answer; undefined says that the node is not to be found any more. */
  told(described: Described | undefined): void;
  /** Instead of a TCP connection to that address. */
  connect?: ((host: string, port: number) => net.Socket) | undefined;
}

export class Endpoint {
  readonly #options: EndpointOptions;
  #socket: net.Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #ask(): void {
    const { host, port, connect = (to: string, at: number) => net.connect({ host: to, port: at, noDelay: true }) } = this.#options;
    const socket = connect(host, port);
    const decoder = protobufCodec.decoder(MAX_BODY);
    this.#socket = socket;
    this.#within(CONNECT_MS);
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      const out = new Writer();
      const at = out.skip(HEAD_BYTES);
      writeRequestBody(out, '');
      writeHead(out.memory, at, commands.describe, 1, out.length - at - HEAD_BYTES);
      socket.write(out.take());
    });
    socket.on('data', (bytes) => {
      try {
        decoder.feed(bytes);
        for (let frame = decoder.next(); frame !== undefined && !this.#isClosed; frame = decoder.next()) {
          const { result, data } = readBody(frame.bytes, frame.start, frame.end);
          if (frame.cmd !== commands.describe + 1 || (result?.code ?? 0) !== 0) throw new Error('it does not say who it is');
          this.#failures = 0;
          this.#within(SILENCE_MS);
          this.#options.told(decodeDescription(data));
        }
      } catch {
        // an original, or something else that listens there: what it is can not be known
        socket.destroy();
      }
    });
    socket.once('close', () => this.#lost());
  }

  #within(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket?.destroy(), ms);
  }

  #lost(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const pause = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** this.#failures++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#ask(), pause);
  }
}
