// Sessions whose connections are lost, kept for a while for their clients to come back.

import type { Stray } from '../cluster/gate-sessions.ts';
import { isSame } from './greeted.ts';

interface Kept {
  readonly stray: Stray;
  /** Its client may know either of them. */
  readonly before: Uint8Array | undefined;
  readonly until: number;
}

/** All together hold so much, as far as it can be told. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What each costs besides its properties. */
const OVERHEAD = 512;

const bytesOf = ({ properties, groups, pins }: Stray): number =>
  OVERHEAD + (properties?.length ?? 0) + [...groups, ...pins].reduce((sum, { length }) => sum + 2 * length, 0);

export class Strays {
  /** In the order in which they were lost. */
  readonly #kept = new Map<string, Kept>();
  readonly #over: (stray: Stray) => void;
  #bytes = 0;

  /** `over` is called with each that nobody came back for. */
  constructor(over: (stray: Stray) => void) {
    this.#over = over;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps at most `limit`, and 64 MiB; those that were lost first make place. Returns how many had to. */
  keep(stray: Stray, before: Uint8Array | undefined, until: number, limit: number): number {
    this.#remove(stray.session);
    const bytes = bytesOf(stray);
    let ended = 0;
    for (const session of this.#kept.keys()) {
      if (this.#kept.size < limit && this.#bytes + bytes <= MAX_BYTES) break;
      this.end(session);
      ended++;
    }
    this.#kept.set(stray.session, { stray, before, until });
    this.#bytes += bytes;
    return ended;
  }

  #remove(session: string): Kept | undefined {
    const kept = this.#kept.get(session);
    if (kept === undefined) return undefined;
    this.#kept.delete(session);
    this.#bytes -= bytesOf(kept.stray);
    return kept;
  }

  /** The session of a client that knows its secret; it is not kept any more. */
  take(session: string, secret: Uint8Array): Stray | undefined {
    const kept = this.#kept.get(session);
    if (kept === undefined) return undefined;
    const { stray, before } = kept;
    if (!isSame(stray.secret, secret) && (before === undefined || !isSame(before, secret))) return undefined;
    this.#remove(session);
    return { ...stray, secret };
  }

  /** The session is over. False if it is not kept. */
  end(session: string): boolean {
    const kept = this.#remove(session);
    if (kept !== undefined) this.#over(kept.stray);
    return kept !== undefined;
  }

  /** Ends those whose time is over. */
  sweep(now: number): void {
    for (const [session, { until }] of this.#kept) if (until <= now) this.end(session);
  }

  /** All of them; none is kept any more. */
  takeAll(): Stray[] {
    const all = [...this.#kept.values()].map(({ stray }) => stray);
    this.#kept.clear();
    this.#bytes = 0;
    return all;
  }
}
