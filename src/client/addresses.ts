// Where to connect next: the address that was dialled, or one that a gate named when it asked to move.

import { MAX_MOVE_ADDRESSES } from '../wire/client-control.ts';
import type { Address } from './transport.ts';

/** As people write it, and as parseAddress reads it. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads host:port or [host]:port; undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]\s]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || host.length > 255 || !(port > 0 && port < 65536) ? undefined : { host, port };
}

export class Addresses {
  readonly #dialled: Address;
  readonly #random: () => number;
  /** What the last MOVE named. */
  #named: readonly Address[] = [];
  #last: Address | undefined;
  #failures = 0;
  /** What comes next whatever else is known. */
  #only: Address | undefined;

  /** `random` gives 0 up to below 1. */
  constructor(dialled: Address, random: () => number) {
    this.#dialled = dialled;
    this.#random = random;
  }

  /** A gate named others. What is no address is left out; with none left it is the one that was dialled. */
  name(texts: readonly string[]): void {
    this.#named = texts.slice(0, MAX_MOVE_ADDRESSES).flatMap((text) => parseAddress(text) ?? []);
    this.#failures = 0;
    this.#only = undefined;
  }

  /** A connection that was in use is lost: what was named then may belong to others by now, so the dialled address comes first. */
  lost(): void {
    this.#only = this.#dialled;
  }

  /** The last one is worth another try, made differently. */
  again(): void {
    this.#only = this.#last;
  }

  /** The one last taken could not be reached. */
  failed(): void {
    this.#failures++;
  }

  /**
   * A named address by chance, not the last one where there is another. The dialled one is among them when as many tries have failed as
   * there are names.
   */
  next(): Address {
    const all = this.#failures >= this.#named.length ? [...this.#named, this.#dialled] : this.#named;
    const last = this.#last === undefined ? '' : addressText(this.#last);
    const others = all.filter((address) => addressText(address) !== last);
    const from = others.length > 0 ? others : all;
    this.#last = this.#only ?? from[Math.floor(this.#random() * from.length)]!;
    this.#only = undefined;
    return this.#last;
  }
}
