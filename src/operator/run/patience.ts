// Waits for an API server that is away: to end and to be started again takes longer each time, and might then miss its return for minutes.

import { backoffMs, type BackoffRules } from '../../kube/backoff.ts';
import { pause, systemClock, type Clock } from '../../kube/clock.ts';
import { isAway } from '../../kube/error.ts';
import type { Logger } from '../../ops/log.ts';

const BACKOFF: BackoffRules = { minMs: 500, maxMs: 10_000 };

/** Resolves with what `work` does in the end. Throws what has nothing to do with a server that is away. */
export async function patiently<T>(work: () => Promise<T>, log: Logger, clock: Clock = systemClock): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(failures, BACKOFF, Math.random()));
      log.warn('the API server is not reached', { waitMs, problem: error.message });
      await pause(clock, waitMs);
    }
  }
}
