// What is known of the client on a connection. It moves along when the connection is handed to another worker.

import { deserialize, serialize } from 'node:v8';
import { Fault } from '../errors.ts';
import type { Ledger } from '../ops/ledger.ts';

interface Property {
  value: unknown;
  ttlMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** Called when a property reaches the end of its life; it is gone already. */
export type Expired = (key: string, value: unknown) => void;

/** A session may hold this many properties; more is a leak of the module. */
const MAX_PROPERTIES = 1024;
/** About 24 days: a timer of Node.js that is set to more fires at once. */
const MAX_TTL_MS = 2_147_483_647;

type Saved = readonly [key: string, value: unknown, ttlMs: number | undefined][];

/** What save() made, as another worker has sent it. Throws Fault invalidMessage. */
export function readSaved(bytes: Uint8Array): Saved {
  let saved: unknown;
  try {
    saved = deserialize(bytes);
  } catch (error) {
    throw new Fault('invalidMessage', `session properties can not be read: ${(error as Error).message}`);
  }
  if (!Array.isArray(saved) || saved.length > MAX_PROPERTIES || !saved.every(isSaved))
    throw new Fault('invalidMessage', 'session properties can not be read: they are no list of names and values');
  return saved;
}

function isSaved(entry: unknown): entry is Saved[number] {
  if (!Array.isArray(entry) || entry.length !== 3) return false;
  const [key, , ttlMs] = entry as unknown[];
  return typeof key === 'string' && (ttlMs === undefined || isLife(ttlMs));
}

const isLife = (ttlMs: unknown): boolean => typeof ttlMs === 'number' && ttlMs >= 1 && ttlMs <= MAX_TTL_MS;

export class Session {
  readonly id: string;
  #properties: Map<string, Property> | undefined;
  #isOver = false;
  readonly #ledger: Ledger;
  readonly #expired: Expired;

  constructor(id: string, ledger: Ledger, expired: Expired) {
    this.id = id;
    this.#ledger = ledger;
    this.#expired = expired;
    ledger.sessions.take();
  }

  get<T = unknown>(key: string): T | undefined {
    return this.#properties?.get(key)?.value as T | undefined;
  }

  has(key: string): boolean {
    return this.#properties?.has(key) ?? false;
  }

  /**
   * Keeps a value under a name. It has to be plain data (whatever structuredClone takes), because it travels when the connection moves to
   * another worker. With `ttlMs` it lives that long and then the `expired` hook of the module is called; a move begins the time anew.
   * After the client has left nothing is kept: a handler may be at work longer than its client stays.
   */
  set(key: string, value: unknown, { ttlMs }: { ttlMs?: number } = {}): void {
    if (this.#isOver) return;
    if (ttlMs !== undefined && !isLife(ttlMs)) {
      throw new Error(`ttlMs of "${key}" must be from 1 to ${MAX_TTL_MS}, got ${ttlMs}`);
    }
    this.#properties ??= new Map();
    if (!this.#properties.has(key) && this.#properties.size >= MAX_PROPERTIES) {
      throw new Error(`session ${this.id} already holds ${MAX_PROPERTIES} properties; "${key}" was not added`);
    }
    this.delete(key);
    this.#properties.set(key, { value, ttlMs, timer: this.#timer(key, ttlMs) });
  }

  delete(key: string): boolean {
    const property = this.#properties?.get(key);
    if (property === undefined) return false;
    if (property.timer !== undefined) this.#clear(property.timer);
    return this.#properties!.delete(key);
  }

  keys(): string[] {
    return [...(this.#properties?.keys() ?? [])];
  }

  /** Ends all timers and forgets everything; no hook is called. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const key of this.keys()) this.delete(key);
    this.#ledger.sessions.give();
  }

  /** Everything as bytes for another process. What can not be copied is left out and named in `lost`. */
  save(): { bytes: Buffer | undefined; lost: string[] } {
    const kept: [string, unknown, number | undefined][] = [];
    const lost: string[] = [];
    for (const [key, { value, ttlMs }] of this.#properties ?? []) {
      try {
        serialize(value);
        kept.push([key, value, ttlMs]);
      } catch {
        lost.push(key);
      }
    }
    return { bytes: kept.length === 0 ? undefined : serialize(kept), lost };
  }

  /** Takes over what save() made in another process; lives begin anew. Throws Fault invalidMessage, before it takes anything, for what is none. */
  restore(bytes: Uint8Array): void {
    for (const [key, value, ttlMs] of readSaved(bytes)) this.set(key, value, ttlMs === undefined ? {} : { ttlMs });
  }

  #timer(key: string, ttlMs: number | undefined): NodeJS.Timeout | undefined {
    if (ttlMs === undefined) return undefined;
    this.#ledger.timers.take();
    return setTimeout(() => {
      const value = this.get(key);
      this.delete(key);
      this.#expired(key, value);
    }, ttlMs);
  }

  #clear(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#ledger.timers.give();
  }
}
