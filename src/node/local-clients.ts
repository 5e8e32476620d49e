// What clients on connections of this worker can be asked by modules.

import type { Connection } from '../net/connection.ts';
import type { Outbox } from '../net/outbox.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Hooks } from '../route/hooks.ts';
import type { Client, ClientHost } from '../session/client.ts';

const connectionOf = (client: Client): Connection => client.seat as Connection;

export class LocalClients implements ClientHost {
  readonly ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #hooks: Hooks;

  constructor(ledger: Ledger, outbox: Outbox, hooks: Hooks) {
    this.ledger = ledger;
    this.#outbox = outbox;
    this.#hooks = hooks;
  }

  push(client: Client, cmd: number, data: string | Uint8Array): boolean {
    if (!this.isConnected(client)) return false;
    this.#outbox.push(connectionOf(client), cmd, data);
    return true;
  }

  close(client: Client): void {
    connectionOf(client).ending = 'module';
    this.#outbox.markDirty(connectionOf(client));
  }

  isConnected(client: Client): boolean {
    return connectionOf(client).state === 'open';
  }

  outgoing(client: Client): number {
    return connectionOf(client).outgoing;
  }

  expired(client: Client, key: string, value: unknown): void {
    this.#hooks.expired(client, key, value);
  }
}
