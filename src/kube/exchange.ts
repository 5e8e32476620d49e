// One request over HTTP up to the head of its answer, with its deadline, and the bytes that follow.

import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Credentials, KubeAccess } from './access.ts';
import type { Clock } from './clock.ts';
import type { Connections } from './connections.ts';
import { KubeError } from './error.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What became of a request, for metrics: `code` is that of HTTP, or "<error>" where none came. */
export interface Seen {
  readonly method: Method;
  readonly host: string;
  readonly code: string;
  readonly seconds: number;
}

export interface ExchangeOptions {
  readonly access: KubeAccess;
  /** Asked right before the first byte of everything that is not a GET leaves; throws when it must not. */
  readonly beforeWrite?: () => void;
  readonly observe?: (seen: Seen) => void;
  readonly userAgent?: string;
}

export interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly body?: Buffer | undefined;
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The server did not take the credentials of the try before. */
  readonly refused: boolean;
  readonly use: 'requests' | 'watches';
}

/** The head of an answer; read it to its end or end() it. */
export interface Answer {
  readonly code: number;
  readonly retryAfter: string | undefined;
  /** Throws a KubeError when it breaks off. */
  chunks(): AsyncIterable<Buffer>;
  /** Breaks off: chunks() throws this. */
  fail(error: KubeError): void;
  /** Nothing more is wanted. */
  end(): void;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #clock: Clock;
  readonly #connections: Connections;

  constructor(options: ExchangeOptions, clock: Clock, connections: Connections) {
    this.#options = options;
    this.#clock = clock;
    this.#connections = connections;
  }

  /** Resolves with the head of the answer. Throws a KubeError when none comes within `ms`. */
  async ask(asked: Asked, doing: string, ms: number): Promise<Answer> {
    const { access, observe } = this.#options;
    const { method, signal } = asked;
    const begin = this.#clock.now();
    const head = Promise.withResolvers<http.IncomingMessage>();
    let request: http.ClientRequest | undefined;
    let isOver = false;
    const giveUp = (error: KubeError) => {
      isOver = true;
      head.reject(error);
      request?.destroy(error);
    };
    const callOff = this.#clock.after(ms, () => {
      giveUp(KubeError.own('Timeout', `${doing}: no answer within ${Math.round(ms)} ms`));
      this.#connections.dropIdle();
    });
    const stop = () => giveUp(aborted(doing));
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    let code = '<error>';
    try {
      const credentials = await Promise.race([this.#credentials(asked.refused, doing), head.promise.then(() => undefined)]);
      if (credentials !== undefined && !isOver) request = this.#send(asked, credentials, doing, head);
      const response = await head.promise;
      code = String(response.statusCode);
      return answerOf(response, doing, signal);
    } finally {
      callOff();
      signal?.removeEventListener('abort', stop);
      observe?.({ method, host: access.server.host, code, seconds: (this.#clock.now() - begin) / 1000 });
    }
  }

  async #credentials(refused: boolean, doing: string): Promise<Credentials> {
    try {
      return await this.#options.access.credentials(refused);
    } catch (error) {
      throw KubeError.own('Unreachable', `${doing}: the credentials can not be read: ${(error as Error).message}`, error);
    }
  }

  #send(
    { method, path, body, contentType, use }: Asked,
    { headers, tls, agent }: Credentials,
    doing: string,
    head: PromiseWithResolvers<http.IncomingMessage>,
  ): http.ClientRequest {
    const { access, userAgent = 'kimserver', beforeWrite } = this.#options;
    const { server } = access;
    const ask = server.protocol === 'https:' ? https.request : http.request;
    const request = ask(new URL(server.pathname.replace(/\/$/, '') + path, server), {
      method,
      agent: agent ?? this.#connections.agent(use, tls),
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': userAgent,
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json', 'content-length': body.length }),
      },
    });
    request.on('response', head.resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      const wasKept = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      head.reject(
        error instanceof KubeError ? error : KubeError.own(wasKept ? 'Stale' : 'Unreachable', `${doing}: ${error.message}`, error),
      );
    });
    const send = () => {
      try {
        if (method !== 'GET') beforeWrite?.();
        request.end(body);
      } catch (error) {
        head.reject(error);
        request.destroy();
      }
    };
    // not before it has a connection that is ready: until then it might wait for long, and not be allowed any more
    request.on('socket', (socket: Socket & { readonly secureConnecting?: boolean }) => {
      if (socket.secureConnecting === true) socket.once('secureConnect', send);
      else if (socket.connecting) socket.once('connect', send);
      else send();
    });
    return request;
  }
}

function answerOf(response: http.IncomingMessage, doing: string, signal: AbortSignal | undefined): Answer {
  // whoever reads it is told by its iterator; before anybody does, nobody must be
  response.on('error', () => undefined);
  const stop = () => response.destroy(aborted(doing));
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  return {
    code: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    async *chunks() {
      try {
        yield* response as AsyncIterable<Buffer>;
        if (!response.complete) throw new Error('the answer broke off');
      } catch (error) {
        throw error instanceof KubeError ? error : KubeError.own('Cut', `${doing}: ${(error as Error).message}`, error);
      }
    },
    fail: (error) => response.destroy(error),
    end: () => {
      signal?.removeEventListener('abort', stop);
      if (!response.complete) response.destroy();
    },
  };
}

function aborted(doing: string): KubeError {
  return KubeError.own('Aborted', `${doing}: given up, since this process stops`);
}
