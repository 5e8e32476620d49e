// Short turns of the event loop while a crowd comes in. Node.js takes one descriptor from a channel, and one connection from a listening
// handle, in each turn. Hundreds of busy clients make a turn long, and of three hundred newcomers the last one waits for three hundred turns.

/** So many newcomers in long turns that follow each other are a crowd: more of them wait, which can not be seen from here. */
const CROWD = 3;
const LONG_MS = 2;
/** Turns are short until so long after the last of them. */
const HASTE_MS = 20;
/** How long clients are served in a short turn; the others follow in the next ones. Shorter ones cost more and win nothing. */
const SLICE_MS = 0.5;
/** What has been read and waits for a later turn stays below this: beyond it everybody is served at once. */
const MAX_BYTES = 4 * 1024 * 1024;

/** `T` is a connection. */
export class Haste<T> {
  readonly #now: () => number;
  readonly #serve: (connection: T) => void;
  /** Who waits for a later turn, with the size of what it has sent. */
  readonly #waiting = new Map<T, number>();
  #bytes = 0;
  #until = -Infinity;
  #sliceEnd = 0;
  #isArmed = false;
  #inRow = 0;
  #last = 0;
  /** Turns since the last newcomer; counted no further than two. */
  #turns = 2;

  constructor(now: () => number, serve: (connection: T) => void) {
    this.#now = now;
    this.#serve = serve;
  }

  /** A newcomer has arrived. */
  arrived(): void {
    const now = this.#now();
    const isLong = now - this.#last >= LONG_MS;
    this.#last = now;
    if (isLong) {
      this.#inRow = this.#turns < 2 ? this.#inRow + 1 : 1;
      if (this.#turns === 2) setImmediate(this.#countTurns);
      this.#turns = 0;
    }
    if ((isLong && this.#inRow >= CROWD) || now <= this.#until) this.#until = now + HASTE_MS;
  }

  /** A connection has sent something. True if it is served in a later turn; otherwise it is to be served now. */
  putsOff(connection: T, bytes: number, now: number): boolean {
    if (now > this.#until && this.#waiting.size === 0) return false;
    if (!this.#isArmed) this.#arm(now);
    if (this.#waiting.has(connection)) {
      // it goes on sending: waiting longer it would only pile up
      this.forget(connection);
      return false;
    }
    if (this.#bytes >= MAX_BYTES || (this.#waiting.size === 0 && now < this.#sliceEnd)) return false;
    this.#waiting.set(connection, bytes);
    this.#bytes += bytes;
    return true;
  }

  forget(connection: T): void {
    this.#bytes -= this.#waiting.get(connection) ?? 0;
    this.#waiting.delete(connection);
  }

  #arm(now: number): void {
    this.#isArmed = true;
    this.#sliceEnd = now + SLICE_MS;
    setImmediate(this.#slice);
  }

  readonly #slice = (): void => {
    this.#isArmed = false;
    if (this.#waiting.size === 0) return;
    this.#arm(this.#now());
    for (const connection of this.#waiting.keys()) {
      this.forget(connection);
      this.#serve(connection);
      if (this.#now() >= this.#sliceEnd) return;
    }
  };

  readonly #countTurns = (): void => {
    this.#turns++;
    if (this.#turns < 2) setImmediate(this.#countTurns);
  };
}
