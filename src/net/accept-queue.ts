// Lets connections in at a pace. What comes faster waits in a short queue; what does not fit there is refused.

import { TokenBucket } from './limits.ts';

/** Nobody waits longer than this to be let in; by then a client has given up anyway. */
const MAX_WAIT_MS = 10_000;

export interface AcceptQueueOptions<T> {
  /** Connections a second, and at once after a rest; rate 0 lets everything in. */
  rate: number;
  burst: number;
  /** How many may wait. */
  limit: number;
  now(): number;
  /** False while nobody could serve another one. */
  isReady(): boolean;
  admit(item: T): void;
  refuse(item: T): void;
}

export class AcceptQueue<T> {
  readonly #options: AcceptQueueOptions<T>;
  #bucket: TokenBucket;
  #waiting: { item: T; since: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AcceptQueueOptions<T>) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.rate, options.burst, options.now());
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Returns what happened: admitted at once, waiting, or refused. */
  add(item: T): 'admitted' | 'waiting' | 'refused' {
    const now = this.#options.now();
    if (this.#waiting.length === 0 && this.#options.isReady() && this.#bucket.take(now)) {
      this.#options.admit(item);
      return 'admitted';
    }
    if (this.#waiting.length >= this.#options.limit) {
      this.#options.refuse(item);
      return 'refused';
    }
    this.#waiting.push({ item, since: now });
    this.#schedule();
    return 'waiting';
  }

  /** New numbers take effect at once; who waits goes on waiting. */
  change(rate: number, burst: number, limit: number): void {
    Object.assign(this.#options, { rate, burst, limit });
    this.#bucket = new TokenBucket(rate, burst, this.#options.now());
    this.pump();
  }

  /** Lets in whoever may come now: called when somebody became ready, and by its own clock. */
  pump(): void {
    const now = this.#options.now();
    while (this.#waiting.length > 0) {
      const { item, since } = this.#waiting[0]!;
      const isLate = now - since > MAX_WAIT_MS;
      if (!isLate && !(this.#options.isReady() && this.#bucket.take(now))) break;
      // gone from the queue first: whoever is told may look at it again
      this.#waiting.shift();
      if (isLate) this.#options.refuse(item);
      else this.#options.admit(item);
    }
    this.#schedule();
  }

  /** Lets in all who wait, at any rate. */
  admitAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { item } of this.#waiting.splice(0)) this.#options.admit(item);
  }

  /** Refuses all who wait. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { item } of this.#waiting.splice(0)) this.#options.refuse(item);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const wait = Math.max(this.#bucket.waitMs(this.#options.now()), this.#options.isReady() ? 1 : 50);
    this.#timer = setTimeout(() => this.pump(), wait);
  }
}
