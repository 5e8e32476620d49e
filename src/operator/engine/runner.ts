// Takes keys from the queue and looks at each, several at a time but never one twice at once; what comes of it decides when to look again.

import { pause, type Clock } from '../../kube/clock.ts';
import { KubeError } from '../../kube/error.ts';
import type { Logger } from '../../ops/log.ts';
import type { Queue } from './queue.ts';

/** When to look again though nothing changed, in milliseconds; without it only changes and the resync bring a key back. */
export type Result = { readonly againMs?: number } | void;

export type Outcome = 'success' | 'error' | 'requeue' | 'requeue_after';

/** For what no try again can mend: it is counted and told, and waits for a change. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** What we know is older than what we wrote: look again in a moment. It is no failure. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}

/** Some of it could not be done, and the rest was: the next look waits no longer than it would have without the failure. */
export class UnfinishedError extends AggregateError {
  override readonly name = 'UnfinishedError';
  /** In milliseconds. */
  readonly againMs: number;

  constructor(errors: readonly Error[], againMs: number) {
    super(errors, errors.map(({ message }) => message).join('; '));
    this.againMs = againMs;
  }
}

export interface RunnerObserver {
  ran?(outcome: Outcome, seconds: number): void;
  terminal?(): void;
  timedOut?(): void;
  /** It failed by a mistake of ours. */
  panicked?(): void;
}

export interface RunnerOptions {
  readonly queue: Queue;
  /** `signal`: its time is over, or this process stops. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Result>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Keys at a time; default 4. */
  readonly concurrency?: number;
  /** After which a reconcile is told to give up, in milliseconds; default 60,000. */
  readonly timeoutMs?: number;
  readonly observer?: RunnerObserver;
}

const STALE_MS = 100;
/** For what does not listen to its signal. */
export const LAST_MS = 1000;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #timeoutMs: number;
  /** One for each look that runs. AbortSignal.any() would keep some bytes of each for as long as this lives. */
  readonly #looks = new Set<AbortController>();
  #loops: Promise<void>[] = [];
  #alive = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  start(): void {
    const { concurrency = 4, log } = this.#options;
    if (this.#loops.length > 0) return;
    // one that has died is what health is asked about; the others end in order
    const died = (error: unknown) => log.error('a reconcile loop has ended', { error });
    this.#loops = Array.from({ length: concurrency }, () => this.#loop().catch(died));
  }

  /** Takes no more keys, lets what runs come to its end for up to `graceMs`, then tells it to give up. Resolves when nothing runs. */
  async stop(graceMs: number): Promise<void> {
    const { queue, clock } = this.#options;
    queue.close();
    const over = new AbortController();
    const ended = Promise.all(this.#loops).finally(() => over.abort());
    await pause(clock, graceMs, over.signal);
    this.abort('this process stops');
    // what does not listen to its signal is left behind: the process ends, and its writes are refused once the lease is given back
    const last = new AbortController();
    await Promise.race([ended.finally(() => last.abort()), pause(clock, LAST_MS, last.signal)]);
  }

  /** Tells all that runs to give up at once. */
  abort(reason: string): void {
    for (const look of this.#looks) look.abort(new Error(reason));
  }

  /** What is wrong with its loops, or undefined. */
  get problem(): string | undefined {
    const { queue } = this.#options;
    if (this.#loops.length === 0) return undefined;
    if (this.#alive < this.#loops.length) return `${this.#loops.length - this.#alive} of ${this.#loops.length} loops have ended`;
    for (const [key, ms] of queue.runningMs)
      if (ms > 2 * this.#timeoutMs) return `the look at ${key} does not end, after ${Math.round(ms / 1000)} s`;
    const isFree = queue.runningMs.size < this.#loops.length;
    return isFree && queue.oldestMs > this.#timeoutMs ? 'keys wait though loops are free' : undefined;
  }

  async #loop(): Promise<void> {
    const { queue } = this.#options;
    this.#alive++;
    try {
      for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
        await this.#look(key);
        queue.done(key);
      }
    } finally {
      this.#alive--;
    }
  }

  async #look(key: string): Promise<void> {
    const { queue, reconcile, clock, observer } = this.#options;
    const begin = clock.now();
    const look = new AbortController();
    this.#looks.add(look);
    const callOff = clock.after(this.#timeoutMs, () => {
      observer?.timedOut?.();
      look.abort(new Error(`the look at ${key} took longer than ${this.#timeoutMs} ms`));
    });
    let outcome: Outcome;
    try {
      const result = await reconcile(key, look.signal);
      queue.forget(key);
      outcome = result?.againMs === undefined ? 'success' : 'requeue_after';
      if (result?.againMs !== undefined) queue.addAfter(key, result.againMs);
    } catch (error) {
      outcome = this.#failed(key, error);
    } finally {
      callOff();
      this.#looks.delete(look);
    }
    observer?.ran?.(outcome, (clock.now() - begin) / 1000);
  }

  #failed(key: string, error: unknown): Outcome {
    const { queue, log, observer } = this.#options;
    if (isMistake(error)) observer?.panicked?.();
    if (error instanceof StaleError) {
      queue.addAfter(key, STALE_MS);
      return 'requeue';
    }
    if (error instanceof TerminalError) {
      queue.forget(key);
      observer?.terminal?.();
      log.error('reconcile failed for good', { key, error });
      return 'error';
    }
    const minMs = askedMs(error);
    const waitMs = queue.retry(key, minMs);
    // of several plans for a key the first counts
    if (error instanceof UnfinishedError) queue.addAfter(key, Math.max(minMs, error.againMs));
    log.warn('reconcile failed', { key, waitMs, error });
    return 'error';
  }
}

/** How long the API server asked to wait, in milliseconds. */
function askedMs(error: unknown): number {
  if (error instanceof AggregateError) return Math.max(0, ...error.errors.map(askedMs));
  return error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
}

/** What Node.js throws for a mistake in a program. What else is thrown has its cause with it. */
function isMistake(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isMistake);
  const isNative = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return isNative && error.cause === undefined;
}
