// THE DATA PATH: the whole life of a request, from top to bottom.
//
//   accept -> data -> #pull -> #answer -+-> handler returns ---------------------------> #reply -> #flush
//                                       +-> handler promises -> #wait -> #settle -> slots -^
//
// Replies of one turn of the event loop leave in one system call: that is three to four times the throughput of writing each.
// A handler that returns a value costs no promise. Nothing here knows a dialect (wire/codec.ts) or who answers (route/router.ts).

import type { Socket } from 'node:net';
import { Fault, type CloseReason } from '../errors.ts';
import { MemoryBudget } from '../net/budget.ts';
import { Connection, type ConnectionEvents, type Slot } from '../net/connection.ts';
import { AddressCounts, TokenBucket } from '../net/limits.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { CommandStats, Stats } from '../ops/stats.ts';
import { Context } from '../route/context.ts';
import type { Route, Router } from '../route/router.ts';
import { Client, type ClientHost } from '../session/client.ts';
import { FramingError, type Codec, type Reply } from '../wire/codec.ts';
import type { Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import type { Limits, LimitKey } from './limits.ts';

/** While a handler keeps a connection waiting, this much more is read from it; enough for the next burst, too little to hurt. */
const READ_AHEAD = 64 * 1024;
/** A turn that has gathered this much writes it before it goes on, to see whether the peer reads. */
const FLUSH_AT = 64 * 1024;

export interface ServeOptions {
  router: Router;
  limits: Limits;
  stats: Stats;
  ledger: Ledger;
  log: Logger;
  /** Milliseconds that never go back. */
  now(): number;
  /** Makes the id of a new connection. */
  nextId(): string;
  /** Answers system commands, which only links may send. Undefined for a command that it does not know. */
  system(connection: Connection, frame: Frame): Reply | undefined;
  /** Connections have come (1) or gone (-1). */
  counted?(change: 1 | -1): void;
}

/** What was known of a connection in the worker that it comes from. */
export interface Arrival {
  id: string;
  remote: string;
  rest: Buffer;
  session: Uint8Array | undefined;
}

/** Per-connection state of this layer. */
class Peer {
  readonly client: Client;
  bucket: TokenBucket | undefined;
  throttle: NodeJS.Timeout | undefined;

  constructor(client: Client) {
    this.client = client;
  }
}

const peerOf = (connection: Connection): Peer => connection.owner as Peer;

export class Serve implements ConnectionEvents, ClientHost {
  readonly connections = new Set<Connection>();
  readonly ledger: Ledger;
  readonly budget: MemoryBudget;
  limits: Limits;
  /** Set while this worker leaves or drains: called for each connection once it is quiet. */
  onQuiet: ((connection: Connection) => void) | undefined;
  readonly #router: Router;
  readonly #stats: Stats;
  readonly #log: Logger;
  readonly #options: ServeOptions;
  readonly #now: () => number;
  readonly #addresses = new AddressCounts();
  /** Replies of the connection that is being worked on. */
  readonly #out = new Writer();
  /** Everything else is encoded here and gathered at its connection. */
  readonly #aside = new Writer();
  #current: Connection | undefined;
  readonly #dirty: Connection[] = [];
  #flushing = false;
  /** Equal outcomes of one turn are counted together: one look at the clock instead of one for each. */
  #run: CommandStats | undefined;
  #runCode = 0;
  #runLength = 0;
  #turnStart = 0;
  readonly #errorLines: TokenBucket;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#router = options.router;
    this.limits = options.limits;
    this.#stats = options.stats;
    this.ledger = options.ledger;
    this.#log = options.log;
    this.#now = options.now;
    this.budget = new MemoryBudget(options.limits.workerMemory);
    this.#errorLines = new TokenBucket(20, 100, options.now());
  }

  // ---- a connection begins ----

  /** Takes a new client, or refuses it when a limit says so. */
  accept(socket: Socket, codec: Codec): Connection | undefined {
    const address = socket.remoteAddress;
    const refusal =
      address === undefined
        ? 'reset'
        : this.connections.size >= this.limits.maxClients
          ? 'max_clients'
          : this.limits.maxClientsPerAddress > 0 && this.#addresses.of(address) >= this.limits.maxClientsPerAddress
            ? 'max_clients_per_address'
            : undefined;
    if (refusal !== undefined) {
      this.#stats.countRefused(refusal);
      if (refusal !== 'reset') this.#limit(refusal);
      socket.destroy();
      return undefined;
    }
    const connection = this.#open(socket, codec, this.#options.nextId(), false);
    this.#stats.accepted++;
    this.#hook('connected', peerOf(connection).client);
    return connection;
  }

  /** Takes a connection that another worker served until now; its client notices nothing. */
  adopt(socket: Socket, codec: Codec, arrival: Arrival): Connection {
    const connection = this.#open(socket, codec, arrival.id, false, arrival.remote);
    this.#stats.adopted++;
    if (arrival.session !== undefined) peerOf(connection).client.session.restore(arrival.session);
    this.#resume(connection, arrival.rest);
    return connection;
  }

  /** Takes a link from another node, with what came behind its first frame. */
  link(socket: Socket, codec: Codec, first: { cmd: number; seq: number }, reply: Reply, rest: Buffer): Connection {
    const connection = this.#open(socket, codec, this.#options.nextId(), true);
    this.#stats.accepted++;
    codec.writeReply(this.#aside, { ...first, bytes: rest, start: 0, end: 0, body: rest }, reply);
    this.#gather(connection, this.#aside.take());
    this.#resume(connection, rest);
    return connection;
  }

  #open(socket: Socket, codec: Codec, id: string, isLink: boolean, remote?: string): Connection {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 100_000);
    const connection = new Connection(socket, {
      id,
      codec,
      maxBody: this.limits.maxFrame,
      now: this.#now(),
      isLink,
      ledger: this.ledger,
      events: this,
      ...(remote === undefined ? {} : { remote }),
    });
    connection.owner = new Peer(new Client(connection, this));
    this.connections.add(connection);
    this.#addresses.add(addressOf(connection));
    this.#stats.connections++;
    this.#options.counted?.(1);
    return connection;
  }

  /** Goes on with bytes that another process has read already. */
  #resume(connection: Connection, rest: Buffer): void {
    if (rest.length > 0) connection.decoder.feed(rest);
    this.#turn(connection, this.#now());
  }

  // ---- bytes become messages ----

  data(connection: Connection, bytes: number): void {
    const now = this.#now();
    connection.lastActive = now;
    this.#stats.bytesIn += bytes;
    this.#turn(connection, now);
  }

  /** Everything that one event makes possible on a connection: read, answer, write once, and judge whether to go on reading. */
  #turn(connection: Connection, now: number): void {
    // a handler that closes or pushes may bring us here again while a turn runs; the outer one does the rest
    if (this.#current === connection) return;
    const outer = this.#current;
    if (outer !== undefined) {
      this.#markDirty(connection);
      return;
    }
    this.#current = connection;
    this.#turnStart = now;
    this.#pull(connection, now);
    this.#flushCurrent(connection);
    this.#current = undefined;
    this.#control(connection, now);
  }

  /** Takes messages as long as one may be started. */
  #pull(connection: Connection, now: number): void {
    const { decoder } = connection;
    let delivered = false;
    try {
      while (connection.state === 'open') {
        const frame = connection.waiting ?? (this.#isLeaving(connection) || this.#isFull(connection) ? undefined : decoder.next());
        if (frame === undefined) break;
        delivered = true;
        connection.waiting = frame;
        const route = this.#route(connection, frame);
        if (!this.#mayStart(connection, route, now)) break;
        connection.waiting = undefined;
        connection.requests++;
        this.#stats.framesIn++;
        this.#answer(connection, frame, route);
        if (this.#out.length >= FLUSH_AT) {
          this.#flushCurrent(connection);
          if (connection.socket.writableLength > this.limits.outgoingLimit) break;
        }
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#violation(connection, error);
    }
    if (delivered || !decoder.unfinished) connection.unfinishedSince = 0;
    if (decoder.unfinished && connection.unfinishedSince === 0) connection.unfinishedSince = now;
  }

  #isLeaving(connection: Connection): boolean {
    return this.onQuiet !== undefined && !connection.isLink;
  }

  #isFull(connection: Connection): boolean {
    if (connection.slots === undefined || connection.slots.length < this.limits.maxInFlight) return false;
    this.#limit('max_in_flight');
    return true;
  }

  #route(connection: Connection, frame: Frame): Route | undefined {
    return connection.isLink || connection.codec.isClientCommand(frame.cmd) ? this.#router.find(frame.cmd) : undefined;
  }

  /** One request of a connection at a time, unless its module allows more; and not more a second than request_rate. */
  #mayStart(connection: Connection, route: Route | undefined, now: number): boolean {
    const slots = connection.slots;
    if (slots !== undefined && slots.length > 0) {
      if (route === undefined || slots.length >= route.concurrent) return false;
      for (const slot of slots) if (slot.concurrent <= slots.length) return false;
    }
    if (connection.isLink || this.limits.requestRate === 0 || this.#isLeaving(connection)) return true;
    const peer = peerOf(connection);
    peer.bucket ??= new TokenBucket(this.limits.requestRate, this.limits.requestBurst, now);
    if (peer.bucket.take(now)) return true;
    this.#throttle(connection, peer, peer.bucket.waitMs(now));
    return false;
  }

  #throttle(connection: Connection, peer: Peer, ms: number): void {
    if (peer.throttle !== undefined) return;
    this.#limit('request_rate');
    this.ledger.timers.take();
    peer.throttle = setTimeout(() => {
      this.#unthrottle(peer);
      this.#turn(connection, this.#now());
    }, ms);
  }

  #unthrottle(peer: Peer): void {
    if (peer.throttle === undefined) return;
    clearTimeout(peer.throttle);
    peer.throttle = undefined;
    this.ledger.timers.give();
  }

  // ---- a message is answered ----

  #answer(connection: Connection, frame: Frame, route: Route | undefined): void {
    if (connection.isLink) {
      const reply = this.#options.system(connection, frame);
      if (reply !== undefined) return this.#send(connection, frame, reply, this.#stats.command('system'));
    }
    if (route === undefined) return this.#unknown(connection, frame);
    let data: Buffer;
    try {
      data = connection.codec.data(frame);
    } catch (error) {
      return this.#badBody(connection, frame, route, error);
    }
    const ctx = new Context(peerOf(connection).client, frame);
    let result: unknown;
    try {
      result = route.call(data, ctx);
    } catch (error) {
      return this.#send(connection, frame, this.#errorReply(error, ctx), route.stats);
    }
    if (isPromise(result)) this.#wait(connection, frame, route, ctx, result);
    else this.#send(connection, frame, this.#toReply(route, ctx, result), route.stats);
  }

  #unknown(connection: Connection, frame: Frame): void {
    const { unknown } = connection.codec;
    const stats = this.#stats.command('unknown');
    if (unknown === 'ignore') {
      this.#count(stats, 4);
      return;
    }
    this.#send(connection, frame, { code: 4, msg: new Fault('unknownCommand').message, data: '' }, stats);
    if (unknown === 'reply and close' && !connection.isLink) this.end(connection, 'unknown_command');
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
    const timeoutMs = route.timeoutMs ?? this.limits.requestTimeoutMs;
    const end = () => {
      if (timer !== undefined) {
        clearTimeout(timer);
        this.ledger.timers.give();
      }
      this.#stats.inFlight--;
      this.ledger.messages.give();
    };
    const slot: Slot = {
      concurrent: route.concurrent,
      done: undefined,
      cancel: () => {
        if (slot.done === undefined) end();
        slot.done ??= NOTHING;
        ctx.abort();
      },
    };
    const settle = (reply: Reply) => {
      if (slot.done !== undefined) return; // too late: the deadline passed or the client left
      end();
      slot.done = this.#encode(connection, frame, reply);
      route.stats.done(reply.code, (this.#now() - startedAt) / 1000);
      this.#advance(connection);
    };
    let timer: NodeJS.Timeout | undefined;
    if (timeoutMs > 0) {
      this.ledger.timers.take();
      timer = setTimeout(() => {
        this.#limit('request_timeout_ms');
        settle({ code: 18, msg: new Fault('timeout').message, data: '' });
        ctx.abort();
      }, timeoutMs);
    }
    (connection.slots ??= []).push(slot);
    this.#stats.inFlight++;
    this.ledger.messages.take();
    result.then(
      (value) => settle(this.#toReply(route, ctx, value)),
      (error: unknown) => settle(this.#errorReply(error, ctx)),
    );
  }

  /** Sends the replies that are next in order, and starts what waited for them. */
  #advance(connection: Connection): void {
    const { slots } = connection;
    if (slots === undefined) return;
    while (slots.length > 0 && slots[0]!.done !== undefined) this.#gather(connection, slots.shift()!.done!);
    if (this.#current === connection) return;
    const now = this.#now();
    this.#turnStart = now;
    this.#pull(connection, now);
    this.#markDirty(connection);
  }

  // ---- results become replies ----

  #toReply(route: Route, ctx: Context, result: unknown): Reply {
    try {
      if (route.encode !== undefined) return { code: 0, msg: 'ok', data: route.encode(result) };
      if (result === undefined) return { code: 0, msg: 'ok', data: '' };
      if (typeof result === 'string' || result instanceof Uint8Array) return { code: 0, msg: 'ok', data: result };
      return checkReply(result);
    } catch (error) {
      if (error instanceof Fault) this.#logError('reply can not be encoded', ctx, error);
      return this.#errorReply(error, ctx);
    }
  }

  /** The one place that turns an error into a reply. The peer learns a fault's text, of anything else only where to look. */
  #errorReply(error: unknown, ctx: Context): Reply {
    if (error instanceof Fault) return { code: error.code, msg: error.message, data: '' };
    this.#logError('handler failed', ctx, error);
    return { code: 1, msg: `internal error, trace ${ctx.traceId}`, data: '' };
  }

  #logError(message: string, ctx: Context, error: unknown): void {
    if (!this.#errorLines.take(this.#now())) return;
    this.#log.error(message, { command: ctx.cmd, client: ctx.client.id, traceId: ctx.traceId, err: error });
  }

  /** A reply that is known while its request is being read. */
  #send(connection: Connection, frame: Frame, reply: Reply, stats: CommandStats): void {
    this.#count(stats, reply.code);
    if (!connection.codec.hasReply(frame.cmd)) return;
    if (connection.slots !== undefined && connection.slots.length > 0) {
      connection.slots.push({ concurrent: Infinity, done: this.#encode(connection, frame, reply), cancel: () => undefined });
      return;
    }
    if (this.#current !== connection || !connection.codec.coalesce) {
      this.#gather(connection, this.#encode(connection, frame, reply));
      return;
    }
    connection.codec.writeReply(this.#out, frame, reply);
    this.#stats.framesOut++;
  }

  #encode(connection: Connection, frame: Frame, reply: Reply): Buffer {
    if (!connection.codec.hasReply(frame.cmd)) return NOTHING;
    connection.codec.writeReply(this.#aside, frame, reply);
    this.#stats.framesOut++;
    return this.#aside.take();
  }

  #count(stats: CommandStats, code: number): void {
    if (stats !== this.#run || code !== this.#runCode) {
      this.#endRun();
      this.#run = stats;
      this.#runCode = code;
    }
    this.#runLength++;
  }

  #endRun(): void {
    if (this.#runLength > 0) this.#run!.done(this.#runCode, (this.#now() - this.#turnStart) / 1000, this.#runLength);
    this.#runLength = 0;
  }

  // ---- bytes leave ----

  #flushCurrent(connection: Connection): void {
    this.#endRun();
    const before = connection.bytesOut;
    if (this.#out.length === 0) connection.flush();
    else connection.flush(this.#out.take());
    this.#stats.bytesOut += connection.bytesOut - before;
  }

  /** Keeps encoded bytes until the end of this turn of the event loop. */
  #gather(connection: Connection, bytes: Buffer): void {
    if (bytes.length === 0) return;
    // what the running turn has written so far comes first
    if (this.#current === connection && this.#out.length > 0) connection.gather(this.#out.take());
    if (connection.gather(bytes)) this.#markDirty(connection);
  }

  #markDirty(connection: Connection): void {
    this.#dirty.push(connection);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const now = this.#now();
      for (const dirty of this.#dirty.splice(0)) this.#turn(dirty, now);
    });
  }

  /** After everything that changes what a connection holds: pause or go on reading, close what has to be closed. */
  #control(connection: Connection, now: number): void {
    if (connection.state !== 'open') return this.budget.forget(connection);
    const unsent = connection.socket.writableLength;
    const { held } = connection.decoder;
    this.budget.note(connection, unsent + held);
    const isSlow = unsent > this.limits.outgoingLimit;
    if (!isSlow) connection.slowSince = 0;
    else if (connection.slowSince === 0) {
      connection.slowSince = now;
      this.#limit('outgoing_limit');
    }
    if (unsent > this.limits.outgoingBurst && !connection.isLink) {
      this.#limit('outgoing_burst');
      return connection.destroy('outgoing');
    }
    const busy = connection.slots !== undefined && connection.slots.length > 0;
    if (isSlow || connection.waiting !== undefined || (busy && held > READ_AHEAD) || (this.#isLeaving(connection) && busy)) {
      this.#pause(connection);
    } else this.#unpause(connection);
    if (this.budget.used > this.budget.limit) this.#shed();
    if (connection.isQuiet) {
      if (connection.peerEnded) return this.end(connection, 'peer');
      if (this.#isLeaving(connection)) this.onQuiet?.(connection);
    }
  }

  #pause(connection: Connection): void {
    if (connection.paused) return;
    this.#stats.paused++;
    connection.pause();
  }

  #unpause(connection: Connection): void {
    if (!connection.paused) return;
    this.#stats.paused--;
    connection.resume();
  }

  #shed(): void {
    for (const connection of this.budget.offenders()) {
      this.#limit('worker_memory');
      this.#log.warn('connection closed: worker_memory is exceeded', { client: connection.id, remote: connection.remote });
      connection.destroy('memory');
    }
  }

  drained(connection: Connection): void {
    this.#turn(connection, this.#now());
  }

  // ---- a connection ends ----

  ended(connection: Connection): void {
    this.#turn(connection, this.#now());
  }

  #violation(connection: Connection, error: FramingError): void {
    if (error.reason === 'size') this.#limit('max_frame');
    if (this.#errorLines.take(this.#now())) {
      this.#log.info('connection closed: ' + error.message, { client: connection.id, remote: connection.remote });
    }
    this.end(connection, error.reason);
  }

  /** Closes a connection after what was sent to it so far. */
  end(connection: Connection, reason: CloseReason): void {
    if (this.#current === connection) this.#flushCurrent(connection);
    this.#unpause(connection);
    connection.close(reason);
  }

  closed(connection: Connection, reason: CloseReason): void {
    this.#stats.countClosed(reason);
    this.#forget(connection);
    const { client } = peerOf(connection);
    if (!connection.isLink) this.#hook('disconnected', client, reason);
    client.release();
  }

  /** A connection that has been detached lives elsewhere now. */
  release(connection: Connection): void {
    this.#stats.handedOver++;
    this.#forget(connection);
    peerOf(connection).client.release();
  }

  #forget(connection: Connection): void {
    this.connections.delete(connection);
    this.#addresses.remove(addressOf(connection));
    this.budget.forget(connection);
    this.#unthrottle(peerOf(connection));
    this.#unpause(connection);
    this.#stats.connections--;
    this.#options.counted?.(-1);
  }

  // ---- what modules and deadlines ask for ----

  /** Tries again after something changed for one connection: a deadline looked at it, or the worker begins to leave. */
  look(connection: Connection): void {
    this.#turn(connection, this.#now());
  }

  clientOf(connection: Connection): Client {
    return peerOf(connection).client;
  }

  push(client: Client, cmd: number, data: string | Uint8Array): boolean {
    const { connection } = client;
    if (connection.state !== 'open') return false;
    connection.codec.writePush(this.#aside, cmd, data);
    this.#stats.framesOut++;
    this.#gather(connection, this.#aside.take());
    return true;
  }

  close(client: Client): void {
    this.end(client.connection, 'module');
  }

  expired(client: Client, key: string, value: unknown): void {
    for (const module of this.#router.modules) this.#guard(module.name, () => module.expired?.(client, key, value));
  }

  #hook(name: 'connected' | 'disconnected', client: Client, reason = ''): void {
    for (const module of this.#router.modules) {
      if (module[name] !== undefined) this.#guard(module.name, () => module[name]!(client, reason));
    }
  }

  /** A hook that fails is a line in the log, never the end of a worker. */
  #guard(module: string, hook: () => unknown): void {
    const failed = (error: unknown) => this.#log.error('hook of a module failed', { module, err: error });
    try {
      const result = hook();
      if (isPromise(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #limit(key: LimitKey): void {
    this.#stats.countLimit(key);
  }
}

const NOTHING = Buffer.alloc(0);

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function addressOf(connection: Connection): string {
  return connection.remote.slice(0, connection.remote.lastIndexOf(':'));
}

/** What a handler without a reply type may return as an object: parts of a reply. */
function checkReply(result: unknown): Reply {
  if (typeof result === 'object' && result !== null) {
    const { code = 0, msg = 'ok', data = '', cmd } = result as Partial<Reply>;
    const fits = Number.isInteger(code) && isBytes(msg) && isBytes(data) && (cmd === undefined || Number.isInteger(cmd));
    const unknown = Object.keys(result).find((key) => !(key === 'code' || key === 'msg' || key === 'data' || key === 'cmd'));
    if (fits && unknown === undefined) return { code, msg, data, cmd };
    if (unknown !== undefined)
      throw new Fault('encodeFailed', `a reply has code, msg, data and cmd, not "${unknown}"; for JSON declare a reply type`);
  }
  throw new Fault('encodeFailed', 'a handler returns nothing, text, bytes or { code, msg, data }; for anything else declare a reply type');
}

function isBytes(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}
