// Messages for clients of this worker, wherever they come from: encoded once for each dialect, gathered for every connection.
//
//   frames --codec--> one buffer --gather--> connection, connection, connection ...

import type { Client } from '../session/client.ts';
import type { Groups } from '../session/groups.ts';
import type { Users } from '../session/users.ts';
import type { Codec } from '../wire/codec.ts';
import { Writer } from '../wire/writer.ts';
import { decodePush, encodeResults, kick, results, type PushFrame } from './control.ts';

/** What a client reads when its session ends; without it the connection just ends. */
export interface Farewell {
  /** A fault, or the application's own number. */
  readonly code: number;
  readonly reason: string;
}

/** The clients whose connections this worker has. */
export interface GateClients {
  /** Undefined unless its connection is open. */
  bySession(id: string): Client | undefined;
  /** Those whose connections are open. */
  all(): Iterable<Client>;
  codecOf(client: Client): Codec;
  /**
   * Keeps encoded messages (`frames` many) until the end of the turn, behind everything that goes to this client. The same bytes go to many, and
   * are never changed. False if the client is gone.
   */
  gather(client: Client, bytes: Buffer, frames: number): boolean;
  /** It has not read more than outgoing_limit allows. Asked for every member of a group: it has to be cheap. */
  isSlow(client: Client): boolean;
  /**
   * Takes no further request, and ends the connection when those in flight are answered. A client that began with HELLO is told the farewell with
   * KICK first; an original one just sees the end.
   */
  end(client: Client, farewell: Farewell | undefined): void;
}

type Outcome = typeof results.done | typeof results.absent | typeof results.slow;

/** Messages for any number of clients: encoded once for each dialect, when the first client of it comes. */
export class Encoded {
  /** How many messages these are. */
  readonly count: number;
  readonly #frames: readonly PushFrame[];
  /** Made when a second dialect comes: most workers have one. */
  #known: Map<Codec, readonly Buffer[]> | undefined;
  #last: Codec | undefined;
  #buffers: readonly Buffer[] = [];

  constructor(frames: readonly PushFrame[]) {
    this.#frames = frames;
    this.count = frames.length;
  }

  /** One buffer with all, or one for each where the dialect takes one segment for one message. */
  by(codec: Codec): readonly Buffer[] {
    if (codec === this.#last) return this.#buffers;
    if (this.#last !== undefined) (this.#known ??= new Map<Codec, readonly Buffer[]>()).set(this.#last, this.#buffers);
    const buffers = this.#known?.get(codec) ?? encode(codec, this.#frames);
    this.#last = codec;
    return (this.#buffers = buffers);
  }
}

const out = new Writer();

function encode(codec: Codec, frames: readonly PushFrame[]): Buffer[] {
  const buffers: Buffer[] = [];
  for (const { cmd, data } of frames) {
    codec.writePush(out, cmd, data);
    if (!codec.coalesce) buffers.push(out.take());
  }
  if (codec.coalesce) buffers.push(out.take());
  return buffers;
}

export class Delivery {
  readonly clients: GateClients;
  readonly #users: Users<Client>;
  readonly #groups: Groups<Client>;

  constructor(clients: GateClients, users: Users<Client>, groups: Groups<Client>) {
    this.clients = clients;
    this.#users = users;
    this.#groups = groups;
  }

  toSession(session: string, encoded: Encoded): Outcome {
    return this.#to(this.clients.bySession(session), encoded, false);
  }

  toUser(user: string, encoded: Encoded, skipSlow = false): Outcome {
    return this.#to(this.#users.clientOf(user), encoded, skipSlow);
  }

  /** To the members of a group, or to everybody if there is none. */
  spread(group: string, frames: readonly PushFrame[]): { delivered: number; slow: number } {
    const encoded = new Encoded(frames);
    let delivered = 0;
    let slow = 0;
    for (const client of group === '' ? this.clients.all() : this.#groups.members(group)) {
      const result = this.#to(client, encoded, true);
      if (result === results.done) delivered++;
      else if (result === results.slow) slow++;
    }
    return { delivered, slow };
  }

  /** Answers Push: the data of its Results. */
  push(message: Buffer): Buffer {
    const { sessions, users, frames, skipSlow } = decodePush(message);
    const encoded = new Encoded(frames);
    const list = new Uint8Array(sessions.length + users.length);
    let at = 0;
    for (const session of sessions) list[at++] = this.#to(this.clients.bySession(session), encoded, skipSlow);
    for (const user of users) list[at++] = this.#to(this.#users.clientOf(user), encoded, skipSlow);
    return encodeResults(list);
  }

  /** Answers Kick. */
  kick(message: Buffer): Buffer {
    const { session, user, code, reason } = kick.decode(message);
    return encodeResults(
      Buffer.from([this.end(session === '' ? this.#users.clientOf(user) : this.clients.bySession(session), code, reason)]),
    );
  }

  endUser(user: string, code: number, reason: string): Outcome {
    return this.end(this.#users.clientOf(user), code, reason);
  }

  end(client: Client | undefined, code: number, reason: string): Outcome {
    if (client === undefined) return results.absent;
    this.clients.end(client, code === 0 && reason === '' ? undefined : { code, reason });
    return results.done;
  }

  #to(client: Client | undefined, encoded: Encoded, skipSlow: boolean): Outcome {
    if (client === undefined) return results.absent;
    if (skipSlow && this.clients.isSlow(client)) return results.slow;
    const buffers = encoded.by(this.clients.codecOf(client));
    if (buffers.length === 1) return this.clients.gather(client, buffers[0]!, encoded.count) ? results.done : results.absent;
    for (const bytes of buffers) if (!this.clients.gather(client, bytes, 1)) return results.absent;
    return results.done;
  }
}
