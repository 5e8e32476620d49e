// Where replies become bytes: in one piece of memory for the connection that is being worked on, gathered for all others until the
// end of the turn of the event loop. Whatever goes to one connection leaves in the order in which it was put here.

import type { Codec, Reply } from '../wire/codec.ts';
import { writeRequestBody } from '../wire/body.ts';
import { HEAD_BYTES, writeHead, type Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import type { Connection } from './connection.ts';

const NOTHING = Buffer.alloc(0);

export class Outbox {
  /** The connection that is being worked on: what goes to it is written in place. */
  current: Connection | undefined;
  /** Messages encoded since the start. */
  frames = 0;
  readonly #out = new Writer();
  readonly #aside = new Writer();
  #dirty: Connection[] = [];
  readonly #due: (connections: readonly Connection[]) => void;

  /** `due` is called once for each turn of the event loop, with the connections for which something was gathered in it. */
  constructor(due: (connections: readonly Connection[]) => void) {
    this.#due = due;
  }

  /** Bytes written in place so far. */
  get length(): number {
    return this.#out.length;
  }

  /** A reply that may leave as soon as it is encoded; nothing if the dialect has none for that request. */
  reply(connection: Connection, frame: Frame, reply: Reply): void {
    if (!connection.codec.hasReply(frame.cmd)) return;
    if (this.current !== connection || !connection.codec.coalesce) {
      this.gather(connection, this.encode(connection.codec, frame, reply));
      return;
    }
    connection.codec.writeReply(this.#out, frame, reply);
    this.frames++;
  }

  /** A reply that has to wait for its turn; no bytes if the dialect has none for that request. */
  encode(codec: Codec, frame: Frame, reply: Reply): Buffer {
    if (!codec.hasReply(frame.cmd)) return NOTHING;
    codec.writeReply(this.#aside, frame, reply);
    this.frames++;
    return this.#aside.take();
  }

  push(connection: Connection, cmd: number, data: string | Uint8Array): void {
    connection.codec.writePush(this.#aside, cmd, data);
    this.frames++;
    this.gather(connection, this.#aside.take());
  }

  /** Keeps encoded bytes until the end of the turn. */
  gather(connection: Connection, bytes: Buffer): void {
    if (bytes.length === 0) return;
    // what the running turn has written so far comes first
    if (this.current === connection && this.#out.length > 0) connection.gather(this.#out.take());
    if (connection.gather(bytes)) this.markDirty(connection);
  }

  /** This connection has something to do at the end of the turn. */
  markDirty(connection: Connection): void {
    if (connection.isDirty) return;
    connection.isDirty = true;
    if (this.#dirty.push(connection) > 1) return;
    setImmediate(() => {
      const dirty = this.#dirty;
      this.#dirty = [];
      for (const each of dirty) each.isDirty = false;
      this.#due(dirty);
    });
  }

  /** The answer of another node, as it came but for its head; or what to say when there is none. */
  relayed(connection: Connection, request: { frame: Frame; relayed: Frame | undefined; code: number; errorText: string }): void {
    if (request.relayed === undefined) {
      return this.reply(connection, request.frame, { code: request.code, msg: request.errorText, data: '' });
    }
    const inPlace = this.current === connection && connection.codec.coalesce;
    const out = inPlace ? this.#out : this.#aside;
    connection.codec.relay!.writeReply(out, request.frame, request.relayed);
    this.frames++;
    if (!inPlace) this.gather(connection, out.take());
  }

  /** A request of ours to whoever is at the other end. */
  ask(connection: Connection, cmd: number, seq: number, data: Uint8Array): void {
    const at = this.#aside.skip(HEAD_BYTES);
    writeRequestBody(this.#aside, data);
    writeHead(this.#aside.memory, at, cmd, seq, this.#aside.length - at - HEAD_BYTES);
    this.frames++;
    this.gather(connection, this.#aside.take());
  }

  /** Hands everything for the connection to its socket; returns how many bytes. */
  flush(connection: Connection): number {
    const before = connection.bytesOut;
    connection.flush(this.current === connection && this.#out.length > 0 ? this.#out.take() : undefined);
    return connection.bytesOut - before;
  }
}
