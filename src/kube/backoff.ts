// How long to wait before the next try: longer after each failure in a row, and never in step with others.

export interface BackoffRules {
  /** Before the first try again, in milliseconds. */
  readonly minMs: number;
  /** What it grows to, in milliseconds. */
  readonly maxMs: number;
}

/** What a wait differs from its rule by, at most: a fifth. */
const JITTER = 0.2;
/** Keeps 2^n finite. */
const MAX_DOUBLINGS = 30;

/** Milliseconds to wait after `failures` in a row (1 is the first). `random` is a number from 0 to 1. */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffRules, random: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), MAX_DOUBLINGS);
  return jittered(Math.min(maxMs, minMs * 2 ** doublings), random);
}

/** A time that differs by up to a fifth. */
export function jittered(ms: number, random: number): number {
  return Math.round(ms * (1 - JITTER + 2 * JITTER * random));
}
