// How requests were answered, in words: latencies and codes. Pure.

import { quantile, SLOWEST_SECONDS } from './rates.ts';
import { duration, whole } from './terminal.ts';

/** A quantile for people; more than the histogram can tell is shown as such. */
export function latency(buckets: readonly number[], q: number): string {
  const seconds = quantile(buckets, q);
  return seconds === Infinity ? `>${SLOWEST_SECONDS} s` : duration(seconds);
}

/** How often each code was answered, those of `left` left out. */
export function codesBut(codes: Readonly<Record<string, number>>, left: readonly number[]): string {
  return Object.entries(codes)
    .filter(([code]) => !left.includes(Number(code)))
    .map(([code, n]) => `${code === '-1' ? 'others' : code}: ${whole(n)}`)
    .join(', ');
}
