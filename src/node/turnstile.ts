// Which requests may be taken from a connection now: its turn, its limits, its pace.

import type { Connection } from '../net/connection.ts';
import { paceMs } from '../net/pace.ts';
import type { Stats } from '../ops/stats.ts';
import type { Route, Router } from '../route/router.ts';
import type { Frame } from '../wire/frame.ts';
import type { Greeter } from './greeter.ts';
import { Haste } from './haste.ts';
import type { Limits } from './limits.ts';
import type { ServeOptions } from './serve-options.ts';
import { Throttle } from './throttle.ts';

export class Turnstile {
  readonly #router: Router;
  readonly #greeter: Greeter;
  readonly #stats: Stats;
  readonly #throttle: Throttle;
  readonly #haste: Haste<Connection>;

  /** `wake` is called with a connection that waited for its pace or its turn. */
  constructor({ router, stats, ledger, now }: ServeOptions, greeter: Greeter, wake: (connection: Connection) => void) {
    this.#router = router;
    this.#greeter = greeter;
    this.#stats = stats;
    this.#throttle = new Throttle(ledger, wake);
    this.#haste = new Haste(now, wake);
  }

  /** A newcomer has arrived. */
  arrived(): void {
    this.#haste.arrived();
  }

  /** True if a connection that has sent something is served in a later turn of the event loop. */
  putsOff(connection: Connection, bytes: number, now: number): boolean {
    return this.#haste.putsOff(connection, bytes, now);
  }

  /** False while nothing more may be read from the connection. */
  mayTake(connection: Connection, limits: Limits): boolean {
    if (connection.moving || connection.ending !== undefined) return false;
    const limit = connection.isLink ? limits.linkInFlight : limits.maxInFlight;
    if (connection.slots === undefined || connection.slots.length < limit) return true;
    if (connection.decoder.held > 0) this.#stats.countLimit(connection.isLink ? 'link_in_flight' : 'max_in_flight');
    return false;
  }

  /** Who answers it; undefined for what nobody answers, and for what a client of its dialect may not send. */
  route(connection: Connection, frame: Frame): Route | undefined {
    const { isLink, codec } = connection;
    return isLink || codec.isClientCommand(frame.cmd) ? this.#router.find(frame.cmd) : this.#greeter.route(connection, frame);
  }

  /** One request of a connection at a time, unless its module allows more; and not more a second than request_rate. */
  mayStart(connection: Connection, route: Route | undefined, limits: Limits, now: number): boolean {
    // a link carries requests of many clients, none of which may wait for another's
    if (connection.isLink) return true;
    const slots = connection.slots;
    if (slots !== undefined && slots.length > 0) {
      if (route === undefined || slots.length >= route.concurrent || !connection.hasPlace) return false;
    }
    if (connection.moving) return true;
    const wait = paceMs(connection, limits.requestRate, limits.requestBurst, Math.trunc(now));
    if (wait === 0) return true;
    if (this.#throttle.hold(connection, wait)) this.#stats.countLimit('request_rate');
    return false;
  }

  forget(connection: Connection): void {
    this.#throttle.forget(connection);
    this.#haste.forget(connection);
  }
}
