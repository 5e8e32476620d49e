// Connections that have used up their rate and are woken when they may go on.

import type { Connection } from '../net/connection.ts';
import type { Ledger } from '../ops/ledger.ts';

export class Throttle {
  readonly #timers = new Map<Connection, NodeJS.Timeout>();
  readonly #ledger: Ledger;
  readonly #wake: (connection: Connection) => void;

  constructor(ledger: Ledger, wake: (connection: Connection) => void) {
    this.#ledger = ledger;
    this.#wake = wake;
  }

  /** Wakes the connection once, however often it is asked for meanwhile. True if this was the first time. */
  hold(connection: Connection, ms: number): boolean {
    if (this.#timers.has(connection)) return false;
    this.#ledger.timers.take();
    const timer = setTimeout(() => {
      this.forget(connection);
      this.#wake(connection);
    }, ms);
    this.#timers.set(connection, timer);
    return true;
  }

  forget(connection: Connection): void {
    const timer = this.#timers.get(connection);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(connection);
    this.#ledger.timers.give();
  }
}
