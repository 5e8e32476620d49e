// A client that does exactly what a test of the data path says: it sends bytes, and keeps what comes frame by frame and piece by piece.

import net from 'node:net';
import { cut, HEAD, type Seen } from './frames.ts';

const DEADLINE_MS = 20_000;
// taken at once: a test may stop the clock of the program later
const { setTimeout, clearTimeout } = globalThis;

export class WireClient {
  readonly socket: net.Socket;
  /** Everything that came, frame by frame. */
  readonly seen: Seen[] = [];
  /** How large the pieces were in which it came. */
  readonly pieces: number[] = [];
  /** Bytes behind the last whole frame; everything that came, in dialects with other frames. */
  rest: Buffer = Buffer.alloc(0);
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;
  #taken = 0;
  #wake: () => void = () => undefined;

  /**
   * Connects, from `localAddress` where that matters. `raw` is for dialects with other frames: bytes are only gathered. With `stays` it
   * does not close its side when the server has closed its own.
   */
  static async connect(
    port: number,
    options: { host?: string; localAddress?: string; raw?: boolean; stays?: boolean } = {},
  ): Promise<WireClient> {
    const { host = '127.0.0.1', localAddress, raw = false, stays = false } = options;
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = net.connect({ port, host, allowHalfOpen: stays, ...from });
    const client = new WireClient(socket, raw);
    await client.until(() => socket.readyState === 'open' || client.closed, 'the connection');
    if (client.error !== undefined) throw client.error;
    return client;
  }

  constructor(socket: net.Socket, raw: boolean) {
    this.socket = socket;
    socket.setNoDelay(true);
    let pieces: Buffer[] = [];
    let gathered = 0;
    let wanted = 0;
    const happened = (what: () => void) => () => {
      what();
      this.#wake();
    };
    socket.on('data', (piece: Buffer) => {
      this.pieces.push(piece.length);
      pieces.push(piece);
      gathered += piece.length;
      // joined only when a frame may have become whole, or large ones would cost their square
      if (gathered < wanted) return;
      const all = Buffer.concat(pieces);
      const { frames, rest } = raw ? { frames: [], rest: all } : cut(all);
      this.seen.push(...frames);
      this.rest = rest;
      pieces = [rest];
      gathered = rest.length;
      wanted = !raw && rest.length >= HEAD ? HEAD + rest.readInt32LE(11) : 0;
      this.#wake();
    });
    const on = (event: 'connect' | 'end' | 'close', what: () => void) => socket.on(event, happened(what));
    on('connect', () => undefined);
    on('end', () => (this.ended = true));
    on('close', () => (this.closed = true));
    socket.on('error', (error) => (this.error = error));
  }

  send(...parts: Uint8Array[]): this {
    this.socket.write(Buffer.concat(parts));
    return this;
  }

  /** The next `n` frames that no call has returned yet. Rejects when the stream ends before. */
  async frames(n: number): Promise<Seen[]> {
    const end = this.#taken + n;
    await this.until(() => this.seen.length >= end || this.ended || this.closed, `frame ${end}`);
    if (this.seen.length < end) throw new Error(`the stream ended after ${this.seen.length} frames of ${end}`);
    const frames = this.seen.slice(this.#taken, end);
    this.#taken = end;
    return frames;
  }

  async frame(): Promise<Seen> {
    return (await this.frames(1))[0]!;
  }

  /** Resolves when the server has ended its side; everything that it sent is here then. */
  async end(): Promise<void> {
    await this.until(() => this.ended || this.closed, 'the end of the stream');
  }

  /** Resolves once `fact` holds; looks whenever something came. One caller at a time. */
  async until(fact: () => boolean, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`waited in vain for ${what}; ${this.seen.length} frames came`)), DEADLINE_MS);
    });
    while (!fact()) await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), late]);
    clearTimeout(timer);
  }

  /** Sends no more, and goes on reading. */
  halfClose(): void {
    this.socket.end();
  }

  /** Ends with a reset instead of a farewell. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
