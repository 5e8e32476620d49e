// The keys that want a look, each once: many events become one look, failures wait longer and longer, and what is urgent goes first.
//
//   add --> waiting (two lanes) --next--> running --done--> gone, or waiting again if it was added meanwhile
//     later (a time) --due--^

import { backoffMs, type BackoffRules } from '../../kube/backoff.ts';
import type { Clock } from '../../kube/clock.ts';

/** urgent: somebody changed something. background: a first list, or a look for its own sake. */
export type Lane = 'urgent' | 'background';

/** What happens to keys, for metrics. */
export interface QueueObserver {
  added?(): void;
  /** It left the queue after so many seconds. */
  waited?(seconds: number): void;
  worked?(seconds: number): void;
  retried?(): void;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** A number from 0 to 1. */
  readonly random?: () => number;
  readonly backoff: BackoffRules;
  readonly observer?: QueueObserver;
}

interface Waiting {
  readonly lane: Lane;
  readonly since: number;
}

/** Of so many keys one comes from the background, however much is urgent. */
const BACKGROUND_SHARE = 8;

export class Queue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: BackoffRules;
  readonly #observer: QueueObserver;
  readonly #lanes: Record<Lane, Map<string, Waiting>> = { urgent: new Map(), background: new Map() };
  readonly #running = new Map<string, number>();
  /** Added while they ran. */
  readonly #again = new Map<string, Waiting>();
  readonly #later = new Map<string, { readonly at: number; readonly callOff: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #taken = 0;
  #isClosed = false;

  constructor({ clock, random = Math.random, backoff, observer = {} }: QueueOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#backoff = backoff;
    this.#observer = observer;
  }

  add(key: string, lane: Lane = 'urgent'): void {
    if (this.#isClosed) return;
    const isUrgent = lane === 'urgent';
    const waiting = { lane, since: this.#clock.now() };
    if (this.#running.has(key)) {
      if (isUrgent || !this.#again.has(key)) this.#again.set(key, waiting);
      return;
    }
    const { urgent, background } = this.#lanes;
    if (urgent.has(key) || (background.has(key) && !isUrgent)) return;
    const known = background.get(key);
    background.delete(key);
    this.#lanes[lane].set(key, known ? { lane, since: known.since } : waiting);
    if (known === undefined) this.#observer.added?.();
    this.#hand();
  }

  /** Adds it in a while; what comes first counts. */
  addAfter(key: string, ms: number): void {
    if (this.#isClosed) return;
    if (ms <= 0) return this.add(key);
    const at = this.#clock.now() + ms;
    const planned = this.#later.get(key);
    if (planned !== undefined && planned.at <= at) return;
    planned?.callOff();
    const due = () => {
      this.#later.delete(key);
      this.add(key);
    };
    this.#later.set(key, { at, callOff: this.#clock.after(ms, due) });
  }

  /** It failed: adds it after a wait that grows with each failure in a row, at least `minMs`. Returns the wait in milliseconds. */
  retry(key: string, minMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const ms = Math.max(minMs, backoffMs(failures, this.#backoff, this.#random()));
    this.#observer.retried?.();
    this.addAfter(key, ms);
    return ms;
  }

  /** It went well: the next failure is the first again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, when there is one; call done() after it. What it was planned for is off: the look decides anew. Undefined when closed. */
  next(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    if (this.#isClosed) return Promise.resolve(undefined);
    this.#takers.push(resolve);
    this.#hand();
    return promise;
  }

  done(key: string): void {
    const began = this.#running.get(key);
    if (began === undefined) return;
    this.#running.delete(key);
    this.#observer.worked?.((this.#clock.now() - began) / 1000);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.add(key, again.lane);
  }

  /** Nothing comes in or out any more. */
  close(): void {
    this.#isClosed = true;
    for (const { callOff } of this.#later.values()) callOff();
    this.#later.clear();
    for (const lane of Object.values(this.#lanes)) lane.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Keys that could be taken now. */
  get depth(): number {
    return this.#lanes.urgent.size + this.#lanes.background.size;
  }

  /** How long the key that waits longest could have been taken, in milliseconds; 0 if none waits. */
  get oldestMs(): number {
    const firsts = Object.values(this.#lanes).flatMap((lane) => [...lane.values()].slice(0, 1));
    return Math.max(0, ...firsts.map(({ since }) => this.#clock.now() - since));
  }

  /** How long each key is being looked at, in milliseconds. */
  get runningMs(): ReadonlyMap<string, number> {
    return new Map([...this.#running].map(([key, began]) => [key, this.#clock.now() - began]));
  }

  #hand(): void {
    while (this.#takers.length > 0 && this.depth > 0) {
      const { urgent, background } = this.#lanes;
      const turn = ++this.#taken % BACKGROUND_SHARE === 0;
      const lane = urgent.size === 0 || (turn && background.size > 0) ? background : urgent;
      const [key, { since }] = lane.entries().next().value!;
      lane.delete(key);
      this.#later.get(key)?.callOff();
      this.#later.delete(key);
      this.#running.set(key, this.#clock.now());
      this.#observer.waited?.((this.#clock.now() - since) / 1000);
      this.#takers.shift()!(key);
    }
  }
}
