// The clock that everything that waits is given, so that tests can move it.

export interface Clock {
  /** Milliseconds since some moment. They only go on, also while the process stands still and when the time of day is set. */
  now(): number;
  /** The time of day: for what people and other programs read. */
  wall(): Date;
  /** Calls back once, after `ms`; returns what calls it off. */
  after(ms: number, call: () => void): () => void;
}

/** Beyond it setTimeout fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => new Date(),
  after: (ms, call) => {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), LONGEST_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or as soon as the signal is given. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal?.aborted === true) return Promise.resolve();
  const callOff = clock.after(ms, done);
  signal?.addEventListener('abort', done, { once: true });
  function done(): void {
    callOff();
    signal?.removeEventListener('abort', done);
    resolve();
  }
  return promise;
}
