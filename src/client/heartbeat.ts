// Asks the server at an interval whether it is there, and says when it is not.

export interface HeartbeatPort {
  /** Sends one and returns its seq. */
  send(): number;
  /** Bytes that came, and bytes of ours that the network took, both since the beginning; `isStuck` while some of ours wait to be taken. */
  progress(): { received: number; taken: number; isStuck: boolean };
  answered(roundTripMs: number, serverTime: number): void;
  lost(reason: string): void;
}

export class Heartbeat {
  readonly #port: HeartbeatPort;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #seq = 0;
  #sentAt = 0;

  constructor(port: HeartbeatPort, intervalMs: number, timeoutMs: number) {
    this.#port = port;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#seq = 0;
  }

  /** An answer came, with the server's time where it told one; what answers nothing that is waited for is passed over. */
  answer(seq: number, serverTime: number | undefined): void {
    if (seq !== this.#seq || seq === 0) return;
    this.stop();
    if (serverTime !== undefined) this.#port.answered(performance.now() - this.#sentAt, serverTime);
    this.#next();
  }

  /** There is reason to doubt that the server is there: it is asked now, unless it has been asked already. */
  ask(): void {
    if (this.#seq !== 0) return;
    clearTimeout(this.#timer);
    this.#sentAt = performance.now();
    this.#seq = this.#port.send();
    this.#watch();
  }

  #next(): void {
    this.#timer = setTimeout(() => this.ask(), this.#intervalMs);
  }

  /**
   * An answer may stand behind megabytes, in either direction. As long as they move the server is not lost; that ours move says something only
   * when they did not all fit into the buffers of this machine.
   */
  #watch(): void {
    const before = this.#port.progress();
    this.#timer = setTimeout(() => {
      const now = this.#port.progress();
      if (now.received > before.received || (before.isStuck && now.taken > before.taken)) this.#watch();
      else this.#port.lost(`the server did not answer a heartbeat within ${this.#timeoutMs} ms`);
    }, this.#timeoutMs);
  }
}
