// Sessions whose connections are lost, kept for a while for their clients to come back.

import type { Stray } from '../cluster/gate-sessions.ts';
import { isSame } from './greeted.ts';

interface Kept {
  readonly stray: Stray;
  /** Its client may know either of them. */
  readonly before: Uint8Array | undefined;
  readonly until: number;
}

export class Strays {
  /** In the order in which they were lost. */
  readonly #kept = new Map<string, Kept>();
  readonly #over: (stray: Stray) => void;

  /** `over` is called with each that nobody came back for. */
  constructor(over: (stray: Stray) => void) {
    this.#over = over;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps at most `limit`; the one that was lost first makes place. */
  keep(stray: Stray, before: Uint8Array | undefined, until: number, limit: number): void {
    if (limit === 0) return this.#over(stray);
    const oldest = this.#kept.size >= limit && !this.#kept.has(stray.session) ? this.#kept.values().next().value : undefined;
    if (oldest !== undefined) this.end(oldest.stray.session);
    this.#kept.set(stray.session, { stray, before, until });
  }

  /** The session of a client that knows its secret; it is not kept any more. */
  take(session: string, secret: Uint8Array): Stray | undefined {
    const kept = this.#kept.get(session);
    if (kept === undefined) return undefined;
    const { stray, before } = kept;
    if (!isSame(stray.secret, secret) && (before === undefined || !isSame(before, secret))) return undefined;
    this.#kept.delete(session);
    return { ...stray, secret };
  }

  /** The session is over. False if it is not kept. */
  end(session: string): boolean {
    const kept = this.#kept.get(session);
    if (kept === undefined) return false;
    this.#kept.delete(session);
    this.#over(kept.stray);
    return true;
  }

  /** Ends those whose time is over. */
  sweep(now: number): void {
    for (const [session, { until }] of this.#kept) if (until <= now) this.end(session);
  }

  /** All of them; none is kept any more. */
  takeAll(): Stray[] {
    const all = [...this.#kept.values()].map(({ stray }) => stray);
    this.#kept.clear();
    return all;
  }
}
