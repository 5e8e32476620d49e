// What carries the bytes of a client. TCP is one; a WebSocket in a browser can be another, since nothing else here needs Node.js.

export interface Address {
  host: string;
  port: number;
}

/** Who is told what happens on a link. `closed` comes exactly once and last, also when the link never opened or was ended by us. */
export interface LinkEvents {
  opened(): void;
  data(bytes: Buffer): void;
  /** The error, where there was one, is a sentence with the reason and the cure. */
  closed(error?: Error): void;
}

/** One connection of a transport, opening or open. */
export interface Link {
  /** Bytes that were written and that the other end did not take yet. */
  readonly unsent: number;
  write(bytes: Uint8Array): void;
  /** Ends our side after what was written. */
  end(): void;
  /** Ends both sides now. */
  destroy(): void;
}

export interface Transport {
  /** Begins to connect and returns at once; events come in later turns. */
  connect(to: Address, events: LinkEvents): Link;
  /** Runs `task` at the end of this turn of the event loop: all requests of a turn leave in one write. */
  afterTurn(task: () => void): void;
}
