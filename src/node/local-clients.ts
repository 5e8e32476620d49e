// The clients on connections of this worker: what modules can ask of them, and how messages of the whole cluster reach them.

import type { Farewell, GateClients } from '../cluster/delivery.ts';
import type { Messenger } from '../cluster/messenger.ts';
import type { Connection } from '../net/connection.ts';
import type { Outbox } from '../net/outbox.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Hooks } from '../route/hooks.ts';
import type { Client, ClientHost } from '../session/client.ts';
import type { BindResult, GroupResult } from '../session/results.ts';
import type { Codec } from '../wire/codec.ts';
import { clientCommands, kick } from '../wire/client-control.ts';
import { restoreCounts, type Arrival } from './arrival.ts';
import { greetedOf } from './greeted.ts';
import { Greeter, type GreeterClients, type GreeterOptions } from './greeter.ts';

const connectionOf = (client: Client): Connection => client.seat as Connection;

export interface LocalClientsOptions extends GreeterOptions {
  ledger: Ledger;
  outbox: Outbox;
  hooks: Hooks;
}

export class LocalClients implements ClientHost, GateClients, GreeterClients {
  readonly ledger: Ledger;
  /** Those that began with HELLO. */
  readonly greeter: Greeter;
  /** Set where there is a cluster. */
  messenger: Messenger | undefined;
  readonly #options: LocalClientsOptions;
  readonly #bySession = new Map<string, Client>();

  constructor(options: LocalClientsOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    this.greeter = new Greeter(options, this);
  }

  // ---- who there is ----

  add(client: Client): void {
    this.#bySession.set(client.id, client);
  }

  remove(client: Client): void {
    // another connection may have its session by now
    if (this.#bySession.get(client.id) === client) this.#bySession.delete(client.id);
  }

  holder(session: string): Client | undefined {
    return this.#bySession.get(session);
  }

  rename(client: Client, session: string): void {
    this.remove(client);
    client.become(session);
    connectionOf(client).id = session;
    this.add(client);
  }

  forget(client: Client): void {
    this.remove(client);
    const { userId, origin, met } = client;
    this.messenger?.left(client);
    if (client.userId === userId) return;
    // requests that still come on its connection are of the user that it was, and other workers know it already
    client.userId = userId;
    client.origin = origin;
    client.met = met;
  }

  /** Goes on with a client that another worker served until now. */
  restore(connection: Connection, client: Client, arrival: Arrival): void {
    const { luggage, greeted, rest } = arrival;
    restoreCounts(connection, arrival);
    if (greeted !== undefined) this.greeter.takeOver(connection, greeted);
    const { sessions } = this.greeter;
    if (greeted?.elsewhere !== undefined) this.remove(client);
    if (luggage !== undefined && sessions?.unpack(client, luggage) === true && greeted?.elsewhere === undefined)
      // their links to the worker of before end: who only listens would be out of reach
      sessions.follow(client.id, { user: client.userId, pins: luggage.pins }, false);
    connection.decoder.feed(rest);
  }

  bySession(id: string): Client | undefined {
    const client = this.#bySession.get(id);
    return client !== undefined && this.isConnected(client) ? client : undefined;
  }

  *all(): Generator<Client> {
    for (const client of this.#bySession.values()) if (this.isConnected(client)) yield client;
  }

  codecOf(client: Client): Codec {
    return connectionOf(client).codec;
  }

  // ---- messages ----

  gather(client: Client, bytes: Buffer, frames: number): boolean {
    if (!this.isConnected(client)) return false;
    this.#options.outbox.frames += frames;
    this.#options.outbox.gather(connectionOf(client), bytes);
    return true;
  }

  isSlow(client: Client): boolean {
    return connectionOf(client).socket.writableLength > this.#options.limits().outgoingLimit;
  }

  push(client: Client, cmd: number, data: string | Uint8Array): boolean {
    if (!this.isConnected(client)) return false;
    this.#options.outbox.push(connectionOf(client), cmd, data);
    return true;
  }

  // ---- the end ----

  end(client: Client, farewell: Farewell | undefined): void {
    const connection = connectionOf(client);
    if (farewell !== undefined && connection.greeted !== undefined) {
      this.#options.outbox.push(connection, clientCommands.kick, kick.encode(farewell));
    }
    this.close(client);
  }

  close(client: Client): void {
    const connection = connectionOf(client);
    const greeted = greetedOf(connection);
    if (greeted !== undefined) greeted.isOver = true;
    connection.ending = 'module';
    this.#options.outbox.markDirty(connection);
  }

  isConnected(client: Client): boolean {
    return connectionOf(client).state === 'open';
  }

  outgoing(client: Client): number {
    return connectionOf(client).outgoing;
  }

  expired(client: Client, key: string, value: unknown): void {
    this.#options.hooks.expired(client, key, value);
  }

  // ---- the cluster ----

  bind(client: Client, user: string): Promise<BindResult> {
    return this.#cluster().bind(here(client), user);
  }

  unbind(client: Client): Promise<GroupResult> {
    return this.#cluster().unbind(here(client));
  }

  join(client: Client, group: string): Promise<GroupResult> {
    return this.#cluster().join(here(client), group);
  }

  leave(client: Client, group: string): Promise<GroupResult> {
    return this.#cluster().leave(here(client), group);
  }

  kick(client: Client, reason: string, code: number): void {
    void this.#cluster().kickSession(here(client), reason, code);
  }

  #cluster(): Messenger {
    if (this.messenger === undefined) throw new Error('users and groups need a worker that is started');
    return this.messenger;
  }
}

const here = (client: Client) => ({ id: client.id, peer: undefined });
