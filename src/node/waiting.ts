// A request whose handler has promised an answer: its slot among the replies of its connection, with a deadline.

import type { Slot } from '../net/connection.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Stats } from '../ops/stats.ts';
import type { Context } from '../route/context.ts';

const NO_REPLY = Buffer.alloc(0);

export class Waiting implements Slot {
  readonly concurrent: number;
  done: Buffer | undefined;
  readonly #ctx: Context;
  readonly #ledger: Ledger;
  readonly #stats: Stats;
  #timer: NodeJS.Timeout | undefined;

  constructor(ctx: Context, concurrent: number, ledger: Ledger, stats: Stats) {
    this.concurrent = concurrent;
    this.#ctx = ctx;
    this.#ledger = ledger;
    this.#stats = stats;
    stats.inFlight++;
    ledger.messages.take();
  }

  /** True once there is a reply, or nobody wants one any more. */
  get isOver(): boolean {
    return this.done !== undefined;
  }

  get bytes(): number {
    return this.done?.length ?? 0;
  }

  /** Calls back if the answer is not there in time; 0 waits for ever. */
  within(ms: number, late: () => void): void {
    if (ms === 0) return;
    this.#ledger.timers.take();
    this.#timer = setTimeout(late, ms);
  }

  settle(reply: Buffer): void {
    this.done = reply;
    this.#stats.inFlight--;
    this.#ledger.messages.give();
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#ledger.timers.give();
  }

  cancel(): void {
    if (!this.isOver) this.settle(NO_REPLY);
    this.#ctx.abort();
  }
}
