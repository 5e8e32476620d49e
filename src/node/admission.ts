// Who may come in: limits on the clients of this worker and of one address.

import type { CloseReason } from '../errors.ts';
import type { Connection } from '../net/connection.ts';
import { AddressCounts } from '../net/limits.ts';
import type { Stats } from '../ops/stats.ts';
import type { Limits } from './limits.ts';

export class Admission {
  readonly #addresses = new AddressCounts();
  readonly #stats: Stats;
  #clients = 0;

  constructor(stats: Stats) {
    this.#stats = stats;
  }

  /** False, and counted, if a limit refuses another client from this address; an address that is unknown has left already. */
  admits(address: string | undefined, { maxClients, maxClientsPerAddress }: Limits): boolean {
    if (address === undefined) return this.#refuse('reset');
    if (this.#clients >= maxClients) return this.#refuse('max_clients');
    if (maxClientsPerAddress > 0 && this.#addresses.of(address) >= maxClientsPerAddress) return this.#refuse('max_clients_per_address');
    return true;
  }

  /** Links between nodes are no clients. */
  add(connection: Connection): void {
    if (connection.isLink) return;
    this.#clients++;
    this.#addresses.add(addressOf(connection));
  }

  remove(connection: Connection): void {
    if (connection.isLink) return;
    this.#clients--;
    this.#addresses.remove(addressOf(connection));
  }

  #refuse(reason: CloseReason): false {
    this.#stats.countRefused(reason);
    if (reason !== 'reset') this.#stats.countLimit(reason);
    return false;
  }
}

/** The address without the port. */
function addressOf({ remote }: Connection): string {
  return remote.slice(0, remote.lastIndexOf(':'));
}
