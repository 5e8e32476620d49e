// The requests that have no answer yet, by the number that the answer will carry.

import type { Answer } from './answer.ts';
import { ClientError } from './error.ts';

const MAX_SEQ = 0xffffffff;

export interface Pending {
  readonly seq: number;
  /** The encoded request while it waits for a connection; undefined once it was sent. */
  unsent: Uint8Array | undefined;
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
    this.#unsentBytes += pending.unsent?.length ?? 0;
  }

  /** Takes the request that has this number; undefined if none has. */
  take(seq: number): Pending | undefined {
    const pending = this.#bySeq.get(seq);
    if (pending === undefined) return undefined;
    this.#bySeq.delete(seq);
    clearTimeout(pending.timer);
    this.#unsentBytes -= pending.unsent?.length ?? 0;
    if (this.#bySeq.size === 0) this.#emptied?.();
    return pending;
  }

  /** The bytes of all requests that wait for a connection, which counts them as sent. */
  takeUnsent(): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const pending of this.#bySeq.values()) {
      if (pending.unsent !== undefined) out.push(pending.unsent);
      pending.unsent = undefined;
    }
    this.#unsentBytes = 0;
    return out;
  }

  /** Rejects requests: those that were sent, those that wait, or all. */
  reject(which: 'sent' | 'waiting' | 'all', code: ClientError['code'], message: string): void {
    for (const pending of [...this.#bySeq.values()]) {
      if (which === 'all' || (which === 'sent') === (pending.unsent === undefined)) {
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
