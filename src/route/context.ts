// One request on its way through a handler.

import { randomBytes } from 'node:crypto';
import type { Client } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import type { Frame } from '../wire/frame.ts';

/** A trace id goes into replies and log lines; what a client may call one is cut here, in characters. */
const MAX_TRACE_ID = 128;

/** Who can tell the id that a request has in traces: the codec of its connection. */
export interface Tracer {
  traceId(frame: Frame): string;
}

export class Context {
  readonly client: Client;
  readonly frame: Frame;
  readonly #tracer: Tracer;
  #traceId = '';
  #abort: AbortController | undefined;
  #aborted = false;

  constructor(client: Client, frame: Frame, tracer: Tracer) {
    this.client = client;
    this.frame = frame;
    this.#tracer = tracer;
  }

  get cmd(): number {
    return this.frame.cmd;
  }

  get session(): Session {
    return this.client.session;
  }

  /** What the client calls this request in its traces, or a name made for it: the one in log lines about it. */
  get traceId(): string {
    if (this.#traceId === '') {
      try {
        this.#traceId = this.#tracer.traceId(this.frame).slice(0, MAX_TRACE_ID);
      } catch {
        // a body that is not the dialect's has no trace id to give
      }
      if (this.#traceId === '') this.#traceId = randomBytes(8).toString('hex');
    }
    return this.#traceId;
  }

  /** Aborted when nobody waits for the reply any more: the deadline passed or the client left. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  /** @internal */
  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }
}
