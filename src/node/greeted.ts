// What a worker knows of a client that began with HELLO, and how bytes of such a client become messages.

import { timingSafeEqual } from 'node:crypto';
import type { Connection } from '../net/connection.ts';
import { clientCommands } from '../wire/client-control.ts';
import { FramingError, type Decoder } from '../wire/codec.ts';
import { HEAD_BYTES, writeHead, type Frame } from '../wire/frame.ts';

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

/** Answers heartbeats as they come, whatever waits in front of them; everything else stays in order. */
export class GreetedDecoder implements Decoder {
  readonly #inner: Decoder;
  readonly #connection: Connection;
  readonly #heartbeat: (frame: Frame) => void;
  readonly #ahead: Frame[] = [];
  #aheadBytes = 0;
  #problem: FramingError | undefined;

  constructor(connection: Connection, heartbeat: (frame: Frame) => void) {
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
        if (frame.cmd === clientCommands.heartbeat) this.#heartbeat(frame);
        else {
          this.#ahead.push(frame);
          this.#aheadBytes += sizeOf(frame);
        }
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      // what came before it is answered first
      this.#problem = error;
    }
  }

  next(): Frame | undefined {
    const frame = this.#ahead.shift();
    if (frame !== undefined) {
      this.#aheadBytes -= sizeOf(frame);
      return frame;
    }
    if (this.#problem !== undefined) throw this.#problem;
    return this.#inner.next();
  }

  rest(): Buffer {
    const parts = this.#ahead.splice(0).map(bytesOf);
    this.#aheadBytes = 0;
    return Buffer.concat([...parts, this.#inner.rest()]);
  }
}

const sizeOf = ({ start, end }: Frame): number => HEAD_BYTES + end - start;

/** A frame as it came: heads are all of one kind. */
function bytesOf({ cmd, seq, body }: Frame): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  writeHead(head, 0, cmd, seq, body.length);
  return Buffer.concat([head, body]);
}
