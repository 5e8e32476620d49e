// A clock that stands still until a test moves it. Whoever waits on it is called in the order of their times.

import type { Clock } from '../../src/kube/clock.ts';

export class ManualClock implements Clock {
  #now = 1_000_000;
  #wall = Date.UTC(2026, 0, 1);
  readonly #waiting = new Set<{ at: number; call: () => void }>();

  now(): number {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#wall);
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, ms), call };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Milliseconds until the next one is called. */
  get nextMs(): number | undefined {
    return this.#waiting.size === 0 ? undefined : Math.min(...[...this.#waiting].map(({ at }) => at)) - this.#now;
  }

  /** Lets time go by: what is due is called at its time. Promises that follow are not waited for: use soon() or turns(). */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#set(Math.max(due.at, this.#now));
      this.#waiting.delete(due);
      due.call();
    }
    this.#set(end);
  }

  /** The process stands still: time goes by and nobody is called until after it. */
  freeze(ms: number): void {
    this.#set(this.#now + ms);
  }

  /** Somebody sets the time of day, forwards or backwards. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #set(now: number): void {
    this.#wall += now - this.#now;
    this.#now = now;
  }
}
