// THE DATA PATH: the whole life of a request, from top to bottom.
//
//   accept -> data -> #pull -> #answer -+-> handler returns ---------------------------> #reply -> #flush
//                                       +-> handler promises -> #wait -> settle -> slots --^
//                                       +-> another node answers: #forward -> settled ----^
//
// Replies of one turn of the event loop leave in one system call: that is three to four times the throughput of writing each.
// A handler that returns a value costs no promise. Nothing here knows a dialect (wire/codec.ts) or who answers (route/router.ts).

import type { Socket } from 'node:net';
import { Fault, faults, type CloseReason } from '../errors.ts';
import type { MemoryBudget } from '../net/budget.ts';
import { Connection, type ConnectionEvents } from '../net/connection.ts';
import { Outbox } from '../net/outbox.ts';
import type { Ledger } from '../ops/ledger.ts';
import { Tally, type CommandStats, type Stats } from '../ops/stats.ts';
import { Context } from '../route/context.ts';
import type { Forward, Forwarded, ForwardHost } from '../route/forward.ts';
import { Hooks, isPromise } from '../route/hooks.ts';
import type { Route } from '../route/router.ts';
import { Client } from '../session/client.ts';
import { FramingError, type Codec, type Reply } from '../wire/codec.ts';
import { LAST_ORIGINAL } from '../wire/commands.ts';
import type { Frame } from '../wire/frame.ts';
import { Admission } from './admission.ts';
import { Flow } from './flow.ts';
import { LinkServer } from './link-server.ts';
import type { Limits, LimitKey } from './limits.ts';
import { LocalClients } from './local-clients.ts';
import { Replies } from './replies.ts';
import type { Arrival } from './arrival.ts';
import type { ServeOptions } from './serve-options.ts';
import { Turnstile } from './turnstile.ts';
import { Waiting } from './waiting.ts';

/** A turn that has gathered this much writes it before it goes on, to see whether the peer reads. */
const FLUSH_AT = 64 * 1024;

export class Serve implements ConnectionEvents, ForwardHost {
  readonly connections = new Set<Connection>();
  readonly ledger: Ledger;
  limits: Limits;
  /** Requests that come on links of workers of ours. */
  readonly links: LinkServer;
  readonly clients: LocalClients;
  /** Set while this worker hands its connections over: called for each that is moving once it is quiet. */
  onQuiet: ((connection: Connection) => void) | undefined;
  readonly #stats: Stats;
  readonly #options: ServeOptions;
  readonly #now: () => number;
  readonly #admission: Admission;
  readonly #replies: Replies;
  readonly #hooks: Hooks;
  readonly #outbox: Outbox;
  readonly #flow: Flow;
  readonly #tally: Tally;
  readonly #turnstile: Turnstile;
  #turnStart = 0;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.#stats = options.stats;
    this.ledger = options.ledger;
    this.#now = options.now;
    this.#flow = new Flow(options.limits.workerMemory, options.ledger, options.stats, options.log);
    this.#outbox = new Outbox((due) => {
      const now = this.#now();
      for (const connection of due) this.#turn(connection, now);
    });
    this.#replies = new Replies(options.log, options.now);
    this.#admission = new Admission(options.stats);
    this.#tally = new Tally(() => (this.#now() - this.#turnStart) / 1000);
    this.#hooks = new Hooks(options.router.modules, options.log);
    const around = { ...options, limits: () => this.limits, outbox: this.#outbox, replies: this.#replies, hooks: this.#hooks };
    this.clients = new LocalClients(around);
    this.#turnstile = new Turnstile(options, this.clients.greeter, (connection) => this.look(connection));
    this.links = new LinkServer({ ...around, tally: this.#tally });
  }

  /** What all connections share (worker_memory). */
  get budget(): MemoryBudget {
    return this.#flow.budget;
  }

  // ---- a connection begins ----

  /** Takes a new client, or refuses it when a limit says so. */
  accept(socket: Socket, codec: Codec): Connection | undefined {
    if (!this.#admission.admits(socket.remoteAddress, this.limits)) {
      socket.destroy();
      return undefined;
    }
    const connection = this.#open(socket, codec, this.#options.nextId(), false);
    this.#stats.accepted++;
    this.#turnstile.arrived();
    this.#hooks.connected(this.clientOf(connection));
    return connection;
  }

  /** Takes a connection that another worker served until now; its client notices nothing. */
  adopt(socket: Socket, codec: Codec, arrival: Arrival): Connection {
    const connection = this.#open(socket, codec, arrival.id, false, arrival.remote);
    this.#stats.adopted++;
    this.clients.restore(connection, this.clientOf(connection), arrival);
    this.look(connection);
    return connection;
  }

  /** Takes a link from another node, with what came behind its first frame. */
  link(socket: Socket, codec: Codec, first: { cmd: number; seq: number }, reply: Reply, rest: Buffer): Connection {
    const connection = this.#open(socket, codec, this.#options.nextId(), true);
    this.#stats.accepted++;
    this.#outbox.reply(connection, { ...first, bytes: rest, start: 0, end: 0, body: rest }, reply);
    connection.decoder.feed(rest);
    this.look(connection);
    return connection;
  }

  #open(socket: Socket, codec: Codec, id: string, isLink: boolean, remote?: string): Connection {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 100_000);
    const connection = new Connection(socket, {
      id,
      codec,
      maxBody: isLink ? this.limits.linkMaxFrame : this.limits.maxFrame,
      now: this.#now(),
      isLink,
      ledger: this.ledger,
      events: this,
      remote,
    });
    connection.owner = new Client(connection, this.clients, connection);
    if (!isLink) this.clients.add(this.clientOf(connection));
    this.connections.add(connection);
    this.#admission.add(connection);
    this.#stats.connections++;
    this.#options.counted?.(1);
    return connection;
  }

  // ---- bytes become messages ----

  data(connection: Connection, bytes: number): void {
    const now = this.#now();
    connection.lastActive = Math.trunc(now);
    this.#stats.bytesIn += bytes;
    if (!this.#turnstile.putsOff(connection, bytes, now)) this.#turn(connection, now);
  }

  /** Everything that one event makes possible on a connection: read, answer, write once, and judge whether to go on reading. */
  #turn(connection: Connection, now: number): void {
    // a handler that closes or pushes may bring us here again while a turn runs
    if (this.#outbox.current === connection) return;
    if (this.#outbox.current !== undefined) return this.#outbox.markDirty(connection);
    this.#outbox.current = connection;
    this.#turnStart = now;
    this.#deliver(connection);
    this.#pull(connection, now);
    this.#flush(connection);
    this.#outbox.current = undefined;
    this.#control(connection, now);
  }

  /** Takes messages as long as one may be started. */
  #pull(connection: Connection, now: number): void {
    const { decoder } = connection;
    // who does not read what was sent gets no more
    if (connection.socket.writableLength > this.limits.outgoingLimit) return;
    let delivered = false;
    try {
      while (connection.state === 'open') {
        const frame = connection.waiting ?? (this.#turnstile.mayTake(connection, this.limits) ? decoder.next() : undefined);
        if (frame === undefined) break;
        delivered = true;
        if (connection.peer !== undefined && frame.cmd > LAST_ORIGINAL) this.links.take(connection, frame);
        else {
          const route = this.#turnstile.route(connection, frame);
          if (!this.#turnstile.mayStart(connection, route, this.limits, now)) {
            connection.waiting = frame;
            break;
          }
          if (connection.waiting !== undefined) connection.waiting = undefined;
          connection.requests++;
          this.#stats.framesIn++;
          this.#answer(connection, frame, route);
        }
        if (this.#outbox.length >= FLUSH_AT) {
          this.#flush(connection);
          if (connection.socket.writableLength > this.limits.outgoingLimit) break;
        }
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#violation(connection, error);
    }
    if (delivered || !decoder.unfinished) connection.unfinishedSince = 0;
    if (decoder.unfinished && connection.unfinishedSince === 0) connection.unfinishedSince = Math.trunc(now);
  }

  // ---- a message is answered ----

  #answer(connection: Connection, frame: Frame, route: Route | undefined): void {
    if (connection.isLink) {
      const reply = this.#options.system(connection, frame);
      if (reply !== undefined) return this.#send(connection, frame, reply, this.#stats.command('system'));
    }
    if (route === undefined) return this.#unknown(connection, frame);
    if (route.forward !== undefined) return this.#forward(connection, frame, route.forward);
    let data: Buffer;
    try {
      data = connection.codec.data(frame);
    } catch (error) {
      return this.#badBody(connection, frame, route, error);
    }
    const ctx = new Context(this.clientOf(connection), frame, connection.codec);
    let result: unknown;
    try {
      result = route.call(data, ctx);
    } catch (error) {
      return this.#send(connection, frame, this.#replies.ofError(error, ctx), route.stats);
    }
    if (isPromise(result)) this.#wait(connection, frame, route, ctx, result);
    else this.#send(connection, frame, this.#replies.of(route, ctx, result), route.stats);
  }

  #unknown(connection: Connection, frame: Frame): void {
    const stats = this.#stats.command('unknown');
    const { code, text: msg } = faults.unknownCommand;
    if (connection.codec.unknown === 'ignore') return this.#tally.count(stats, code);
    this.#send(connection, frame, { code, msg, data: '' }, stats);
    if (connection.codec.unknown === 'reply and close' && !connection.isLink) this.end(connection, 'unknown_command');
  }

  #badBody(connection: Connection, frame: Frame, route: Route, error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    // what the reference does with a client; a link carries the requests of many, so it stays
    if (connection.isLink) this.#send(connection, frame, { code: 19, msg: error.message, data: '' }, route.stats);
    else this.#violation(connection, new FramingError('frame', error.message));
  }

  /** The handler is not done: its reply gets a slot, so that replies leave in the order of their requests. */
  #wait(connection: Connection, frame: Frame, route: Route, ctx: Context, result: PromiseLike<unknown>): void {
    const startedAt = this.#turnStart;
    const slot = new Waiting(ctx, route.concurrent, this.ledger, this.#stats);
    const settle = (reply: Reply) => {
      if (slot.isOver) return; // too late: the deadline passed or the client left
      const bytes = this.#outbox.encode(connection.codec, frame, reply);
      slot.settle(bytes);
      connection.parked += bytes.length;
      route.stats.done(reply.code, (this.#now() - startedAt) / 1000);
      this.#advance(connection);
    };
    slot.within(route.timeoutMs ?? this.limits.requestTimeoutMs, () => {
      this.#stats.countLimit('request_timeout_ms' satisfies LimitKey);
      settle({ code: 18, msg: faults.timeout.text, data: '' });
      ctx.abort();
    });
    connection.occupy(slot);
    // not result.then: what looks like a promise may call back at once, or throw
    Promise.resolve(result).then(
      (value) => settle(this.#replies.of(route, ctx, value)),
      (error: unknown) => settle(this.#replies.ofError(error, ctx)),
    );
  }

  /** Another node answers: the body goes there as it came. */
  #forward(connection: Connection, frame: Frame, forward: Forward): void {
    const { relay } = connection.codec;
    if (relay === undefined || !relay.isWhole(frame)) {
      return this.#violation(connection, new FramingError('frame', 'the body does not end on a field boundary'));
    }
    const request = forward.request(connection, frame, this.clientOf(connection), this, this.#turnStart);
    this.#stats.inFlight++;
    this.ledger.messages.take();
    connection.occupy(request);
    request.begin();
  }

  /** The other node has answered or failed: the reply leaves, when it is next, at the end of the turn. */
  settled(request: Forwarded, at: number): void {
    const { connection } = request;
    this.#stats.inFlight--;
    this.ledger.messages.give();
    request.count(at);
    if (connection.state !== 'open') return;
    connection.parked += request.bytes;
    this.#outbox.markDirty(connection);
  }

  /** Puts replies that have become known, and are next in order, behind those before them. */
  #deliver(connection: Connection): void {
    const { ready, slots } = connection;
    for (let i = 0; i < ready; i++) {
      const slot = slots![i]!;
      if (slot.done !== undefined) this.#outbox.gather(connection, slot.done);
      else this.#outbox.relayed(connection, slot as Forwarded);
    }
    if (ready > 0) connection.free(ready);
  }

  /** Sends the replies that are next in order, and starts what waited for them. */
  #advance(connection: Connection): void {
    this.#deliver(connection);
    if (this.#outbox.current === connection) return;
    const now = this.#now();
    this.#turnStart = now;
    this.#pull(connection, now);
    this.#outbox.markDirty(connection);
  }

  // ---- replies become bytes ----

  /** A reply that is known while its request is being read. */
  #send(connection: Connection, frame: Frame, reply: Reply, stats: CommandStats): void {
    this.#tally.count(stats, reply.code);
    if (connection.slots !== undefined && connection.slots.length > 0) {
      return connection.park(this.#outbox.encode(connection.codec, frame, reply));
    }
    this.#outbox.reply(connection, frame, reply);
  }

  // ---- bytes leave ----

  #flush(connection: Connection): void {
    this.#tally.end();
    this.#stats.bytesOut += this.#outbox.flush(connection);
    this.#stats.framesOut = this.#outbox.frames;
  }

  /** After everything that changes what a connection holds: go on reading or not, and see whether it may go. */
  #control(connection: Connection, now: number): void {
    this.#flow.judge(connection, this.limits, now);
    if (connection.state !== 'open' || !connection.isQuiet) return;
    if (connection.ending !== undefined) this.end(connection, connection.ending);
    // also when its peer has ended: whoever takes it over answers what came before the end, and reads the end again
    else if (connection.moving) this.onQuiet?.(connection);
    else if (connection.peerEnded) this.end(connection, 'peer');
  }

  readonly drained = (connection: Connection): void => this.look(connection);
  readonly ended = (connection: Connection): void => this.look(connection);

  // ---- a connection ends ----

  #violation(connection: Connection, error: FramingError): void {
    if (error.reason === 'size') this.#stats.countLimit('max_frame' satisfies LimitKey);
    if (this.#replies.mayLog())
      this.#options.log.info('connection closed', { client: connection.id, remote: connection.remote, why: error.message });
    this.end(connection, error.reason);
  }

  /** Closes a connection after what was sent to it so far. */
  end(connection: Connection, reason: CloseReason): void {
    if (this.#outbox.current === connection) this.#flush(connection);
    this.#flow.unpause(connection);
    connection.close(reason);
  }

  closed(connection: Connection, reason: CloseReason): void {
    this.#stats.countClosed(reason);
    this.#forget(connection);
    const client = this.clientOf(connection);
    if (connection.isLink) this.links.closed(connection);
    else {
      this.#hooks.disconnected(client, reason);
      this.#options.left?.(client, this.clients.greeter.outlives(connection, client));
    }
    client.release();
  }

  /** A connection that has been detached lives elsewhere now. */
  release(connection: Connection): void {
    this.#stats.handedOver++;
    this.#forget(connection);
    this.#options.left?.(this.clientOf(connection), true);
    this.clientOf(connection).release();
  }

  #forget(connection: Connection): void {
    this.connections.delete(connection);
    this.clients.remove(this.clientOf(connection));
    this.#admission.remove(connection);
    this.#flow.forget(connection);
    this.#turnstile.forget(connection);
    this.#stats.connections--;
    this.#options.counted?.(-1);
  }

  // ---- what modules and deadlines ask for ----

  /** Tries again after something changed for one connection: a deadline looked at it, or the worker begins to leave. */
  look(connection: Connection): void {
    this.#turn(connection, this.#now());
  }

  clientOf(connection: Connection): Client {
    return connection.owner as Client;
  }
}
