// Where a user is connected: here, or at the worker that the cache names, or at the one that says so when all are asked.

import { control, decodeResults, locate, MAX_NAMES, readAnswer, results } from './control.ts';
import type { Peer } from './peer.ts';

/** This worker itself, where others have a node id. */
export const HERE = '';

/** Called once with the node id of a worker, HERE, or undefined if no worker has the user. */
export type Found = (where: string | undefined) => void;

/** Counters since the start. */
export interface LocatorCounts {
  /** Answered from the cache. */
  hits: number;
  /** Not in the cache: a worker had to be asked, or an ask under way was joined. */
  misses: number;
  /** Users that were asked for. */
  asks: number;
}

/** Finds users; what asks the gates needs no server, another may keep a table in one. */
export interface Locator {
  readonly counts: LocatorCounts;
  /** What is known without asking. */
  known(user: string): string | undefined;
  find(user: string, found: Found): void;
  /** The user has logged in at that worker. */
  note(user: string, where: string): void;
  /** The user is not at that worker. */
  forget(user: string, where: string): void;
  /** That worker can not be reached. */
  lost(where: string): void;
}

export interface GateLocatorOptions {
  /** The workers that serve clients, this one aside. */
  gates(): readonly Peer[];
  isHere(user: string): boolean;
  settings: GateLocatorSettings;
}

export interface GateLocatorSettings {
  /** Users whose worker is remembered; the one that was not asked for the longest time is forgotten first. */
  readonly cacheSize: number;
  /** How long workers may take to say whether they have a user, in milliseconds. */
  readonly locateMs: number;
}

/** One question to all workers about several users. */
interface Ask {
  readonly users: readonly string[];
  /** Workers that have not answered. */
  left: number;
}

/** A user that is being looked for. */
interface Search {
  ask: Ask | undefined;
  readonly found: Found[];
}

/** Asks all workers that serve clients at once: the first yes counts. Users that are looked for in one turn are asked for together. */
export class GateLocator implements Locator {
  readonly counts: LocatorCounts = { hits: 0, misses: 0, asks: 0 };
  settings: GateLocatorSettings;
  readonly #options: GateLocatorOptions;
  /** In the order of their last use, once it is half full. */
  readonly #cache = new Map<string, string>();
  readonly #searches = new Map<string, Search>();
  #batch: string[] = [];

  constructor(options: GateLocatorOptions) {
    this.#options = options;
    this.settings = options.settings;
  }

  /** Users whose worker is remembered. */
  get size(): number {
    return this.#cache.size;
  }

  /** Users that are being looked for. */
  get searching(): number {
    return this.#searches.size;
  }

  known(user: string): string | undefined {
    if (this.#options.isHere(user)) return HERE;
    const where = this.#cache.get(user);
    if (where === undefined) {
      this.counts.misses++;
      return undefined;
    }
    this.counts.hits++;
    // as long as there is much room nobody is forgotten, and the order, which costs as much as all the rest, need not be kept
    if (this.#cache.size * 2 > this.settings.cacheSize) {
      this.#cache.delete(user);
      this.#cache.set(user, where);
    }
    return where;
  }

  find(user: string, found: Found): void {
    const search = this.#searches.get(user);
    if (search !== undefined) return void search.found.push(found);
    this.#searches.set(user, { ask: undefined, found: [found] });
    if (this.#batch.push(user) === 1) queueMicrotask(() => this.#ask());
  }

  note(user: string, where: string): void {
    this.#cache.delete(user);
    this.#cache.set(user, where);
    if (this.#cache.size > this.settings.cacheSize) this.#cache.delete(this.#cache.keys().next().value!);
  }

  forget(user: string, where: string): void {
    if (this.#cache.get(user) === where) this.#cache.delete(user);
  }

  lost(where: string): void {
    for (const [user, at] of this.#cache) if (at === where) this.#cache.delete(user);
  }

  #ask(): void {
    const users = this.#batch;
    this.#batch = [];
    this.counts.asks += users.length;
    const gates = this.#options.gates();
    for (let at = 0; at < users.length; at += MAX_NAMES) {
      const ask: Ask = { users: users.slice(at, at + MAX_NAMES), left: gates.length };
      for (const user of ask.users) this.#searches.get(user)!.ask = ask;
      if (gates.length === 0) this.#finish(ask);
      const message = locate.encode({ users: ask.users });
      for (const gate of gates) {
        gate.ask(
          control.locate,
          message,
          (fault, data) => this.#answered(ask, gate.id, readAnswer(fault, data, decodeResults)),
          this.settings.locateMs,
        );
      }
    }
  }

  #answered(ask: Ask, where: string, list: Buffer | undefined): void {
    if (list !== undefined) {
      for (const [i, user] of ask.users.entries()) {
        if (list[i] !== results.done || this.#searches.get(user)?.ask !== ask) continue;
        this.note(user, where);
        this.#found(user, where);
      }
    }
    if (--ask.left === 0) this.#finish(ask);
  }

  /** All have answered: nobody has those that are still looked for, unless they have come here meanwhile. */
  #finish(ask: Ask): void {
    for (const user of ask.users) {
      if (this.#searches.get(user)?.ask === ask) this.#found(user, this.#options.isHere(user) ? HERE : undefined);
    }
  }

  #found(user: string, where: string | undefined): void {
    const search = this.#searches.get(user)!;
    this.#searches.delete(user);
    for (const found of search.found) found(where);
  }
}
