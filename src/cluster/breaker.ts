// Which nodes are left alone for a while, because they can not be reached or do not answer. Others take their share of the ring meanwhile.

export interface BreakerSettings {
  /** Requests in a row that got no answer in time before the node is left alone. One connection that is refused is enough. */
  readonly failures: number;
  /** For how long, in milliseconds. */
  readonly openMs: number;
}

interface State {
  failures: number;
  openUntil: number;
}

export class Breaker {
  settings: BreakerSettings;
  readonly #nodes = new Map<string, State>();
  readonly #now: () => number;
  readonly #changed: (address: string, isOpen: boolean, why: string) => void;
  /** How often it opened. */
  opened = 0;

  constructor(settings: BreakerSettings, now: () => number, changed: (address: string, isOpen: boolean, why: string) => void) {
    this.settings = settings;
    this.#now = now;
    this.#changed = changed;
  }

  isOpen(address: string): boolean {
    return this.#nodes.size > 0 && (this.#nodes.get(address)?.openUntil ?? 0) > 0;
  }

  /** The addresses that are left alone. */
  get open(): string[] {
    return [...this.#nodes].filter(([, state]) => state.openUntil > 0).map(([address]) => address);
  }

  /** True while nothing is held against anybody. */
  get isQuiet(): boolean {
    return this.#nodes.size === 0;
  }

  /** Something came from the node: it lives. */
  works(address: string): void {
    if (this.#nodes.size === 0) return;
    const state = this.#nodes.get(address);
    if (state === undefined) return;
    this.#nodes.delete(address);
    if (state.openUntil > 0) this.#changed(address, false, 'it answers');
  }

  /** A request got no answer in time. */
  failed(address: string, why: string): void {
    const state = this.#nodes.get(address) ?? { failures: 0, openUntil: 0 };
    this.#nodes.set(address, state);
    if (++state.failures >= this.settings.failures) this.#trip(address, state, why);
  }

  /** It can not be reached at all. */
  refused(address: string, why: string): void {
    const state = this.#nodes.get(address) ?? { failures: 0, openUntil: 0 };
    this.#nodes.set(address, state);
    this.#trip(address, state, why);
  }

  #trip(address: string, state: State, why: string): void {
    const was = state.openUntil > 0;
    state.openUntil = this.#now() + this.settings.openMs;
    if (was) return;
    this.opened++;
    this.#changed(address, true, why);
  }

  /** Gives those another try whose time is over; to be called some times a second. */
  sweep(): void {
    const now = this.#now();
    for (const [address, state] of this.#nodes) {
      if (state.openUntil === 0 || state.openUntil > now) continue;
      // one more failure opens it again
      state.openUntil = 0;
      state.failures = this.settings.failures - 1;
      this.#changed(address, false, 'it gets another try');
    }
  }

  /** The node is no member any more. */
  forget(address: string): void {
    this.#nodes.delete(address);
  }
}
