// A client as modules see it: who it is, what is remembered of it, and how to speak to it without being asked.

import type { Ledger } from '../ops/ledger.ts';
import type { BindResult, GroupResult } from './results.ts';
import { Session } from './session.ts';

/** What a client needs from the worker it lives in. */
export interface ClientHost {
  readonly ledger: Ledger;
  push(client: Client, cmd: number, data: string | Uint8Array): boolean;
  close(client: Client): void;
  bind(client: Client, user: string): Promise<BindResult>;
  unbind(client: Client): Promise<GroupResult>;
  join(client: Client, group: string): Promise<GroupResult>;
  leave(client: Client, group: string): Promise<GroupResult>;
  kick(client: Client, reason: string, code: number): void;
  isConnected(client: Client): boolean;
  outgoing(client: Client): number;
  expired(client: Client, key: string, value: unknown): void;
}

export class Client {
  /** Of its session: unique in the cluster, and the same for as long as that lives, whichever worker serves it. */
  readonly id: string;
  /** Address and port of the other end, as in 192.0.2.7:51332. */
  readonly remote: string;
  /** @internal where it is reached: its connection, or the link to its gate */
  seat: unknown;
  /** @internal workers that have its session, by node type */
  pins: Map<string, unknown> | undefined;
  /** @internal what introduces it to other workers, encoded */
  origin: Buffer | undefined;
  /** @internal the number that stands for it on links, 0 before there is one */
  ref = 0;
  /** @internal links on which it has been introduced */
  met: readonly unknown[] | undefined;
  readonly #host: ClientHost;
  #userId = '';
  #session: Session | undefined;
  #hasLeft = false;

  constructor({ id, remote }: { id: string; remote: string }, host: ClientHost, seat: unknown) {
    this.id = id;
    this.remote = remote;
    this.#host = host;
    this.seat = seat;
  }

  /** Who it is for the application, once a module has bound it to a user; empty before. */
  get userId(): string {
    return this.#userId;
  }

  /** @internal */
  set userId(userId: string) {
    this.#userId = userId;
    // whoever knows it by another name is told with the next request
    this.origin = undefined;
    this.met = undefined;
  }

  /** Made on first use: most connections of a device fleet never need one. */
  get session(): Session {
    if (this.#session === undefined) {
      this.#session = new Session(this.id, this.#host.ledger, (key, value) => this.#host.expired(this, key, value));
      if (this.#hasLeft) this.#session.close();
    }
    return this.#session;
  }

  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  get isConnected(): boolean {
    return this.#host.isConnected(this);
  }

  /** Unsent bytes: what the client has not read yet. Modules that push much look at it before they push more. */
  get outgoing(): number {
    return this.#host.outgoing(this);
  }

  /** Sends a message that answers nothing (seq 0). False if the client is gone. Order is kept among all that goes to one client. */
  push(cmd: number, data: string | Uint8Array): boolean {
    return this.#host.push(this, cmd, data);
  }

  /** Takes no further request, and ends the connection when those in flight are answered and everything is sent. */
  close(): void {
    this.#host.close(this);
  }

  /**
   * The client is that user from now on: what is pushed to the user reaches it, wherever it is connected. A second login replaces the first, which
   * is told, or is refused: `second_login` of its gate says which. Throws Fault invalidParams for a name that is empty or too long.
   */
  bind(user: string): Promise<BindResult> {
    return this.#host.bind(this, user);
  }

  /** The client is no user any more. */
  unbind(): Promise<GroupResult> {
    return this.#host.unbind(this);
  }

  /** The client gets what is pushed to the group from now on. Throws Fault invalidParams for a name that is empty or too long. */
  join(group: string): Promise<GroupResult> {
    return this.#host.join(this, group);
  }

  leave(group: string): Promise<GroupResult> {
    return this.#host.leave(this, group);
  }

  /** Ends its session and its connection, behind everything that was sent. One that began with HELLO is told the reason and does not come back. */
  kick(reason: string, code = 0): void {
    this.#host.kick(this, reason, code);
  }

  /** @internal its connection goes on with another session */
  become(session: string): void {
    (this as { id: string }).id = session;
    this.#session?.close();
    this.#session = undefined;
    this.origin = undefined;
    this.met = undefined;
  }

  /** @internal the connection is gone from this worker */
  release(): void {
    this.#hasLeft = true;
    this.#session?.close();
  }
}
