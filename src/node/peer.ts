// What the data path keeps for each connection beside the connection itself.

import type { Connection } from '../net/connection.ts';
import { TokenBucket } from '../net/limits.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Client } from '../session/client.ts';
import type { Limits } from './limits.ts';

export class Peer {
  readonly client: Client;
  readonly #ledger: Ledger;
  #bucket: TokenBucket | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client, ledger: Ledger) {
    this.client = client;
    this.#ledger = ledger;
  }

  /** 0 if the client may have one more request handled now, or the milliseconds until it may (request_rate). */
  throttleMs({ requestRate, requestBurst }: Limits, now: number): number {
    if (requestRate === 0) return 0;
    this.#bucket ??= new TokenBucket(requestRate, requestBurst, now);
    return this.#bucket.take(now) ? 0 : Math.max(1, this.#bucket.waitMs(now));
  }

  /** Calls back after a while, once, however often it is asked for meanwhile. True if this was the first time. */
  wakeIn(ms: number, wake: () => void): boolean {
    if (this.#timer !== undefined) return false;
    this.#ledger.timers.take();
    this.#timer = setTimeout(() => {
      this.release();
      wake();
    }, ms);
    return true;
  }

  /** Nobody is to be called back any more. */
  release(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ledger.timers.give();
  }
}

export function peerOf(connection: Connection): Peer {
  return connection.owner as Peer;
}
