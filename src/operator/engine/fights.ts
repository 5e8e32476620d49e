// Objects that somebody else changes again and again: they are put right more and more seldom, or both would write for ever.

import { backoffMs, type BackoffRules } from '../../kube/backoff.ts';
import type { Clock } from '../../kube/clock.ts';

/** So often in a row an object is put right at once. */
const FREE = 5;
const BACKOFF: BackoffRules = { minMs: 1000, maxMs: 60_000 };
/** After so long without it is forgotten. */
const QUIET_MS = 600_000;

export class Fights {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly times: number; readonly last: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long to wait before an object is put right again, in milliseconds; 0: not at all. */
  waitMs(id: string): number {
    const { times = 0, last = 0 } = this.#known.get(id) ?? {};
    if (times < FREE) return 0;
    return Math.max(0, last + backoffMs(times - FREE + 1, BACKOFF, 0.5) - this.#clock.now());
  }

  /** It was put right. */
  corrected(id: string): void {
    const now = this.#clock.now();
    const { times = 0, last = now } = this.#known.get(id) ?? {};
    this.#known.set(id, { times: now - last > QUIET_MS ? 1 : times + 1, last: now });
  }

  /** It is gone. */
  forget(id: string): void {
    this.#known.delete(id);
  }
}
