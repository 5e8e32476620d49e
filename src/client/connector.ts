// Keeps one link to the server: opens it, notices that it is lost, and opens it again after a pause.

import { pauseMs } from './backoff.ts';
import { ClientError } from './error.ts';
import type { Settings } from './options.ts';
import type { ClientState } from './state.ts';
import type { Link } from './transport.ts';

export interface ConnectorEvents {
  state(state: ClientState): void;
  up(): void;
  data(bytes: Buffer): void;
  /** The link that was up is gone. */
  down(reason: string): void;
  /** A try failed and no other follows by itself. */
  gaveUp(error: ClientError): void;
  /** Asked after a failure: does anybody wait for a connection? */
  isWanted(): boolean;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

const INITIAL: ClientState = { name: 'disconnected', reason: 'not connected yet' };

export class Connector {
  readonly #settings: Settings;
  readonly #events: ConnectorEvents;
  #state: ClientState = INITIAL;
  #link: Link | undefined;
  #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Once there was a connection, there shall be one again. */
  #wasUp = false;
  #upSince = 0;
  /** Why the link is being ended by us. */
  #cause: string | undefined;
  #gone: (() => void) | undefined;

  constructor(settings: Settings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The link while it is up. */
  get link(): Link | undefined {
    return this.#state.name === 'connected' ? this.#link : undefined;
  }

  /** Resolves when connected. Tries now, also in a pause between tries, and rejects when this try fails. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state.name === 'closed') return reject(new ClientError('closed', 'the client is closed; make another one'));
      if (this.#state.name === 'connected') return resolve();
      this.#waiters.push({ resolve, reject });
      if (this.#state.name !== 'connecting') this.#try();
    });
  }

  /** Begins to connect, unless that has begun. */
  open(): void {
    if (this.#state.name === 'disconnected') this.#try();
  }

  /** Ends a link on which nothing can be understood any more. */
  abandon(reason: string): void {
    this.#cause = reason;
    this.#link?.destroy();
  }

  /** Ends the link after what was written to it, and destroys it if it is not gone after `lingerMs`. */
  async close(lingerMs: number): Promise<void> {
    clearTimeout(this.#timer);
    const link = this.#link;
    const wasUp = this.link !== undefined;
    this.#become({ name: 'closed' });
    for (const { reject } of this.#waiters.splice(0)) reject(new ClientError('closed', 'the client was closed'));
    if (link === undefined) return;
    const gone = new Promise<void>((resolve) => (this.#gone = resolve));
    if (wasUp) link.end();
    else link.destroy();
    const timer = setTimeout(() => link.destroy(), lingerMs);
    await gone;
    clearTimeout(timer);
  }

  #try(): void {
    const { host, port, connectTimeoutMs, transport } = this.#settings;
    clearTimeout(this.#timer);
    this.#cause = undefined;
    this.#become({ name: 'connecting' });
    if (!this.#stands('connecting')) return;
    this.#timer = setTimeout(() => {
      this.abandon(`no connection within ${connectTimeoutMs} ms; check host and port, and what stands in between`);
    }, connectTimeoutMs);
    let wasUp = false;
    this.#link = transport.connect(
      { host, port },
      {
        opened: () => {
          if (this.#state.name === 'closed') return;
          wasUp = true;
          this.#opened();
        },
        data: (bytes) => {
          if (this.#state.name === 'closed') return;
          // a server that answers is worth a quick return
          this.#attempt = 0;
          this.#events.data(bytes);
        },
        closed: (error) => this.#closed(wasUp, error),
      },
    );
  }

  #opened(): void {
    clearTimeout(this.#timer);
    this.#wasUp = true;
    this.#upSince = Date.now();
    this.#state = { name: 'connected' };
    // what waited goes before what is sent by those who hear of the new state
    this.#events.up();
    this.#events.state(this.#state);
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #closed(wasUp: boolean, error: Error | undefined): void {
    clearTimeout(this.#timer);
    this.#link = undefined;
    const reason = this.#cause ?? error?.message ?? 'the server closed the connection';
    if (this.#state.name === 'closed') {
      this.#gone?.();
      return;
    }
    const { host, port, reconnect } = this.#settings;
    const waiters = this.#waiters.splice(0);
    this.#become({ name: 'disconnected', reason });
    if (wasUp) {
      // a server that lets us in and closes at once must not see us come back at full speed
      if (reconnect !== false && Date.now() - this.#upSince > reconnect.maxMs) this.#attempt = 0;
      this.#events.down(reason);
    }
    const failure = new ClientError('connect', `cannot connect to ${host}:${port}: ${reason}`, { cause: error });
    for (const { reject } of waiters) reject(failure);
    this.#again(failure);
  }

  #again(failure: ClientError): void {
    const { reconnect } = this.#settings;
    if (!this.#stands('disconnected')) return;
    if (reconnect === false) return this.#events.gaveUp(failure);
    if (!this.#wasUp && !this.#events.isWanted()) return;
    const inMs = pauseMs(++this.#attempt, reconnect, Math.random());
    this.#become({ name: 'reconnecting', attempt: this.#attempt, inMs });
    if (!this.#stands('reconnecting')) return;
    this.#timer = setTimeout(() => this.#try(), inMs);
  }

  /** False if whoever was told of a state has acted already, so that it is another one now. */
  #stands(name: ClientState['name']): boolean {
    return this.#state.name === name;
  }

  #become(state: ClientState): void {
    this.#state = state;
    this.#events.state(state);
  }
}
