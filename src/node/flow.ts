// Back-pressure: reading from a connection stops while it has too much in flight or unsent, and goes on below; whoever holds far too
// much is closed, and the largest first when all together hold too much.

import { MemoryBudget } from '../net/budget.ts';
import type { Connection } from '../net/connection.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
import type { Limits, LimitKey } from './limits.ts';

/** While a handler keeps a connection waiting, this much more is read from it; enough for the next burst, too little to hurt. */
const READ_AHEAD = 64 * 1024;

export class Flow {
  readonly budget: MemoryBudget;
  readonly #stats: Stats;
  readonly #log: Logger;

  constructor(workerMemory: number, ledger: Ledger, stats: Stats, log: Logger) {
    this.budget = new MemoryBudget(workerMemory, ledger.buffers);
    this.#stats = stats;
    this.#log = log;
  }

  /** Looks at what a connection holds and does what follows. One that leaves is not read while something is in flight. */
  judge(connection: Connection, limits: Limits, now: number): void {
    if (connection.state !== 'open') return this.budget.forget(connection);
    const unsent = connection.socket.writableLength;
    const { held } = connection.decoder;
    const all = unsent + connection.parked + held;
    // most hold nothing before and after: no look into a map for them. The budget is one of clients: closing a link would fail many
    if (all !== connection.accounted && !connection.isLink) {
      connection.accounted = all;
      this.budget.note(connection, all);
    }
    const isSlow = unsent > limits.outgoingLimit;
    if (!isSlow) connection.slowSince = 0;
    else if (connection.slowSince === 0) {
      connection.slowSince = Math.trunc(now);
      this.#limit('outgoing_limit');
    }
    if (unsent > limits.outgoingBurst && !connection.isLink) {
      this.#limit('outgoing_burst');
      return connection.destroy('outgoing');
    }
    const isLeaving = connection.moving || connection.ending !== undefined;
    const isBusy = connection.slots !== undefined && connection.slots.length > 0;
    // whoever began with HELLO is read on for its heartbeats
    const isStopped = (connection.waiting !== undefined || (isBusy && isLeaving)) && connection.greeted === undefined;
    const hasEnough = (isBusy || connection.waiting !== undefined) && held > READ_AHEAD;
    if (isSlow || isStopped || hasEnough) this.#pause(connection);
    else if (connection.paused) {
      // its frame could not be finished while nobody read: the time for that begins now
      if (connection.unfinishedSince > 0) connection.unfinishedSince = Math.trunc(now);
      this.unpause(connection);
    }
    if (this.budget.used > this.budget.limit) this.#shed();
  }

  forget(connection: Connection): void {
    this.budget.forget(connection);
    this.unpause(connection);
  }

  #pause(connection: Connection): void {
    if (connection.paused) return;
    this.#stats.paused++;
    connection.pause();
  }

  unpause(connection: Connection): void {
    if (!connection.paused) return;
    this.#stats.paused--;
    connection.resume();
  }

  #shed(): void {
    for (const connection of this.budget.offenders()) {
      this.#limit('worker_memory');
      this.#log.warn('connection closed: worker_memory is exceeded', { client: connection.id, remote: connection.remote });
      connection.destroy('memory');
      // at once, or it would be closed again by whoever looks before its socket is gone
      this.budget.forget(connection);
    }
  }

  #limit(key: LimitKey): void {
    this.#stats.countLimit(key);
  }
}
