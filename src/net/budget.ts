// The memory that the connections of one worker may hold together: frames that are not finished and bytes that are not sent.
// Above it those who hold most go first, and nobody new is let in until there is room again.

import { Account } from '../ops/ledger.ts';
import type { Connection } from './connection.ts';

/** Below this share of the budget a worker that was full lets connections in again. */
const LOW_WATER = 0.8;

export class MemoryBudget {
  limit: number;
  #used = 0;
  readonly #accounts = new Map<Connection, number>();
  #full = false;

  readonly #ledger: Account;

  /** `limit` in bytes; 0 means none. `ledger` is the account of the ledger that what is held is written to. */
  constructor(limit: number, ledger = new Account()) {
    this.limit = limit;
    this.#ledger = ledger;
  }

  get used(): number {
    return this.#used;
  }

  /** True from the moment the budget is exceeded until there is room again. */
  get isFull(): boolean {
    if (this.#full && this.#used <= this.limit * LOW_WATER) this.#full = false;
    return this.#full;
  }

  /** Notes what a connection holds now. Costs a map lookup only for those that hold something. */
  note(connection: Connection, bytes: number): void {
    const before = this.#accounts.get(connection) ?? 0;
    if (before === bytes) return;
    this.#used += bytes - before;
    if (bytes === 0) {
      this.#accounts.delete(connection);
      this.#ledger.give(before);
      return;
    }
    this.#accounts.set(connection, bytes);
    if (before === 0) this.#ledger.take(bytes);
    else this.#ledger.grow(bytes - before);
  }

  forget(connection: Connection): void {
    this.note(connection, 0);
  }

  /** The connections to end so that the rest fits, the largest first; empty while everything fits. */
  offenders(): Connection[] {
    if (this.limit === 0 || this.#used <= this.limit) return [];
    this.#full = true;
    const out: Connection[] = [];
    let used = this.#used;
    for (const [connection, bytes] of [...this.#accounts].sort((a, b) => b[1] - a[1])) {
      if (used <= this.limit * LOW_WATER) break;
      out.push(connection);
      used -= bytes;
    }
    return out;
  }
}
