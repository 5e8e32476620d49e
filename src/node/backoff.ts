// When a dead worker is started again: soon at first, later each time it dies at once, and after too many times not for a while.

import type { NodeConfig } from '../config/node-config.ts';

export type BackoffRules = Pick<NodeConfig, 'restart_min_ms' | 'restart_max_ms' | 'restart_limit' | 'restart_window_ms' | 'held_ms'>;

/** Keeps 2^n finite; no maximum is ever that far from a minimum. */
const MAX_DOUBLINGS = 30;

export class Backoff {
  #deaths = 0;

  /** Deaths in a row, each within restart_window_ms of its start. */
  get deaths(): number {
    return this.#deaths;
  }

  /** A worker died `livedMs` after its start. `held` says that it did so too often in a row and that the node is not ready. */
  died(livedMs: number, rules: BackoffRules): { againInMs: number; held: boolean } {
    this.#deaths = livedMs > rules.restart_window_ms ? 0 : this.#deaths + 1;
    if (rules.restart_limit > 0 && this.#deaths >= rules.restart_limit) return { againInMs: rules.held_ms, held: true };
    const doublings = Math.min(Math.max(this.#deaths - 1, 0), MAX_DOUBLINGS);
    return { againInMs: Math.min(rules.restart_max_ms, rules.restart_min_ms * 2 ** doublings), held: false };
  }
}
