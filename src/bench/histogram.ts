// A histogram of durations with a fixed relative error, cheap enough to count millions of replies a second: after HdrHistogram.

/** Values below this many microseconds are counted exactly; above it each power of two is cut into half as many parts. */
const LINEAR = 128;
const LINEAR_BITS = 7;
const HALF = LINEAR / 2;
/** The largest value that is told apart from larger ones: a little more than an hour. */
const MAX_US = 2 ** 32 - 1;
const SLOTS = LINEAR + (32 - LINEAR_BITS) * HALF;

/** How many values were counted in each slot that has any: plain data that travels between processes. */
export type Counts = readonly (readonly [slot: number, count: number])[];

export class Histogram {
  readonly #slots = new Float64Array(SLOTS);
  #count = 0;
  #max = 0;

  /** Counts `n` values of `us` microseconds. Fractions are rounded; what is negative counts as 0. */
  record(us: number, n = 1): void {
    const value = us <= 0 ? 0 : us >= MAX_US ? MAX_US : Math.round(us);
    this.#slots[slotOf(value)]! += n;
    this.#count += n;
    if (value > this.#max) this.#max = value;
  }

  get count(): number {
    return this.#count;
  }

  /** The largest value; exact where it was recorded here, within 1.6 % where it came from other processes. */
  get maxUs(): number {
    return this.#max;
  }

  /** The value in microseconds that `share` (0 to 1) of all values do not exceed, at most 1.6 % too high; 0 if nothing was counted. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      seen += this.#slots[slot]!;
      if (seen >= wanted) return Math.min(lastOf(slot), this.#max);
    }
    return this.#max;
  }

  counts(): Counts {
    return [...this.#slots.entries()].filter(([, count]) => count > 0);
  }

  add(counts: Counts): void {
    for (const [slot, count] of counts) this.record(lastOf(slot), count);
  }

  static of(...parts: Counts[]): Histogram {
    const histogram = new Histogram();
    for (const counts of parts) histogram.add(counts);
    return histogram;
  }
}

function slotOf(value: number): number {
  if (value < LINEAR) return value;
  const shift = 32 - LINEAR_BITS - Math.clz32(value);
  return LINEAR + (shift - 1) * HALF + (value >>> shift) - HALF;
}

/** The largest value that falls into a slot. */
function lastOf(slot: number): number {
  if (slot < LINEAR) return slot;
  const shift = Math.floor((slot - LINEAR) / HALF) + 1;
  const part = ((slot - LINEAR) % HALF) + HALF;
  return Math.min(MAX_US, (part + 1) * 2 ** shift - 1);
}
