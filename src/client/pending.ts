// The requests that have no answer yet, by the number that the answer will carry.

import type { Answer } from './answer.ts';
import { ClientError } from './error.ts';

const MAX_SEQ = 0xffffffff;

/** What requests are sent on: it is told how many of them it has to wait for. */
export interface Carrier {
  began(): void;
  ended(): void;
  /** One of them was given up. */
  missed(): void;
}

export interface Pending {
  readonly seq: number;
  /** The encoded request while it waits for a connection; undefined once it was sent. */
  unsent: Uint8Array | undefined;
  /** The connection that it was sent on, which is the only one that its answer can come on. */
  via: Carrier | undefined;
  resolve(answer: Answer): void;
  reject(error: ClientError): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class PendingRequests {
  readonly #bySeq = new Map<number, Pending>();
  #seq: number;
  #unsentBytes = 0;
  #emptied: (() => void) | undefined;

  /** `first` is the number before the first one. */
  constructor(first = 0) {
    this.#seq = first;
  }

  get size(): number {
    return this.#bySeq.size;
  }

  /** Bytes that wait for a connection. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** A number from 1 to 2^32-1 that no request without an answer has. */
  nextSeq(): number {
    do this.#seq = (this.#seq % MAX_SEQ) + 1;
    while (this.#bySeq.has(this.#seq));
    return this.#seq;
  }

  add(pending: Pending): void {
    this.#bySeq.set(pending.seq, pending);
    pending.via?.began();
    this.#unsentBytes += pending.unsent?.length ?? 0;
  }

  /** Takes the request that has this number and, where `via` is given, was sent there; undefined if none is. */
  take(seq: number, via?: Carrier): Pending | undefined {
    const pending = this.#bySeq.get(seq);
    if (pending === undefined || (via !== undefined && pending.via !== via)) return undefined;
    this.#bySeq.delete(seq);
    pending.via?.ended();
    clearTimeout(pending.timer);
    this.#unsentBytes -= pending.unsent?.length ?? 0;
    if (this.#bySeq.size === 0) this.#emptied?.();
    return pending;
  }

  /** The bytes of all requests that wait for a connection, which counts them as sent on `via`. */
  takeUnsent(via: Carrier): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const pending of this.#bySeq.values()) {
      if (pending.unsent === undefined) continue;
      out.push(pending.unsent);
      pending.unsent = undefined;
      pending.via = via;
      via.began();
    }
    this.#unsentBytes = 0;
    return out;
  }

  /** Rejects requests: those that were sent on a connection, those that wait for one, or all. */
  reject(which: Carrier | 'waiting' | 'all', code: ClientError['code'], message: string): void {
    for (const pending of [...this.#bySeq.values()]) {
      if (which === 'all' || pending.via === (which === 'waiting' ? undefined : which)) {
        this.take(pending.seq)?.reject(new ClientError(code, message));
      }
    }
  }

  /** Resolves when no request is left, at the latest after `ms` milliseconds. */
  async untilEmpty(ms: number): Promise<void> {
    if (this.#bySeq.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
