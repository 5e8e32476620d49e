// Requests from workers of ours: many at once on one link, in any order, one at a time for each session that they come for.
//
//   link --frame--> control command --> cluster
//              +--> session in its context --> seat (its client, its turn) --> handler --> reply on the same link, under the same seq

import { faults, Fault } from '../errors.ts';
import type { Connection } from '../net/connection.ts';
import type { Outbox } from '../net/outbox.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Stats, Tally } from '../ops/stats.ts';
import { Context } from '../route/context.ts';
import { isPromise, type Hooks } from '../route/hooks.ts';
import type { Route, Router } from '../route/router.ts';
import { Client } from '../session/client.ts';
import type { Reply } from '../wire/codec.ts';
import { FAREWELL, isControl } from '../wire/commands.ts';
import type { Frame } from '../wire/frame.ts';
import type { Greeting } from '../wire/handshake.ts';
import { contextAt, readContextHead, readOrigin, type Origin } from '../wire/relay-context.ts';
import { readBody, readData } from '../wire/body.ts';
import { readFarewell } from '../cluster/farewell.ts';
import type { Links } from '../cluster/links.ts';
import { IdleSeats } from './idle-seats.ts';
import { IncomingPeer } from './incoming-peer.ts';
import type { Limits } from './limits.ts';
import { RemoteClients } from './remote-clients.ts';
import type { Replies } from './replies.ts';
import { mayStart, RelayedFrame, Seat, tracer, type Task } from './seat.ts';
import { Waiting } from './waiting.ts';

const SWEEP_MS = 100;
/** Sessions are looked at in slices, so that many of them cost no long pause. */
const SLICE = 2000;

/** Read into again and again: one for each request would be garbage. */
const head = { ref: 0, number: 0, origin: 0 };

export interface LinkServerOptions {
  router: Router;
  outbox: Outbox;
  replies: Replies;
  hooks: Hooks;
  stats: Stats;
  tally: Tally;
  ledger: Ledger;
  links?: Links | undefined;
  limits(): Limits;
  now(): number;
}

export class LinkServer {
  readonly seats = new Map<string, Seat>();
  readonly clients: RemoteClients;
  /** Set while sessions move to other workers: called with each that has nothing to do any more. */
  onIdle: ((seat: Seat) => void) | undefined;
  readonly #options: LinkServerOptions;
  readonly #peers = new Map<Connection, IncomingPeer<Seat>>();
  readonly #running = new Map<Connection, Set<Waiting>>();
  readonly #idle = new IdleSeats();
  #sweeping: Iterator<Seat> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.clients = new RemoteClients(options.ledger, options.hooks);
  }

  // ---- links ----

  /** The worker at the other end of a link has said that it is one of ours. */
  greeted(connection: Connection, { host, port, worker, nodeType }: Greeting): void {
    const peer = new IncomingPeer<Seat>(connection, `${host}:${port}.${worker}`, nodeType, this.#options.outbox, this.#options.now);
    connection.peer = peer;
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
    this.#peers.set(connection, peer);
    this.#options.links?.arrived(peer);
  }

  closed(connection: Connection): void {
    const peer = this.#peers.get(connection);
    if (peer === undefined) return;
    this.#peers.delete(connection);
    for (const waiting of this.#running.get(connection) ?? []) waiting.cancel();
    this.#running.delete(connection);
    this.#options.links?.departed(peer);
    peer.closed();
    // whoever does not come back over another link in time is taken for gone
    for (const seat of peer.known.values()) if (seat.connection === connection) seat.connection = undefined;
  }

  // ---- a frame ----

  take(connection: Connection, frame: Frame): void {
    if (isControl(frame.cmd)) {
      try {
        return this.#control(connection, frame);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return this.#refuse(connection, frame, error.fault, error.message);
      }
    }
    const at = contextAt(frame.bytes, frame.start, frame.end);
    if (at < 0) return this.#refuse(connection, frame, 'decodeFailed', 'the body does not parse');
    if (at === frame.end)
      return this.#refuse(connection, frame, 'decodeFailed', 'a request between nodes carries the context of its client');
    const relayed = new RelayedFrame(frame.cmd, frame.seq, frame.bytes, frame.start, at);
    let seat: Seat;
    try {
      // also for a command that nobody answers: a client is introduced once
      seat = this.#seat(connection, frame, at, relayed);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#refuse(connection, frame, error.fault, error.message);
    }
    const route = this.#options.router.find(frame.cmd);
    // an answer like any other: closing would fail the requests of everybody on this link
    if (route === undefined || route.forward !== undefined) return this.#refuse(connection, frame, 'unknownCommand');
    if (seat.queue === undefined && mayStart(seat, route)) return this.#start(seat, connection, relayed, route);
    const queue = (seat.queue ??= []);
    if (queue.length < this.#options.limits().linkQueue) queue.push({ connection, frame: relayed, route });
    else this.#refuse(connection, frame, 'sendFailed', 'too many requests of this session wait');
  }

  /** Who a request comes from: known by its number on this link, or introduced with this request. */
  #seat(connection: Connection, frame: Frame, at: number, relayed: RelayedFrame): Seat {
    readContextHead(frame.bytes, at, frame.end, head);
    const { ref, number, origin } = head;
    const { known } = connection.peer as IncomingPeer<Seat>;
    let seat = origin === frame.end ? known.get(ref) : this.#introduced(connection, known, ref, readOrigin(frame.bytes, origin, frame.end));
    if (seat === undefined) throw new Fault('noConnection', 'the client of this request has not been introduced on this link');
    if (seat.client === undefined) {
      // it is new, or has made place for others; who is refused stays introduced, and may find place with a later request
      known.set(ref, (seat = this.#admit(seat)));
      if (seat.client === undefined) this.#open(seat);
    }
    seat.lastUsed = connection.lastActive;
    relayed.session = seat.id;
    relayed.number = number;
    return seat;
  }

  #introduced(connection: Connection, known: Map<number, Seat>, ref: number, { session, user, address, gate }: Origin): Seat {
    const seat = this.seats.get(session) ?? new Seat(session, address);
    // the newest link counts: a client may have moved to another worker of its gate, or to another gate; one that is moving still asks at the old
    if (seat.connection === undefined || gate === (connection.peer as IncomingPeer<Seat>).id) seat.connection = connection;
    seat.gate = gate;
    seat.user = user;
    if (seat.client !== undefined && seat.client.userId !== user) seat.client.userId = user;
    known.set(ref, seat);
    return seat;
  }

  /** The seat of that session: this one if there is none yet, for which an idle one makes place where all are taken. */
  #admit(seat: Seat): Seat {
    const known = this.seats.get(seat.id);
    if (known !== undefined) return known;
    const { limits, stats, now } = this.#options;
    const { maxRemoteSessions } = limits();
    if (this.seats.size >= maxRemoteSessions) {
      stats.countLimit('max_remote_sessions');
      const idle = this.#idle.next(this.seats, now());
      if (idle === undefined)
        throw new Fault('sendFailed', `this worker has ${maxRemoteSessions} sessions in use, as many as it may (max_remote_sessions)`);
      this.left(idle, 'idle');
    }
    this.seats.set(seat.id, seat);
    return seat;
  }

  #open(seat: Seat): void {
    const client = new Client({ id: seat.id, remote: seat.remote }, this.clients, seat);
    client.userId = seat.user;
    seat.client = client;
    this.#options.hooks.connected(client);
  }

  // ---- a request ----

  #start(seat: Seat, connection: Connection, frame: RelayedFrame, route: Route): void {
    const { replies, outbox, tally, stats } = this.#options;
    const data = readData(frame.bytes, frame.start, frame.end);
    const ctx = new Context(seat.client!, frame, tracer);
    let reply: Reply;
    try {
      const result = route.call(data, ctx);
      if (isPromise(result)) return this.#wait(seat, { connection, frame, route }, ctx, result);
      reply = replies.of(route, ctx, result);
    } catch (error) {
      reply = replies.ofError(error, ctx);
    }
    tally.count(route.stats, reply.code);
    stats.framesIn++;
    outbox.reply(connection, frame, reply);
  }

  #wait(seat: Seat, { connection, frame, route }: Task, ctx: Context, result: PromiseLike<unknown>): void {
    const { ledger, stats, outbox, replies, now } = this.#options;
    const startedAt = now();
    const waiting = new Waiting(ctx, route.concurrent, ledger, stats);
    seat.running.push(route.concurrent);
    connection.busy++;
    const ofLink = this.#running.get(connection) ?? new Set();
    this.#running.set(connection, ofLink.add(waiting));
    let isDone = false;
    const settle = (reply: () => Reply) => {
      if (!waiting.isOver) {
        const { code, ...rest } = reply();
        const bytes = outbox.encode(connection.codec, frame, { code, ...rest });
        waiting.settle(bytes);
        route.stats.done(code, (now() - startedAt) / 1000);
        outbox.gather(connection, bytes);
      }
      // also when the link is gone: the session goes on, on another
      if (isDone) return;
      isDone = true;
      ofLink.delete(waiting);
      this.#done(seat, connection, route);
    };
    waiting.within(route.timeoutMs ?? this.#options.limits().requestTimeoutMs, () => {
      stats.countLimit('request_timeout_ms');
      settle(() => ({ code: faults.timeout.code, msg: faults.timeout.text, data: '' }));
      ctx.abort();
    });
    Promise.resolve(result).then(
      (value) => settle(() => replies.of(route, ctx, value)),
      (error: unknown) => settle(() => replies.ofError(error, ctx)),
    );
  }

  /** A handler is done, in time or not: the next request of the session may begin. */
  #done(seat: Seat, connection: Connection, route: Route): void {
    connection.busy--;
    seat.running.splice(seat.running.indexOf(route.concurrent), 1);
    this.#options.outbox.markDirty(connection);
    const { queue } = seat;
    if (queue === undefined) return void this.onIdle?.(seat);
    while (queue.length > 0 && mayStart(seat, queue[0]!.route)) {
      const next = queue.shift()!;
      this.#start(seat, next.connection, next.frame, next.route);
    }
    if (queue.length > 0) return;
    seat.queue = undefined;
    if (seat.running.length === 0) this.onIdle?.(seat);
  }

  #refuse(connection: Connection, frame: Frame, fault: keyof typeof faults, text: string = faults[fault].text): void {
    const { tally, stats, outbox } = this.#options;
    tally.count(stats.command(fault === 'unknownCommand' ? 'unknown' : 'refused'), faults[fault].code);
    outbox.reply(connection, frame, { code: faults[fault].code, msg: text, data: '' });
  }

  #control(connection: Connection, frame: Frame): void {
    const peer = this.#peers.get(connection)!;
    if (frame.cmd % 2 === 0) return peer.answered(frame);
    if (frame.cmd === FAREWELL) return this.#farewell(connection, peer, frame);
    let isAnswered = frame.seq === 0;
    const { data } = readBody(frame.bytes, frame.start, frame.end);
    this.#options.links?.received(peer, frame.cmd, data, (code, answer) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#options.outbox.reply(connection, frame, { code, msg: '', data: answer });
    });
  }

  // ---- sessions end ----

  #farewell(connection: Connection, peer: IncomingPeer<Seat>, frame: Frame): void {
    const said = readFarewell(readData(frame.bytes, frame.start, frame.end));
    const seat = said === undefined ? undefined : peer.known.get(said.ref);
    if (said === undefined || seat === undefined) return;
    peer.known.delete(said.ref);
    if (!said.hasMoved && seat.connection === connection) this.left(seat, 'peer');
  }

  /** The workers whose links we serve, with the clients that they have introduced. */
  get peers(): Iterable<IncomingPeer<Seat>> {
    return this.#peers.values();
  }

  /** A session that another worker had until now: its client is known when the first request of it comes. Throws Fault where there is no place. */
  arrive(session: string, address: string, user: string, restore: (client: Client) => void): void {
    const seat = this.#admit(new Seat(session, address));
    seat.user = user;
    seat.lastUsed = this.#options.now();
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
    // its first request may have been quicker
    if (seat.client === undefined) this.#open(seat);
    restore(seat.client!);
  }

  /** The client of a session is at that gate from now on, or there is none any more. */
  follow(gate: string, session: string, user: string, isOver: boolean): void {
    const seat = this.seats.get(session);
    if (seat === undefined) return;
    if (isOver) {
      // one that has come back elsewhere is no matter of this gate any more
      if (seat.gate === gate || seat.connection === undefined) this.left(seat, 'peer');
      return;
    }
    for (const { id, connection } of this.#peers.values()) if (id === gate) seat.connection = connection;
    seat.gate = gate;
    seat.user = user;
    if (seat.client !== undefined && seat.client.userId !== user) seat.client.userId = user;
  }

  /** The session is over here: its client has gone, or goes on elsewhere. */
  left(seat: Seat, reason: string): void {
    // one that has made place may have come back over another link
    if (this.seats.get(seat.id) === seat) this.seats.delete(seat.id);
    this.#forget(seat, reason);
  }

  /** What modules knew of it is gone; it may come again. */
  #forget(seat: Seat, reason: string): void {
    const { client } = seat;
    seat.client = undefined;
    if (client === undefined) return;
    this.#options.hooks.disconnected(client, reason);
    client.release();
  }

  #sweep(): void {
    const { now, limits } = this.#options;
    const at = now();
    for (const peer of this.#peers.values()) peer.sweep(at);
    const { remoteSessionIdleMs } = limits();
    this.#sweeping ??= this.seats.values();
    for (let n = 0; n < SLICE; n++) {
      const { value: seat, done } = this.#sweeping.next();
      if (done) return void (this.#sweeping = undefined);
      const isIdle = seat.running.length === 0 && at - seat.lastUsed > remoteSessionIdleMs;
      if (isIdle && seat.connection === undefined) this.left(seat, 'peer');
      else if (isIdle) this.#forget(seat, 'idle');
    }
  }

  /** Ends all sessions; their modules are told. */
  end(): void {
    clearInterval(this.#timer);
    for (const seat of [...this.seats.values()]) this.left(seat, 'worker');
  }
}
