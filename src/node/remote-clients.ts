// What modules can ask of clients whose connections are at gates: they are reached over the link on which their requests come.

import type { ClientRef, Messenger } from '../cluster/messenger.ts';
import type { Peer } from '../cluster/peer.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Hooks } from '../route/hooks.ts';
import type { Client, ClientHost } from '../session/client.ts';
import type { BindResult, GroupResult } from '../session/results.ts';
import type { Seat } from './seat.ts';

export class RemoteClients implements ClientHost {
  readonly ledger: Ledger;
  /** Set when the worker starts. */
  messenger: Messenger | undefined;
  readonly #hooks: Hooks;

  constructor(ledger: Ledger, hooks: Hooks) {
    this.ledger = ledger;
    this.#hooks = hooks;
  }

  push(client: Client, cmd: number, data: string | Uint8Array): boolean {
    return this.isConnected(client) && this.#gates().pushSession(refOf(client), cmd, data);
  }

  close(client: Client): void {
    this.kick(client, '', 0);
  }

  isConnected(client: Client): boolean {
    const seat = client.seat as Seat;
    return seat.client === client && seat.connection !== undefined;
  }

  kick(client: Client, reason: string, code: number): void {
    void this.#gates().kickSession(refOf(client), reason, code);
  }

  async bind(client: Client, user: string): Promise<BindResult> {
    const result = await this.#gates().bind(refOf(client), user);
    if (result === 'bound' || result === 'replaced') this.#rename(client, user);
    return result;
  }

  async unbind(client: Client): Promise<GroupResult> {
    const result = await this.#gates().unbind(refOf(client), client.userId);
    if (result === 'done') this.#rename(client, '');
    return result;
  }

  /** The gate says so with its next request, too. */
  #rename(client: Client, user: string): void {
    (client.seat as Seat).user = user;
    client.userId = user;
  }

  join(client: Client, group: string): Promise<GroupResult> {
    return this.#gates().join(refOf(client), group);
  }

  leave(client: Client, group: string): Promise<GroupResult> {
    return this.#gates().leave(refOf(client), group);
  }

  #gates(): Messenger {
    if (this.messenger === undefined) throw new Error('clients of gates need a worker that is started');
    return this.messenger;
  }

  /** What waits in its gate is not known here. */
  outgoing(): number {
    return 0;
  }

  expired(client: Client, key: string, value: unknown): void {
    this.#hooks.expired(client, key, value);
  }
}

/** A client at its gate: where its requests come from, it can be reached. */
const refOf = (client: Client): ClientRef => ({ id: client.id, peer: (client.seat as Seat).connection?.peer as Peer | undefined });
