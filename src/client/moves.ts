// What a gate asked for with MOVE and is not done yet, and the pace at which such wishes are followed.

import { pauseMs, type ReconnectOptions } from './backoff.ts';
import { MAX_MS } from './options.ts';

/** The client goes on at another gate, as the one in use has asked. */
export interface Moved {
  /** Addresses as host:port. */
  readonly from: string;
  readonly to: string;
  /** False if the session could not be taken along: the application has to log in again. */
  readonly resumed: boolean;
}

export class Moves {
  readonly #pace: ReconnectOptions;
  readonly #onTime: () => void;
  #from: string | undefined;
  /** As performance.now() gives it. */
  #leaveAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = -Infinity;
  /** Those that followed each other without rest. */
  #inARow = 0;

  /** `onTime` is called when the time to leave by is over and the wish still stands. */
  constructor(pace: ReconnectOptions, onTime: () => void) {
    this.#pace = pace;
    this.#onTime = onTime;
  }

  get isAsked(): boolean {
    return this.#from !== undefined;
  }

  /** Time until the gate has to be left, in milliseconds; 0 when it is over or nobody asked. */
  get leftMs(): number {
    return this.isAsked ? Math.max(0, this.#leaveAt - performance.now()) : 0;
  }

  /**
   * The gate at `from` asks, in place of what was asked before. Returns how long to wait before the first try, in milliseconds: gates that send
   * us to each other must not see us run between them at full speed.
   */
  ask(from: string, leaveByMs: number): number {
    const withinMs = Math.min(leaveByMs, MAX_MS);
    this.settle();
    this.#from = from;
    this.#leaveAt = performance.now() + withinMs;
    this.#timer = setTimeout(this.#onTime, withinMs);
    const now = Date.now();
    this.#inARow = now - this.#lastAt > this.#pace.maxMs ? 0 : this.#inARow + 1;
    this.#lastAt = now;
    return this.#inARow === 0 ? 0 : Math.min(pauseMs(this.#inARow, this.#pace, Math.random()), withinMs / 2);
  }

  /** Forgets what was asked, which is done or cannot be done any more; returns who asked. */
  settle(): string | undefined {
    const from = this.#from;
    clearTimeout(this.#timer);
    this.#from = undefined;
    return from;
  }
}
