// Requests that were sent on a link and wait for their answers, found by seq. A ring of slots instead of a map: seqs are given in order
// and answers come nearly so, which makes finding one an index into an array.

const FIRST_SIZE = 64;
const MAX_SEQ = 0xffffffff;

/** What waits; it remembers its own seq, so that a slot that was reused is not taken for it. */
export interface Awaited {
  seq: number;
}

export class Pending<T extends Awaited> {
  #slots: (T | undefined)[] = new Array<T | undefined>(FIRST_SIZE).fill(undefined);
  #next = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Gives the next free seq, from 1 to 4294967295 and never 0, which originals can not read. */
  add(item: T): number {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    let seq = this.#next;
    // one that is slow keeps its place, and is stepped over
    while (seq === 0 || this.#slots[seq & (this.#slots.length - 1)] !== undefined) seq = seq === MAX_SEQ ? 1 : seq + 1;
    this.#next = seq === MAX_SEQ ? 1 : seq + 1;
    item.seq = seq;
    this.#slots[seq & (this.#slots.length - 1)] = item;
    this.#size++;
    return seq;
  }

  /** What waits for the answer with that seq, which it waits for no longer. Undefined for an answer that comes too late, or that nobody asked for. */
  take(seq: number): T | undefined {
    const at = seq & (this.#slots.length - 1);
    const item = this.#slots[at];
    if (item === undefined || item.seq !== seq) return undefined;
    this.#slots[at] = undefined;
    this.#size--;
    return item;
  }

  /** All that wait, in no order. */
  *[Symbol.iterator](): Generator<T> {
    if (this.#size > 0) for (const item of this.#slots) if (item !== undefined) yield item;
  }

  /** Takes all, in the order of their seqs as far as it is known. */
  takeAll(): T[] {
    const all = [...this].sort((a, b) => a.seq - b.seq);
    this.#slots.fill(undefined);
    this.#size = 0;
    return all;
  }

  #grow(): void {
    const all = [...this];
    let size = this.#slots.length;
    // seqs far apart may fall on one slot of the larger ring too
    for (;;) {
      size *= 2;
      const slots = new Array<T | undefined>(size).fill(undefined);
      let clash = false;
      for (const item of all) {
        const at = item.seq & (size - 1);
        clash ||= slots[at] !== undefined;
        slots[at] = item;
      }
      if (clash) continue;
      this.#slots = slots;
      return;
    }
  }
}
