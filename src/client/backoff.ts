// How long to wait before the next try to connect: longer with each failure, and never all clients at the same moment.

export interface ReconnectOptions {
  /** First pause, in milliseconds. */
  minMs: number;
  /** Longest pause, in milliseconds. */
  maxMs: number;
  /** What each failure multiplies the pause with, 1 or more. */
  factor: number;
  /** Share of the pause that is left to chance, 0 to 1: with 0.5 a pause of 100 ms becomes 50 to 100 ms. */
  jitter: number;
}

/** The pause before try number `attempt` (from 1); `random` is in 0..1. */
export function pauseMs(attempt: number, { minMs, maxMs, factor, jitter }: ReconnectOptions, random: number): number {
  const full = Math.min(maxMs, minMs * factor ** (attempt - 1));
  return Math.round(full * (1 - jitter * random));
}
