// Which session makes place for a new one when a worker has as many as it may (max_remote_sessions).

import type { Seat } from './seat.ts';

/** So many are looked at for one place: of many sessions it is nearly the longest idle one, and a full worker is not kept busy with looking. */
const LOOK = 200;
/** Whoever has asked something since then keeps its session, in milliseconds. */
const IDLE_MS = 1000;

export class IdleSeats {
  /** Where the last look ended: the next one begins there. */
  #rest: Iterator<Seat> | undefined;

  /** The longest idle of the next few: no request in flight or waiting, not logged in, and silent for a second. Undefined if there is none. */
  next(seats: ReadonlyMap<string, Seat>, now: number): Seat | undefined {
    let idlest: Seat | undefined;
    for (let looked = 0; looked < Math.min(LOOK, seats.size); looked++) {
      const seat = this.#step(seats);
      if (seat !== undefined && mayGo(seat, now) && (idlest === undefined || seat.lastUsed < idlest.lastUsed)) idlest = seat;
    }
    return idlest;
  }

  #step(seats: ReadonlyMap<string, Seat>): Seat | undefined {
    const { value, done } = (this.#rest ??= seats.values()).next() as IteratorResult<Seat, undefined>;
    if (done !== true) return value;
    this.#rest = seats.values();
    return (this.#rest.next() as IteratorResult<Seat, undefined>).value;
  }
}

function mayGo({ running, queue, user, lastUsed }: Seat, now: number): boolean {
  return running.length === 0 && queue === undefined && user === '' && now - lastUsed >= IDLE_MS;
}
