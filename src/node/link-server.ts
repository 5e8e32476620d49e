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
import { Client, type ClientHost } from '../session/client.ts';
import type { BindResult, GroupResult } from '../session/results.ts';
import type { Reply } from '../wire/codec.ts';
import { FAREWELL, isControl } from '../wire/commands.ts';
import { Frame } from '../wire/frame.ts';
import type { Greeting } from '../wire/handshake.ts';
import { contextAt, readContextHead, readOrigin, traceOf, type Origin } from '../wire/relay-context.ts';
import { readBody, readData } from '../wire/body.ts';
import { readFarewell } from '../cluster/farewell.ts';
import type { Links } from '../cluster/links.ts';
import type { ClientRef, Messenger } from '../cluster/messenger.ts';
import type { Peer } from '../cluster/peer.ts';
import { IncomingPeer } from './incoming-peer.ts';
import type { Limits } from './limits.ts';
import type { Replies } from './replies.ts';
import { Waiting } from './waiting.ts';

const SWEEP_MS = 100;
/** Sessions are looked at in slices, so that many of them cost no long pause. */
const SLICE = 2000;

/** A request that waits for its session, or is being answered. */
interface Task {
  readonly connection: Connection;
  readonly frame: RelayedFrame;
  readonly route: Route;
}

/** The body without the context, and the number that the request has in its session. */
class RelayedFrame extends Frame {
  number = 0;
  session = '';
}

const tracer = {
  traceId(frame: Frame): string {
    const given = readBody(frame.bytes, frame.start, frame.end).traceId;
    return given !== '' || !(frame instanceof RelayedFrame) ? given : traceOf(frame.session, frame.number);
  },
};

/** What is known here of a client of a gate. */
export class Seat {
  /** Id of the session. */
  readonly id: string;
  readonly remote: string;
  user = '';
  /** Undefined while it has said nothing for a long time: then modules have been told that it left, and its session is forgotten. */
  client: Client | undefined;
  /** The link that its requests come on. */
  connection: Connection | undefined;
  /** Node id of the worker that has its connection. */
  gate = '';
  /** Handlers at work: how many each of them allows at once. */
  readonly running: number[] = [];
  queue: Task[] | undefined;
  lastUsed = 0;

  constructor(id: string, remote: string) {
    this.id = id;
    this.remote = remote;
  }
}

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

export class LinkServer implements ClientHost {
  readonly ledger: Ledger;
  readonly seats = new Map<string, Seat>();
  /** Reaches the clients at their gates; set when the worker starts. */
  messenger: Messenger | undefined;
  readonly #options: LinkServerOptions;
  readonly #peers = new Map<Connection, IncomingPeer<Seat>>();
  readonly #running = new Map<Connection, Set<Waiting>>();
  #sweeping: Iterator<Seat> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.ledger = options.ledger;
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
    if (isControl(frame.cmd)) return this.#control(connection, frame);
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
    const seat =
      origin === frame.end ? known.get(ref) : this.#introduced(connection, known, ref, readOrigin(frame.bytes, origin, frame.end));
    if (seat === undefined) throw new Fault('noConnection', 'the client of this request has not been introduced on this link');
    seat.lastUsed = connection.lastActive;
    relayed.session = seat.id;
    relayed.number = number;
    if (seat.client === undefined) this.#open(seat);
    return seat;
  }

  #introduced(connection: Connection, known: Map<number, Seat>, ref: number, { session, user, address, gate }: Origin): Seat {
    const { maxRemoteSessions } = this.#options.limits();
    let seat = this.seats.get(session);
    if (seat === undefined) {
      if (this.seats.size >= maxRemoteSessions) {
        this.#options.stats.countLimit('max_remote_sessions');
        throw new Fault('sendFailed', `this worker has ${maxRemoteSessions} sessions, as many as it may (max_remote_sessions)`);
      }
      seat = new Seat(session, address);
      this.seats.set(session, seat);
    }
    // the newest link counts: a client may have moved to another worker of its gate, or to another gate
    seat.connection = connection;
    seat.gate = gate;
    seat.user = user;
    if (seat.client !== undefined && seat.client.userId !== user) seat.client.userId = user;
    known.set(ref, seat);
    return seat;
  }

  #open(seat: Seat): void {
    const client = new Client({ id: seat.id, remote: seat.remote }, this, seat);
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
    if (queue === undefined) return;
    while (queue.length > 0 && mayStart(seat, queue[0]!.route)) {
      const next = queue.shift()!;
      this.#start(seat, next.connection, next.frame, next.route);
    }
    if (queue.length === 0) seat.queue = undefined;
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
    if (!said.hasMoved && seat.connection === connection) this.#left(seat, 'peer');
  }

  #left(seat: Seat, reason: string): void {
    this.seats.delete(seat.id);
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
      if (isIdle && seat.connection === undefined) this.#left(seat, 'peer');
      else if (isIdle) this.#forget(seat, 'idle');
    }
  }

  /** Ends all sessions; their modules are told. */
  end(): void {
    clearInterval(this.#timer);
    for (const seat of [...this.seats.values()]) this.#left(seat, 'worker');
  }

  // ---- what modules ask of a client ----

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
    this.#options.hooks.expired(client, key, value);
  }
}

/** One request of a session at a time, unless its module allows more. */
function mayStart(seat: Seat, route: Route): boolean {
  if (seat.running.length === 0) return true;
  return seat.running.length < route.concurrent && seat.running.every((concurrent) => concurrent > seat.running.length);
}

/** A client at its gate: where its requests come from, it can be reached. */
const refOf = (client: Client): ClientRef => ({ id: client.id, peer: (client.seat as Seat).connection?.peer as Peer | undefined });
