// The gate's side of HELLO: sessions that outlive their connections (wire/client-control.ts tells what a client sees).
//
//   HELLO, no token ---------------------------------------------------> WELCOME, new session
//   HELLO, token --> kept here, or on another connection here --------+
//               +--> another worker that serves clients (GateSessions) +-> WELCOME, resumed
//               +--> nobody has it --------------------------------------> WELCOME, new session
//   connection lost --> kept for resume_ms --> over
//   worker leaves ----> what is kept goes to another worker

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { GateSessions, Luggage, Stray } from '../cluster/gate-sessions.ts';
import { decodeToken, encodeToken, SECRET_BYTES } from '../cluster/token.ts';
import { Fault } from '../errors.ts';
import type { Connection } from '../net/connection.ts';
import type { Outbox } from '../net/outbox.ts';
import { paceMs } from '../net/pace.ts';
import type { Stats } from '../ops/stats.ts';
import type { Context } from '../route/context.ts';
import type { Route } from '../route/router.ts';
import type { Client } from '../session/client.ts';
import type { Reply } from '../wire/codec.ts';
import * as control from '../wire/client-control.ts';
import type { Frame } from '../wire/frame.ts';
import { encodeOrigin } from '../wire/relay-context.ts';
import { Greeted, GreetedDecoder, greetedOf } from './greeted.ts';
import type { Limits } from './limits.ts';
import { Strays } from './strays.ts';

/** How long other workers may take to say whether they have a session, and to take one that is kept. */
const ASK_MS = 1000;
/** Less than whoever asks us waits. */
const COMING_MS = 800;
const SWEEP_MS = 1000;
/** How often a session goes ahead of its client that changes on the way. */
const AHEAD_TRIES = 3;
/** How many sessions are on their way to others at once when the worker leaves. */
const GIVING = 256;
/** A client sends one in some seconds. */
const HEARTBEATS_PER_SECOND = 20;
const NOTHING = Buffer.alloc(0);

/** What became of clients that greeted, since the start. */
export interface GreeterCounts {
  begun: number;
  /** Went on with the session of their token. */
  resumed: number;
  /** Nobody knew their token. */
  unknown: number;
  /** Sessions that nobody came back for. */
  expired: number;
  /** Asked to move. */
  asked: number;
}

export interface GreeterOptions {
  outbox: Outbox;
  stats: Stats;
  limits(): Limits;
  now(): number;
}

/** What it asks of the clients of this worker. */
export interface GreeterClients {
  /** Whoever has that session, also while its connection ends. */
  holder(session: string): Client | undefined;
  /** The client is known by that session from now on. */
  rename(client: Client, session: string): void;
  /** Messages for the client do not come here any more; requests that it still sends are answered. */
  forget(client: Client): void;
  /** Ends its session and its connection. */
  close(client: Client): void;
}

const nothing = (): void => undefined;

/** One who only knows the name of a session waits for nobody. */
const nameOf = (session: string, secret: Uint8Array): string => `${session} ${base64(secret)}`;

const connectionOf = (client: Client): Connection => client.seat as Connection;

export class Greeter {
  readonly counts: GreeterCounts = { begun: 0, resumed: 0, unknown: 0, expired: 0, asked: 0 };
  /** Set where there is a cluster; without one nobody is greeted. */
  sessions: GateSessions | undefined;
  readonly #options: GreeterOptions;
  readonly #clients: GreeterClients;
  readonly #strays: Strays;
  /** Sessions that others are asked for: each resolves when it is here, or nobody has it. */
  readonly #coming = new Map<string, Promise<void>>();
  readonly #routes: ReadonlyMap<number, Route>;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(options: GreeterOptions, clients: GreeterClients) {
    this.#options = options;
    this.#clients = clients;
    this.#strays = new Strays((stray) => {
      this.counts.expired++;
      this.sessions?.follow(stray.session, stray, true);
    });
    const stats = options.stats.command('greeting');
    const route = (call: Route['call']): Route => ({ module: 'greeter', timeoutMs: 0, concurrent: 1, stats, call, encode: undefined });
    const { hello, heartbeat, leave } = control.clientCommands;
    this.#routes = new Map([
      [hello, route((data, ctx) => this.#hello(data, ctx))],
      [heartbeat, route((data) => this.#heartbeat(data))],
      [leave, route((data, ctx) => this.#leave(data, ctx))],
    ]);
  }

  /** Sessions that have no connection. */
  get kept(): number {
    return this.#strays.size;
  }

  /** Who answers a command of the connection itself; undefined for clients that did not begin with HELLO. */
  route(connection: Connection, { cmd }: Frame): Route | undefined {
    if (this.sessions === undefined || connection.isLink) return undefined;
    const isHello = cmd === control.clientCommands.hello;
    const isItsTurn = connection.greeted === undefined ? isHello && connection.requests === 0 : !isHello;
    return isItsTurn ? this.#routes.get(cmd) : undefined;
  }

  // ---- what clients say ----

  #hello(data: Buffer, ctx: Context): Reply | Buffer | Promise<Buffer> {
    const connection = connectionOf(ctx.client);
    let said;
    try {
      said = control.hello.decode(data);
      if (said.token.length > control.MAX_TOKEN) throw new Fault('invalidMessage', `a token of ${said.token.length} bytes`);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      connection.ending = 'frame';
      return { code: error.code, msg: error.message, data: '' };
    }
    const canMove = (said.capabilities & control.capabilities.moves) !== 0;
    if (said.token.length === 0) return this.#begin(connection, ctx.client, canMove);
    return this.#resume(connection, ctx.client, canMove, Buffer.from(said.token));
  }

  #begin(connection: Connection, client: Client, canMove: boolean): Buffer {
    this.counts.begun++;
    this.#greet(connection, new Greeted(randomBytes(SECRET_BYTES), canMove));
    return this.#welcome(connection, client, false);
  }

  async #resume(connection: Connection, client: Client, canMove: boolean, bytes: Buffer): Promise<Buffer> {
    const token = decodeToken(bytes);
    if (token === undefined) return this.#goOn(connection, client, canMove, undefined);
    const { session, secret } = token;
    const here = this.give(session, secret) ?? (await this.giveOnceHere(session, secret));
    if (here !== undefined) return this.#goOn(connection, client, canMove, here);
    const fetched = this.sessions!.fetch(token, ASK_MS).then((stray) => this.#goOn(connection, client, canMove, stray));
    const coming = fetched.then(nothing, nothing);
    const name = nameOf(session, secret);
    this.#coming.set(name, coming);
    void coming.then(() => this.#coming.get(name) === coming && this.#coming.delete(name));
    return fetched;
  }

  #goOn(connection: Connection, client: Client, canMove: boolean, stray: Stray | undefined): Buffer {
    if (stray === undefined) {
      this.counts.unknown++;
      return this.#begin(connection, client, canMove);
    }
    // it has gone while others were asked: what they gave waits for it here
    if (connection.state !== 'open') {
      if (!this.keep(stray)) this.sessions!.follow(stray.session, stray, true);
      return NOTHING;
    }
    this.counts.resumed++;
    const greeted = new Greeted(randomBytes(SECRET_BYTES), canMove);
    greeted.before = stray.secret;
    this.#greet(connection, greeted);
    this.#clients.rename(client, stray.session);
    this.#settle(connection, client, stray);
    return this.#welcome(connection, client, true);
  }

  #greet(connection: Connection, greeted: Greeted): void {
    connection.greeted = greeted;
    connection.decoder = new GreetedDecoder(connection, (frame) => this.#answersAtOnce(connection, greeted, frame));
  }

  /** A heartbeat is answered whatever waits in front of it, unless there are too many, or its body is none: then it is a request like others. */
  #answersAtOnce(connection: Connection, { pace }: Greeted, frame: Frame): boolean {
    if (paceMs(pace, HEARTBEATS_PER_SECOND, HEARTBEATS_PER_SECOND, Math.trunc(this.#options.now())) > 0) return false;
    let data: Buffer;
    try {
      data = connection.codec.data(frame);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return false;
    }
    this.#options.outbox.reply(connection, frame, { code: 0, msg: 'ok', data: this.#heartbeat(data) });
    return true;
  }

  #settle(connection: Connection, client: Client, luggage: Luggage): void {
    connection.requests += luggage.requests;
    if (!this.sessions!.unpack(client, luggage)) return;
    this.sessions!.follow(client.id, { user: client.userId, pins: luggage.pins }, false);
  }

  #welcome(connection: Connection, client: Client, resumed: boolean): Buffer {
    const { clientHeartbeatMs, keepAliveMs } = this.#options.limits();
    // whoever is silent for keep_alive is closed: a heartbeat comes well before that
    const heartbeatMs = keepAliveMs === 0 ? clientHeartbeatMs : Math.min(clientHeartbeatMs, Math.floor(keepAliveMs / 2));
    const { secret } = greetedOf(connection)!;
    return control.welcome.encode({
      session_id: client.id,
      token: encodeToken({ session: client.id, worker: this.sessions!.self, secret }),
      heartbeat_ms: heartbeatMs,
      server_time: Date.now(),
      resumed,
      user_id: client.userId,
    });
  }

  #heartbeat(data: Buffer): Buffer {
    let clientTime = 0;
    try {
      clientTime = control.heartbeat.decode(data).client_time;
    } catch (error) {
      // it is alive, whatever its clock says
      if (!(error instanceof Fault)) throw error;
    }
    return control.heartbeatReply.encode({ server_time: Date.now(), client_time: clientTime });
  }

  /** What came before it is answered before this, and nothing is read behind it. */
  #leave(data: Buffer, { client }: Context): Buffer {
    const connection = connectionOf(client);
    const greeted = greetedOf(connection)!;
    connection.ending = 'peer';
    if (!control.leave.decode(data).moved) {
      greeted.isOver = true;
      // it was taken over in the middle of a move by a client that wants no more of it
      const { elsewhere } = greeted;
      if (elsewhere === this.sessions!.self && !this.sessions!.isReplaced) this.finish(client.id);
      else if (elsewhere !== undefined) this.sessions!.finish(client.id, elsewhere);
    }
    return NOTHING;
  }

  // ---- sessions that come and go ----

  /** Somebody who knows the secret takes a session that is here, with a connection or without: `to` is the worker, if it is another. */
  give(session: string, secret: Uint8Array, to?: string): Stray | undefined {
    const kept = this.#strays.take(session, secret);
    if (kept !== undefined) return kept;
    const client = this.#clients.holder(session);
    const connection = client && connectionOf(client);
    const greeted = connection && greetedOf(connection);
    if (greeted === undefined || greeted.isOver || !greeted.opens(secret) || this.#options.limits().resumeMs === 0) return undefined;
    const luggage = this.sessions!.pack(client!, connection!.requests);
    greeted.elsewhere = to ?? this.sessions!.self;
    this.#clients.forget(client!);
    // workers that hear of it from here only now know that its messages go elsewhere
    client!.origin = encodeOrigin({ session, user: client!.userId, address: client!.remote, gate: greeted.elsewhere });
    // its client has left this connection without our knowing; one that moves still uses it
    if (!greeted.isMoving) {
      connection!.ending ??= 'peer';
      this.#options.outbox.markDirty(connection!);
    }
    return { ...luggage, session, secret };
  }

  /** As give(), for a session that another worker is about to give to this one. */
  async giveOnceHere(session: string, secret: Uint8Array, to?: string): Promise<Stray | undefined> {
    const coming = this.#coming.get(nameOf(session, secret));
    if (coming === undefined) return undefined;
    const waited = Promise.withResolvers<boolean>();
    const timer = setTimeout(waited.resolve, COMING_MS, false);
    const isHere = await Promise.race([coming.then(() => true), waited.promise]);
    clearTimeout(timer);
    return isHere ? this.give(session, secret, to) : undefined;
  }

  /** A session waits here for its client. False if nobody could go on with it. */
  keep(stray: Stray, before?: Uint8Array): boolean {
    const { resumeMs, maxLostSessions } = this.#options.limits();
    if (resumeMs === 0) return false;
    // a copy that came too late: its client is here already
    if (this.#clients.holder(stray.session) !== undefined) return true;
    const now = this.#options.now();
    if (this.#strays.keep(stray, before, now + resumeMs, maxLostSessions) > 0) this.#options.stats.countLimit('max_lost_sessions');
    this.#sweeping ??= setInterval(() => this.#strays.sweep(this.#options.now()), SWEEP_MS).unref();
    return true;
  }

  /** A connection has ended: true if its session goes on, here or elsewhere. Called before anything of it is forgotten. */
  outlives(connection: Connection, client: Client): boolean {
    const greeted = greetedOf(connection);
    if (greeted === undefined) return false;
    if (greeted.elsewhere !== undefined) return true;
    if (greeted.isOver || this.#options.limits().resumeMs === 0) return false;
    const luggage = this.sessions!.pack(client, connection.requests);
    this.keep({ ...luggage, session: client.id, secret: greeted.secret }, greeted.before);
    return true;
  }

  /** A session is over, with its connection or while it waits for one. */
  finish(session: string): void {
    const client = this.#clients.holder(session);
    if (client === undefined) this.#strays.end(session);
    else this.#clients.close(client);
  }

  /** Asks a client to go on elsewhere within that time. False if it would not understand, or there is nowhere to go. */
  move(connection: Connection, leaveByMs: number): boolean {
    const greeted = greetedOf(connection);
    const addresses = greeted?.canMove === true ? this.sessions?.addresses() : undefined;
    if (greeted === undefined || addresses === undefined || connection.state !== 'open') return false;
    if (greeted.isMoving) return true;
    greeted.isMoving = true;
    this.counts.asked++;
    const data = control.move.encode({ addresses: addresses.slice(0, control.MAX_MOVE_ADDRESSES), leave_by_ms: leaveByMs });
    const say = () => this.#options.outbox.push(connection, control.clientCommands.move, data);
    if (this.sessions!.isReplaced && this.#options.limits().resumeMs > 0) void this.#goAhead(connection, greeted).then(say);
    else say();
    return true;
  }

  /** The session goes to whoever takes the place of this worker before its client does: that one could not ask for it. */
  async #goAhead(connection: Connection, greeted: Greeted): Promise<void> {
    const client = connection.owner as Client;
    const pack = (requests: number) => this.sessions!.pack(client, requests);
    let luggage: Luggage;
    let tries = 0;
    do {
      luggage = pack(connection.requests);
      const isThere = await this.sessions!.giveAway({ ...luggage, session: client.id, secret: greeted.secret }, ASK_MS);
      if (!isThere || greeted.elsewhere !== undefined || greeted.isOver || connection.state !== 'open') return;
      // its client may have logged in meanwhile
    } while (++tries < AHEAD_TRIES && !isDeepStrictEqual(pack(luggage.requests), luggage));
    greeted.elsewhere = this.sessions!.self;
    this.#clients.forget(client);
  }

  /** The worker leaves: what is kept goes to others. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    const { sessions } = this;
    if (sessions === undefined) return;
    // these are given to nobody else any more
    await Promise.all(this.#coming.values());
    const all = this.#strays.takeAll();
    const giveSome = async (): Promise<void> => {
      for (let stray = all.pop(); stray !== undefined; stray = all.pop()) {
        if (!(await sessions.giveAway(stray, ASK_MS))) sessions.follow(stray.session, stray, true);
      }
    };
    await Promise.all(Array.from({ length: GIVING }, giveSome));
  }

  // ---- connections that are handed to another worker ----

  /** What the other worker has to know, apart from the luggage. */
  handOver(connection: Connection): GreetedState | undefined {
    const greeted = greetedOf(connection);
    if (greeted === undefined) return undefined;
    const { secret, before, canMove, isMoving, elsewhere } = greeted;
    return { secret: base64(secret), before: before && base64(before), canMove, isMoving, elsewhere };
  }

  /** Goes on with a client that another worker greeted. */
  takeOver(connection: Connection, { secret, before, canMove, isMoving, elsewhere }: GreetedState): void {
    const greeted = new Greeted(Buffer.from(secret, 'base64'), canMove);
    greeted.before = before === undefined ? undefined : Buffer.from(before, 'base64');
    greeted.isMoving = isMoving;
    greeted.elsewhere = elsewhere;
    this.#greet(connection, greeted);
  }
}

/** A client that greeted, on its way between two workers of a node. */
export interface GreetedState {
  readonly secret: string;
  readonly before: string | undefined;
  readonly canMove: boolean;
  readonly isMoving: boolean;
  readonly elsewhere: string | undefined;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
