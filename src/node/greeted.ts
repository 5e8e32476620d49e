// What a worker knows of a client that began with HELLO, and how bytes of such a client become messages.

import { timingSafeEqual } from 'node:crypto';
import type { Connection } from '../net/connection.ts';
import { clientCommands } from '../wire/client-control.ts';
import { FramingError, type Decoder } from '../wire/codec.ts';
import { Frame, HEAD_BYTES, writeHead } from '../wire/frame.ts';

export class Greeted {
  /** What the client has to present to go on with its session. */
  readonly secret: Uint8Array;
  /** What it presented when it came. Good until it sends something: its WELCOME may have been lost. */
  before: Uint8Array | undefined;
  /** It follows MOVE. */
  readonly canMove: boolean;
  /** It was asked to move: it goes on using this connection until it leaves. */
  isMoving = false;
  /** The session ends with the connection. */
  isOver = false;
  /** Of its heartbeats. */
  readonly pace = { credit: -1, creditAt: 0 };
  /** Node id of the worker that has the session now. */
  elsewhere: string | undefined;

  constructor(secret: Uint8Array, canMove: boolean) {
    this.secret = secret;
    this.canMove = canMove;
  }

  /** True if the client that knows this secret may have the session. */
  opens(secret: Uint8Array): boolean {
    return isSame(this.secret, secret) || (this.before !== undefined && isSame(this.before, secret));
  }
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

export const greetedOf = (connection: Connection): Greeted | undefined => connection.greeted as Greeted | undefined;

/** Messages that are looked through for heartbeats while those before them wait to be answered. */
const MAX_AHEAD = 1024;
/** What a message that waits costs besides its bytes. */
const FRAME_OVERHEAD = 256;

/** Answers heartbeats as they come, whatever waits in front of them; everything else stays in order. */
export class GreetedDecoder implements Decoder {
  readonly #inner: Decoder;
  readonly #connection: Connection;
  readonly #heartbeat: (frame: Frame) => boolean;
  readonly #ahead: Frame[] = [];
  #aheadBytes = 0;
  /** How many of them, from the first on, lie in memory of their own. */
  #own = 0;
  #problem: FramingError | undefined;

  /** `heartbeat` answers one; false if it has to wait for its turn. */
  constructor(connection: Connection, heartbeat: (frame: Frame) => boolean) {
    this.#inner = connection.decoder;
    this.#connection = connection;
    this.#heartbeat = heartbeat;
  }

  get held(): number {
    return this.#inner.held + this.#aheadBytes;
  }

  get unfinished(): boolean {
    return this.#inner.unfinished;
  }

  feed(chunk: Buffer): void {
    // what another worker had left of this client may be nothing: that is no sign that it got its WELCOME
    if (chunk.length === 0) return;
    this.#keepApart();
    this.#inner.feed(chunk);
    const greeted = greetedOf(this.#connection);
    if (greeted !== undefined) greeted.before = undefined;
    // one that leaves now is read by whoever takes it
    if (this.#connection.moving && this.#connection.isQuiet) return;
    this.#look();
  }

  #look(): void {
    try {
      while (this.#ahead.length < MAX_AHEAD && this.#problem === undefined) {
        const frame = this.#inner.next();
        if (frame === undefined) return;
        if (frame.cmd === clientCommands.heartbeat && this.#heartbeat(frame)) continue;
        this.#ahead.push(frame);
        this.#aheadBytes += sizeOf(frame);
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      // what came before it is answered first
      this.#problem = error;
    }
  }

  /** Whoever waits on while more comes must not keep the memory of everything that came with it. */
  #keepApart(): void {
    for (; this.#own < this.#ahead.length; this.#own++) {
      const frame = this.#ahead[this.#own]!;
      if (frame.bytes.buffer.byteLength > 2 * sizeOf(frame)) this.#ahead[this.#own] = copyOf(frame);
    }
  }

  next(): Frame | undefined {
    const frame = this.#ahead.shift();
    if (frame !== undefined) {
      if (this.#own > 0) this.#own--;
      this.#aheadBytes -= sizeOf(frame);
      return frame;
    }
    if (this.#problem !== undefined) throw this.#problem;
    return this.#inner.next();
  }

  rest(): Buffer {
    const parts = this.#ahead.splice(0).map(bytesOf);
    this.#aheadBytes = 0;
    this.#own = 0;
    return Buffer.concat([...parts, this.#inner.rest()]);
  }
}

const sizeOf = ({ start, end }: Frame): number => FRAME_OVERHEAD + HEAD_BYTES + end - start;

function copyOf({ cmd, seq, bytes, start, end }: Frame): Frame {
  const body = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(body, 0, start, end);
  return new Frame(cmd, seq, body, 0, body.length);
}

/** A frame as it came: heads are all of one kind. */
function bytesOf({ cmd, seq, body }: Frame): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  writeHead(head, 0, cmd, seq, body.length);
  return Buffer.concat([head, body]);
}
