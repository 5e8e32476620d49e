// Keeps the requests of this process to a rate that an API server bears: some at once, then so many in a second, first come first served.

import { pause, type Clock } from './clock.ts';

export interface RateRules {
  readonly perSecond: number;
  /** At once, after a while without any; at least 1. */
  readonly burst: number;
}

/** May be shared by several clients. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** When the bucket would be full again, if nobody came any more. */
  #fullAt: number;

  constructor({ perSecond, burst }: RateRules, clock: Clock) {
    this.#clock = clock;
    this.#intervalMs = 1000 / perSecond;
    this.#burstMs = burst * this.#intervalMs;
    this.#fullAt = clock.now();
  }

  /**
   * Resolves when it is this one's turn, or as soon as the signal is given, with the milliseconds that it took. Undefined, and at once, if its
   * turn would not come within `withinMs`.
   */
  async turn(withinMs: number, signal?: AbortSignal): Promise<number | undefined> {
    const now = this.#clock.now();
    const fullAt = Math.max(now, this.#fullAt) + this.#intervalMs;
    const waitMs = Math.max(0, fullAt - this.#burstMs - now);
    if (waitMs > withinMs) return undefined;
    this.#fullAt = fullAt;
    if (waitMs > 0) await pause(this.#clock, waitMs, signal);
    // whoever does not go leaves the place to others
    if (signal?.aborted === true) this.#fullAt -= this.#intervalMs;
    return this.#clock.now() - now;
  }
}
