// How many requests a second one connection may make: a token bucket in two whole numbers of the connection itself, because this is
// looked at for every request.

/** What the bucket of a connection is made of. */
export interface Paced {
  /** Thousandths of a request that are left at `creditAt`. Negative: nothing was asked for yet. */
  credit: number;
  creditAt: number;
}

const ONE = 1000;

/** 0 if one more request may be handled at `now` (whole milliseconds), or the milliseconds until one may. Rate 0 always lets through. */
export function paceMs(paced: Paced, ratePerSecond: number, burst: number, now: number): number {
  if (ratePerSecond === 0) return 0;
  const most = burst * ONE;
  if (paced.credit < 0) paced.credit = most;
  else if (now > paced.creditAt) paced.credit = Math.min(most, paced.credit + (now - paced.creditAt) * ratePerSecond);
  paced.creditAt = now;
  if (paced.credit >= ONE) {
    paced.credit -= ONE;
    return 0;
  }
  return Math.max(1, Math.ceil((ONE - paced.credit) / ratePerSecond));
}
