// A client: many requests in flight on one connection, pushes by command, and a connection that comes back when it is lost.

import type { Decoder } from '../wire/codec.ts';
import { Writer } from '../wire/writer.ts';
import { Answer } from './answer.ts';
import { Connector } from './connector.ts';
import { ClientError } from './error.ts';
import { MAX_MS, type Settings } from './options.ts';
import { PendingRequests } from './pending.ts';
import type { ClientState } from './state.ts';

export interface RequestOptions {
  /** Time for the answer, waiting for a connection included, in milliseconds. */
  timeoutMs?: number;
  /** An id that logs and traces on the way will show. */
  traceId?: string;
}

/** Above this many bytes a turn does not wait for its end to send. */
const FLUSH_AT = 256 * 1024;
/** What a body carries besides data and trace id, at most. */
const BODY_OVERHEAD = 16;
const CLOSE_MS = 5000;
/** Time for the server to close its side of the connection when we have closed ours. */
const LINGER_MS = 1000;

export class Client {
  readonly #settings: Settings;
  readonly #connector: Connector;
  readonly #pending = new PendingRequests();
  readonly #out = new Writer();
  readonly #pushes = new Map<number, Set<(push: Answer) => void>>();
  readonly #watchers = new Set<(state: ClientState) => void>();
  #decoder: Decoder;
  #flushing = false;
  #closing: Promise<void> | undefined;

  /** Use createClient. */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#decoder = settings.codec.decoder(settings.maxFrame);
    this.#connector = new Connector(settings, {
      state: (state) => this.#tell(state),
      up: () => this.#up(),
      data: (bytes) => this.#received(bytes),
      down: (reason) => this.#down(reason),
      gaveUp: (error) => this.#pending.reject('waiting', 'connect', error.message),
      isWanted: () => this.#pending.size > 0,
    });
  }

  get state(): ClientState {
    return this.#connector.state;
  }

  /** Requests without an answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /**
   * Resolves when connected; rejects with a ClientError when the try fails. Not needed before requests: the first one connects by itself. It is
   * for those who want to know, or who only wait for pushes.
   */
  connect(): Promise<void> {
    return this.#closing === undefined ? this.#connector.connect() : Promise.reject(closedError());
  }

  /**
   * Sends a request and resolves with its answer, whatever its code (`answer.orThrow()` for those who want an error). Without a connection it
   * waits for one. Rejects with a ClientError: timeout, closed, connect, overload or invalid. It is never sent twice.
   */
  request(cmd: number, data: string | Uint8Array = '', { timeoutMs, traceId = '' }: RequestOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ms = timeoutMs ?? this.#settings.requestTimeoutMs;
      const refusal = this.#refusal(cmd, data, ms, traceId);
      if (refusal !== undefined) return reject(refusal);
      const seq = this.#pending.nextSeq();
      const unsent = this.#encode(cmd, seq, data, traceId);
      const timer = setTimeout(() => this.#late(seq, cmd, ms), ms);
      this.#pending.add({ seq, unsent, resolve, reject, timer });
      if (unsent !== undefined) this.#connector.open();
    });
  }

  /** Calls `handler` for messages of that command that answer no request; returns how to end it. What a handler throws is not caught. */
  on(cmd: number, handler: (push: Answer) => void): () => void {
    const handlers = this.#pushes.get(cmd) ?? new Set();
    this.#pushes.set(cmd, handlers);
    // each call counts on its own, also with the same function twice
    const own = (push: Answer) => handler(push);
    handlers.add(own);
    return () => {
      handlers.delete(own);
      if (handlers.size === 0 && this.#pushes.get(cmd) === handlers) this.#pushes.delete(cmd);
    };
  }

  /** Calls `handler` with each new state; returns how to end it. */
  onState(handler: (state: ClientState) => void): () => void {
    const own = (state: ClientState) => handler(state);
    this.#watchers.add(own);
    return () => void this.#watchers.delete(own);
  }

  /**
   * Takes no more requests, waits for the answers that are due, at most `timeoutMs` milliseconds, and ends the connection. Requests that have no
   * answer by then are rejected. Never rejects itself; calling it again returns the same promise.
   */
  close({ timeoutMs = CLOSE_MS }: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    await this.#pending.untilEmpty(timeoutMs);
    this.#pending.reject('all', 'closed', `the client was closed and the answer did not come within ${timeoutMs} ms`);
    this.#flush();
    await this.#connector.close(LINGER_MS);
  }

  // ---- a request goes ----

  #refusal(cmd: number, data: string | Uint8Array, ms: number, traceId: string): ClientError | undefined {
    const { maxInFlight, maxFrame, maxUnsent } = this.#settings;
    if (this.#closing !== undefined) return closedError();
    if (!Number.isInteger(cmd) || cmd < 0 || cmd > 0xffffffff) return new ClientError('invalid', `${cmd} is no command number`);
    if (!(ms > 0 && ms <= MAX_MS)) return new ClientError('invalid', `timeoutMs must be from 1 to ${MAX_MS}, got ${ms}`);
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) return new ClientError('invalid', 'data must be text or bytes');
    // a character has at most three bytes
    const most = (typeof data === 'string' ? data.length * 3 : data.length) + traceId.length * 3 + BODY_OVERHEAD;
    if (most > maxFrame && byteLength(data) + byteLength(traceId) + BODY_OVERHEAD > maxFrame) {
      return new ClientError('invalid', `the request has ${byteLength(data)} bytes of data, more than maxFrame (${maxFrame}) allows`);
    }
    if (this.#pending.size >= maxInFlight) {
      return new ClientError('overload', `${this.#pending.size} requests have no answer yet; send fewer at once or raise maxInFlight`);
    }
    const unsent = (this.#connector.link?.unsent ?? 0) + this.#out.length + this.#pending.unsentBytes;
    if (unsent > maxUnsent) {
      return new ClientError('overload', `the server did not take ${unsent} bytes yet; send less at once or raise maxUnsent`);
    }
    return undefined;
  }

  /** Encodes into what leaves with this turn; without a connection returns the bytes to send later. */
  #encode(cmd: number, seq: number, data: string | Uint8Array, traceId: string): Uint8Array | undefined {
    const isUp = this.#connector.link !== undefined;
    this.#settings.codec.writeRequest(this.#out, cmd, seq, data, traceId);
    if (!isUp) return this.#out.take();
    if (this.#out.length >= FLUSH_AT) this.#flush();
    else this.#flushSoon();
    return undefined;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#settings.transport.afterTurn(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#out.length > 0) this.#connector.link?.write(this.#out.take());
  }

  #late(seq: number, cmd: number, ms: number): void {
    const { host, port } = this.#settings;
    const { state } = this.#connector;
    const pending = this.#pending.take(seq);
    const why = pending?.unsent === undefined ? 'no answer' : 'no connection';
    const reason = state.name === 'disconnected' ? ` (${state.reason})` : '';
    pending?.reject(new ClientError('timeout', `${why} for command ${cmd} from ${host}:${port} within ${ms} ms${reason}`));
  }

  // ---- something comes ----

  #received(bytes: Buffer): void {
    const decoder = this.#decoder;
    decoder.feed(bytes);
    try {
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        const answer = new Answer(frame.cmd, frame.seq, this.#settings.codec.read(frame));
        const pending = frame.seq === 0 ? undefined : this.#pending.take(frame.seq);
        if (pending === undefined) this.#push(answer);
        else pending.resolve(answer);
        // a handler may have closed the client, or the connection be another one
        if (this.#decoder !== decoder) return;
      }
    } catch (error) {
      this.#decoder.rest();
      this.#connector.abandon(`the server sent something that is not ${this.#settings.codec.name}: ${(error as Error).message}`);
    }
  }

  #push(push: Answer): void {
    for (const handler of [...(this.#pushes.get(push.cmd) ?? [])]) run(() => handler(push));
  }

  // ---- the connection comes and goes ----

  #up(): void {
    this.#decoder = this.#settings.codec.decoder(this.#settings.maxFrame);
    for (const bytes of this.#pending.takeUnsent()) {
      this.#out.bytes(bytes);
      if (this.#out.length >= FLUSH_AT) this.#flush();
    }
    this.#flushSoon();
  }

  #down(reason: string): void {
    this.#out.clear();
    this.#pending.reject('sent', 'closed', `the connection was lost before the answer came: ${reason}`);
  }

  #tell(state: ClientState): void {
    for (const watcher of [...this.#watchers]) run(() => watcher(state));
  }
}

const closedError = () => new ClientError('closed', 'the client is closed; make another one');
const byteLength = (data: string | Uint8Array): number => (typeof data === 'string' ? Buffer.byteLength(data) : data.length);

/** Calls a handler of the user. What it throws must not stop what we are doing, and must not be lost either. */
function run(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
