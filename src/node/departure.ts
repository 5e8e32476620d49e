// How connections leave a worker without losing anything: handed to another worker (move), or ended at a pace (drain).
// Each goes at a moment when nothing is in flight and nothing unsent, so that its client sees no difference, or a clean end.

import type { Connection } from '../net/connection.ts';
import type { Handle } from '../net/handle.ts';
import type { Serve } from './serve.ts';

/** So many wait or are between two workers at once: enough to be quick, few enough that each is away for a moment only. */
const MOVING = 32;
/** While draining, a slice of the connections goes each time. */
const PACE_MS = 50;

/** What would take longer at the pace of the others goes faster: by then everybody has been told. */
const LATEST_SHARE = 0.8;

/** Clients that are asked to move get most of the time that is left: the end of it is for those that do not. */
const MOVE_SHARE = 0.8;

/** A node of the original reads that we are gone, and asks us for so long: it gets answers. */
const ORIGINALS_MS = 2000;

/** Sends a connection away; calls back when the descriptor has left this process. */
export type HandOver = (connection: Connection, taken: { handle: Handle; rest: Buffer }, sent: () => void) => void;

export class Departure {
  /** Resolves when no connection is left. */
  readonly done: Promise<void>;
  readonly #serve: Serve;
  readonly #sessionsAway: Promise<void>;
  readonly #cutOne: () => void;
  #finish: () => void = () => undefined;
  /** Nobody is left, and whoever comes now would be forgotten. */
  isOver = false;
  #handOver: HandOver | undefined;
  /** Those that have not been told to go yet. A live view, until its end has been seen. */
  #others: Iterator<Connection, undefined>;
  #haveAllBeenTold = false;
  /** Quiet ones, to be handed over. */
  readonly #due = new Set<Connection>();
  /** Handed over, their descriptors still here. */
  #away = 0;
  #isScheduled = false;
  #pace: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isLate = false;
  #areSessionsAway = false;
  #mayOriginalsEnd = false;

  /** `sessionsAway` resolves when no session of a client of a gate is here any more; `cutOne` is told of each client that is cut. */
  constructor(serve: Serve, sessionsAway: Promise<void>, cutOne: () => void = () => undefined) {
    this.#serve = serve;
    this.#cutOne = cutOne;
    this.#sessionsAway = sessionsAway;
    this.#others = serve.connections.values();
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Hands clients over; what is busy after `drainMs` is ended. Links belong to this worker and end when what is in flight is answered. */
  move(drainMs: number, handOver: HandOver): void {
    this.#handOver = handOver;
    this.#serve.onQuiet = (connection) => {
      this.#due.add(connection);
      this.#schedule();
    };
    this.#endLinks();
    this.#deadline = setTimeout(() => {
      this.#isLate = true;
      for (const connection of [...this.#serve.connections]) this.#endIfLate(connection);
    }, drainMs);
    this.#schedule();
    this.check();
  }

  /**
   * Ends connections, at most `perSecond` unless the time were too short for that, and after `drainMs` whatever they are doing. Also for a worker
   * that is moving them, when nobody is left to take them.
   */
  drain(drainMs: number, perSecond = Infinity): void {
    clearTimeout(this.#deadline);
    this.#handOver = undefined;
    this.#serve.onQuiet = undefined;
    for (const connection of this.#serve.connections) if (connection.moving) this.#end(connection);
    const until = performance.now() + drainMs;
    // the paced part takes half of the time, so that those who come late still have the other half
    const slice = sliceOf(this.#serve.connections.size, drainMs / PACE_MS, (perSecond * PACE_MS) / 1000);
    let due = 0;
    this.#pace = setInterval(() => {
      for (due += slice; due >= 1; due--) {
        const other = this.#next();
        if (other === undefined || other.isLink) continue;
        const leaveByMs = Math.max(0, Math.floor((until - performance.now()) * MOVE_SHARE));
        if (!this.#serve.clients.greeter.move(other, leaveByMs)) this.#end(other);
      }
    }, PACE_MS);
    this.#endLinks();
    this.#deadline = setTimeout(() => {
      for (const connection of [...this.#serve.connections]) this.#cut(connection);
    }, drainMs);
    this.check();
  }

  /**
   * Links go on until no client is left for whom something might come on them, and the sessions that they carry have moved. Those of originals
   * know no such thing and end when nothing is in flight.
   */
  #endLinks(): void {
    void this.#sessionsAway.then(() => {
      this.#areSessionsAway = true;
      this.check();
    });
    const originals = setTimeout(() => {
      this.#mayOriginalsEnd = true;
      this.#endLinksThatMay();
    }, ORIGINALS_MS);
    void this.done.then(() => clearTimeout(originals));
  }

  /** To be called whenever a connection has come. */
  arrived(): void {
    if (!this.#haveAllBeenTold) return;
    this.#haveAllBeenTold = false;
    this.#others = this.#serve.connections.values();
    this.#schedule();
  }

  /** To be called whenever a connection is gone, or a link has come. */
  check(): void {
    if (this.#areClientsGone) this.#endLinksThatMay();
    if (this.#serve.connections.size > 0 || this.#away > 0) return;
    clearTimeout(this.#deadline);
    clearInterval(this.#pace);
    this.isOver = true;
    this.#finish();
  }

  get #areClientsGone(): boolean {
    // links are few, and nearly all of them stand before the clients
    for (const { isLink } of this.#serve.connections) if (!isLink) return false;
    return this.#away === 0;
  }

  #endLinksThatMay(): void {
    const mayOursEnd = this.#areSessionsAway && this.#areClientsGone;
    for (const link of [...this.#serve.connections]) {
      if (link.isLink && (link.peer === undefined ? this.#mayOriginalsEnd : mayOursEnd)) this.#end(link);
    }
  }

  #next(): Connection | undefined {
    const { value, done } = this.#others.next();
    this.#haveAllBeenTold = done === true;
    return value;
  }

  /** Ends a connection once what is in flight is answered. */
  #end(connection: Connection): void {
    connection.moving = false;
    connection.ending ??= 'drain';
    this.#serve.look(connection);
  }

  /** The time that it had is over. */
  #cut(connection: Connection): void {
    if (connection.state === 'open' && !connection.isLink) this.#cutOne();
    this.#serve.end(connection, 'drain');
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // not within the turn that found a connection quiet
    setImmediate(() => {
      this.#isScheduled = false;
      this.#moveSome();
    });
  }

  #moveSome(): void {
    if (this.#handOver === undefined) return;
    for (const connection of this.#due) {
      this.#due.delete(connection);
      // one that is busy again comes back through onQuiet
      if (connection.state === 'open' && connection.isQuiet) this.#moveOne(connection, this.#handOver);
    }
    while (this.#away + this.#due.size < MOVING) {
      const other = this.#next();
      if (other === undefined) break;
      if (other.isLink || other.state !== 'open' || other.moving) continue;
      other.moving = true;
      this.#serve.look(other);
      if (this.#isLate) this.#endIfLate(other);
    }
  }

  #moveOne(connection: Connection, handOver: HandOver): void {
    const taken = connection.detach();
    if (taken === undefined) return;
    this.#away++;
    handOver(connection, taken, () => {
      this.#away--;
      this.#schedule();
      this.check();
    });
    this.#serve.release(connection);
  }

  #endIfLate(connection: Connection): void {
    if (connection.moving && !connection.isQuiet) this.#cut(connection);
  }
}

/** Connections that go with each tick of a drain of so many: evenly in half of the time, or as slowly as others can take them in. */
function sliceOf(connections: number, ticks: number, most: number): number {
  const evenly = Math.ceil(connections / Math.max(1, Math.floor(ticks / 2)));
  const atLeast = connections / Math.max(1, Math.floor(ticks * LATEST_SHARE));
  return Math.max(atLeast, Math.min(evenly, most));
}
