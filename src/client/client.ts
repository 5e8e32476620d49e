// A client: many requests in flight on one connection, pushes by command, and a connection that comes back when it is lost.

import { isClientControl } from '../wire/client-control.ts';
import type { Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import { Answer } from './answer.ts';
import type { Channel } from './channel.ts';
import { Connector, kickedError } from './connector.ts';
import { ClientError } from './error.ts';
import type { Moved } from './moves.ts';
import { MAX_MS, type Settings } from './options.ts';
import { PendingRequests } from './pending.ts';
import type { ServerClock, Session } from './session.ts';
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
  readonly #followers = new Set<(moved: Moved) => void>();
  #flushing = false;
  #closing: Promise<void> | undefined;

  /** Use createClient. */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#connector = new Connector(settings, {
      state: (state) => tell(this.#watchers, state),
      nextSeq: () => this.#pending.nextSeq(),
      up: (channel) => this.#up(channel),
      flush: () => this.#flush(),
      message: (channel, frame) => this.#received(channel, frame),
      down: (channel, reason) => this.#down(channel, reason),
      moved: (moved) => tell(this.#followers, moved),
      kicked: (error) => this.#kicked(error),
      gaveUp: (error) => this.#pending.reject('waiting', 'connect', error.message),
      isWanted: () => this.#pending.size > 0,
    });
  }

  get state(): ClientState {
    return this.#connector.state;
  }

  /** Where requests go, as host:port; undefined without a connection. */
  get address(): string | undefined {
    return this.#connector.channel?.address;
  }

  /** With the option hello: the session that the last connection had, unless it was ended by a kick. */
  get session(): Session | undefined {
    return this.#connector.session;
  }

  /** With the option hello: what is known of the server's clock, while there is a connection. */
  get clock(): ServerClock | undefined {
    return this.#connector.channel?.clock;
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
   * waits for one. Rejects with a ClientError: timeout, closed, connect, overload, invalid or kicked. It is never sent twice.
   */
  request(cmd: number, data: string | Uint8Array = '', { timeoutMs, traceId = '' }: RequestOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ms = timeoutMs ?? this.#settings.requestTimeoutMs;
      const refusal = this.#refusal(cmd, data, ms, traceId);
      if (refusal !== undefined) return reject(refusal);
      const seq = this.#pending.nextSeq();
      const unsent = this.#encode(cmd, seq, data, traceId);
      const timer = setTimeout(() => this.#late(seq, cmd, ms), ms);
      const via = unsent === undefined ? this.#connector.channel : undefined;
      this.#pending.add({ seq, unsent, via, resolve, reject, timer });
      if (unsent !== undefined) this.#connector.open();
    });
  }

  /** Calls `handler` for messages of that command that answer no request; returns how to end it. What a handler throws is not caught. */
  on(cmd: number, handler: (push: Answer) => void): () => void {
    const handlers = this.#pushes.get(cmd) ?? new Set();
    this.#pushes.set(cmd, handlers);
    const off = register(handlers, handler);
    return () => {
      off();
      if (handlers.size === 0 && this.#pushes.get(cmd) === handlers) this.#pushes.delete(cmd);
    };
  }

  /** Calls `handler` with each new state; returns how to end it. */
  onState(handler: (state: ClientState) => void): () => void {
    return register(this.#watchers, handler);
  }

  /** With the option hello: calls `handler` when requests go to another gate because the one before asked for it; returns how to end it. */
  onMoved(handler: (moved: Moved) => void): () => void {
    return register(this.#followers, handler);
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
    const { maxInFlight, maxFrame, maxUnsent, hello } = this.#settings;
    const { state } = this.#connector;
    if (this.#closing !== undefined) return closedError();
    if (state.name === 'kicked') return kickedError(state.reason, state.code);
    if (!Number.isInteger(cmd) || cmd < 0 || cmd > 0xffffffff) return new ClientError('invalid', `${cmd} is no command number`);
    if (hello !== false && isClientControl(cmd)) return new ClientError('invalid', `commands 101 to 199 are the client's own, got ${cmd}`);
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
    const unsent = (this.#connector.channel?.unsent ?? 0) + this.#out.length + this.#pending.unsentBytes;
    if (unsent > maxUnsent) {
      return new ClientError('overload', `the server did not take ${unsent} bytes yet; send less at once or raise maxUnsent`);
    }
    return undefined;
  }

  /** Encodes into what leaves with this turn; without a connection returns the bytes to send later. */
  #encode(cmd: number, seq: number, data: string | Uint8Array, traceId: string): Uint8Array | undefined {
    const isUp = this.#connector.channel !== undefined;
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
    if (this.#out.length > 0) this.#connector.channel?.write(this.#out.take());
  }

  #late(seq: number, cmd: number, ms: number): void {
    const { host, port } = this.#settings;
    const { state } = this.#connector;
    const pending = this.#pending.take(seq);
    pending?.via?.missed();
    const why = pending?.unsent === undefined ? 'no answer' : 'no connection';
    const reason = state.name === 'disconnected' ? ` (${state.reason})` : '';
    pending?.reject(new ClientError('timeout', `${why} for command ${cmd} from ${host}:${port} within ${ms} ms${reason}`));
  }

  // ---- something comes ----

  #received(channel: Channel, frame: Frame): void {
    const answer = new Answer(frame.cmd, frame.seq, this.#settings.codec.read(frame));
    const pending = frame.seq === 0 ? undefined : this.#pending.take(frame.seq, channel);
    if (pending === undefined) tell(this.#pushes.get(answer.cmd), answer);
    else pending.resolve(answer);
  }

  // ---- connections come and go ----

  #up(channel: Channel): void {
    for (const bytes of this.#pending.takeUnsent(channel)) {
      this.#out.bytes(bytes);
      if (this.#out.length >= FLUSH_AT) this.#flush();
    }
    this.#flushSoon();
  }

  #down(channel: Channel, reason: string): void {
    if (this.#connector.channel === undefined) this.#out.clear();
    this.#pending.reject(channel, 'closed', `the connection was lost before the answer came: ${reason}`);
  }

  #kicked(error: ClientError): void {
    this.#out.clear();
    this.#pending.reject('all', error.code, error.message);
  }
}

const closedError = () => new ClientError('closed', 'the client is closed; make another one');
const byteLength = (data: string | Uint8Array): number => (typeof data === 'string' ? Buffer.byteLength(data) : data.length);

/** Adds a handler; each call counts on its own, also with the same function twice. Returns how to take it off. */
function register<T>(handlers: Set<(value: T) => void>, handler: (value: T) => void): () => void {
  const own = (value: T) => handler(value);
  handlers.add(own);
  return () => void handlers.delete(own);
}

/** Calls handlers of the user. What one throws must not stop what we are doing, and must not be lost either. */
function tell<T>(handlers: Iterable<(value: T) => void> | undefined, value: T): void {
  for (const handler of [...(handlers ?? [])]) {
    try {
      handler(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
