// A small client of the Kubernetes API: JSON in, JSON out, nothing dropped, a deadline on everything.

import { pause, systemClock, type Clock } from './clock.ts';
import { Connections } from './connections.ts';
import { KubeError, type KubeStatus } from './error.ts';
import { Exchange, type Answer, type ExchangeOptions, type Method } from './exchange.ts';
import type { RateLimiter } from './limiter.ts';
import { Lines } from './lines.ts';
import type { WatchEvent } from './types.ts';
import { eventOf } from './watch-line.ts';

export type { Method } from './exchange.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** Of the body; default application/json. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** For the whole of it, tries again included; default that of the client. */
  readonly timeoutMs?: number;
}

export interface WatchOptions {
  readonly query?: Query;
  readonly signal: AbortSignal;
  /** The watch is given up when nothing comes for so long, bookmarks included. */
  readonly silenceMs: number;
  /** The server has begun to answer: nothing may come for a long time now. */
  readonly opened?: (() => void) | undefined;
}

export interface KubeClientOptions extends ExchangeOptions {
  readonly clock?: Clock;
  /** For requests that say nothing of their own, in milliseconds; default 15,000. */
  readonly timeoutMs?: number;
  /** Bytes of an answer, and of one line of a watch; default 32 MiB. */
  readonly maxBody?: number;
  /** Of everything but watches; default: none. */
  readonly limiter?: RateLimiter;
  /** How long a request waited for its turn at the limiter. */
  readonly limited?: (method: Method, seconds: number) => void;
}

/** Of one request, when the server asks to come again or a kept connection turns out to be closed. */
const MAX_TRIES = 4;

export class KubeClient {
  readonly namespace: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #maxBody: number;
  readonly #connections: Connections;
  readonly #exchange: Exchange;
  readonly #options: KubeClientOptions;

  constructor(options: KubeClientOptions) {
    const { access, clock = systemClock, timeoutMs = 15_000, maxBody = 32 << 20 } = options;
    this.namespace = access.namespace;
    this.#options = options;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#maxBody = maxBody;
    this.#connections = new Connections(access.server);
    this.#exchange = new Exchange(options, clock, this.#connections);
  }

  /** Resolves with the object that the server answers. Throws a KubeError. */
  async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    const text = await this.#ask(method, path, options);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw KubeError.own('BadAnswer', `cannot ${verbs[method]} ${path}: the answer is not JSON: ${text.slice(0, 80)}`, error);
    }
  }

  get<T>(path: string, options?: RequestOptions): Promise<T> {
    return this.request('GET', path, options);
  }

  /** What is no object, such as logs, as it comes. Throws a KubeError. */
  text(path: string, options?: RequestOptions): Promise<string> {
    return this.#ask('GET', path, options);
  }

  async #ask(method: Method, path: string, options: RequestOptions = {}): Promise<string> {
    const { query, body, contentType, signal, timeoutMs = this.#timeoutMs } = options;
    const doing = `cannot ${verbs[method]} ${path}`;
    const end = this.#clock.now() + timeoutMs;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    let refused = false;
    for (let tries = 1; ; tries++) {
      try {
        await this.#turn(method, doing, end - this.#clock.now(), signal);
        const left = end - this.#clock.now();
        const asked = { method, path: withQuery(path, query), body: bytes, contentType, signal, refused, use: 'requests' as const };
        const answer = await this.#exchange.ask(asked, doing, left);
        return await this.#read(answer, doing, end);
      } catch (error) {
        const waitMs = tries < MAX_TRIES ? againAfter(error, method, refused) : undefined;
        if (waitMs === undefined || this.#clock.now() + waitMs >= end) throw error;
        refused = (error as KubeError).status === 401;
        // where one connection turned out to be closed others may be too
        if ((error as KubeError).reason === 'Stale') this.#connections.dropIdle();
        if (waitMs > 0) await pause(this.#clock, waitMs, signal);
      }
    }
  }

  /**
   * What changes, line by line, until the server ends the watch. Throws a KubeError when it breaks off, goes silent, or the server says
   * that it can not go on (410: list again).
   */
  async *watch<T>(path: string, { query, signal, silenceMs, opened }: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const doing = `cannot watch ${path}`;
    const asked = { method: 'GET' as const, path: withQuery(path, { ...query, watch: true }), signal, use: 'watches' as const };
    let refused = false;
    for (;;) {
      const answer = await this.#exchange.ask({ ...asked, refused }, doing, this.#timeoutMs);
      if (answer.code === 200) {
        opened?.();
        return yield* this.#events<T>(answer, doing, silenceMs);
      }
      const error = await this.#refusal(answer, doing, this.#clock.now() + this.#timeoutMs);
      if (error.status !== 401 || refused) throw error;
      refused = true;
    }
  }

  close(): void {
    this.#connections.close();
  }

  async #turn(method: Method, doing: string, withinMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { limiter, limited } = this.#options;
    if (limiter === undefined) return;
    const waitedMs = await limiter.turn(withinMs, signal);
    if (waitedMs === undefined) throw KubeError.own('Timeout', `${doing}: too many requests wait before it for its turn to come in time`);
    limited?.(method, waitedMs / 1000);
  }

  async *#events<T>(answer: Answer, doing: string, silenceMs: number): AsyncGenerator<WatchEvent<T>> {
    const lines = new Lines(this.#maxBody);
    const silent = () => answer.fail(KubeError.own('Silent', `${doing}: nothing came for ${silenceMs} ms`));
    let callOff = this.#clock.after(silenceMs, silent);
    try {
      for await (const chunk of answer.chunks()) {
        callOff();
        callOff = this.#clock.after(silenceMs, silent);
        for (const line of lines.push(chunk)) yield eventOf<T>(line, doing);
      }
      if (lines.isOpen) throw KubeError.own('Cut', `${doing}: it ended in the middle of a line`);
    } finally {
      callOff();
      answer.end();
    }
  }

  async #read(answer: Answer, doing: string, end: number): Promise<string> {
    if (answer.code < 200 || answer.code > 299) throw await this.#refusal(answer, doing, end);
    return this.#text(answer, doing, end);
  }

  async #refusal(answer: Answer, doing: string, end: number): Promise<KubeError> {
    const text = await this.#text(answer, doing, end);
    let status: KubeStatus = { message: `the API server answered ${answer.code}: ${text.slice(0, 200)}` };
    try {
      const said = JSON.parse(text) as KubeStatus | null;
      if (said?.kind === 'Status') status = said;
    } catch {
      // a proxy in between answers with a page: its beginning is all there is to say
    }
    return KubeError.answered(doing, answer.code, status, answer.retryAfter);
  }

  async #text(answer: Answer, doing: string, end: number): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    const late = () => answer.fail(KubeError.own('Timeout', `${doing}: the answer did not come to its end in time`));
    const callOff = this.#clock.after(end - this.#clock.now(), late);
    try {
      for await (const chunk of answer.chunks()) {
        length += chunk.length;
        if (length > this.#maxBody) throw KubeError.own('TooLarge', `${doing}: the answer has more than ${this.#maxBody} bytes`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, length).toString();
    } finally {
      callOff();
      answer.end();
    }
  }
}

const verbs = { GET: 'get', POST: 'create', PUT: 'replace', PATCH: 'change', DELETE: 'delete' } as const;

function withQuery(path: string, query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}

/** Milliseconds after which the same request may be sent again, or undefined: the caller is told. */
function againAfter(error: unknown, method: Method, refused: boolean): number | undefined {
  if (!(error instanceof KubeError)) return undefined;
  if (error.status === 401) return refused ? undefined : 0;
  // nothing was done by a server that says when to come again
  if (error.status === 429 || error.status === 503) return error.retryAfterMs;
  // a kept connection that the server had closed already; what creates might be done twice
  return error.reason === 'Stale' && method !== 'POST' ? 0 : undefined;
}
