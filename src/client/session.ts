// Who the server says this client is, and how its clock compares: known to clients that greet (option hello).

export interface Session {
  readonly id: string;
  /** Continues the session on another connection; keep it secret, and present it with the option sessionToken after a restart. */
  readonly token: Uint8Array;
  /** Empty if nobody logged in when the connection was made. */
  readonly userId: string;
  /** The session of the connection before goes on; false in a new one, where the application has to log in again. */
  readonly resumed: boolean;
}

export interface ServerClock {
  /** Of the last heartbeat, in milliseconds. */
  readonly roundTripMs: number;
  /** What to add to Date.now() for the server's time, in milliseconds; exact to half of the shortest round trip. */
  readonly offsetMs: number;
}

interface Sample {
  readonly roundTripMs: number;
  readonly offsetMs: number;
}

const SAMPLES = 8;

/** Takes the clock from several round trips: the shortest of the last few is the least disturbed. */
export class ClockEstimate {
  readonly #samples: Sample[] = [];

  /** `serverTime` and `now` in milliseconds since 1970, `now` on our clock when the answer came. */
  add(roundTripMs: number, serverTime: number, now: number): void {
    this.#samples.push({ roundTripMs, offsetMs: serverTime + roundTripMs / 2 - now });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get value(): ServerClock | undefined {
    const last = this.#samples.at(-1);
    if (last === undefined) return undefined;
    const best = this.#samples.reduce((a, b) => (b.roundTripMs < a.roundTripMs ? b : a));
    return { roundTripMs: last.roundTripMs, offsetMs: best.offsetMs };
  }
}
