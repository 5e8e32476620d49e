// Answers requests by asking another node: the body goes as it came, the answer comes back as it is but for its head.
//
//   client frame -> pick a worker (route key, ring, pin) -> its link -> answer -> slot of the connection -> client, in the order of requests
//                        ^---- not sent, or idempotent, and still in time: another worker ----+

import { faults, type FaultName } from '../errors.ts';
import type { RouteConfig } from '../config/route.ts';
import { routeName } from '../config/route-kind.ts';
import type { Connection } from '../net/connection.ts';
import type { Link, LinkRequest } from '../net/link.ts';
import { TokenBucket } from '../net/limits.ts';
import type { Logger } from '../ops/log.ts';
import { Streak, type CommandStats, type Stats } from '../ops/stats.ts';
import type { Forward, Forwarded, ForwardHost } from '../route/forward.ts';
import type { Client } from '../session/client.ts';
import type { Frame } from '../wire/frame.ts';
import { appendContext, encodeOrigin, traceOf } from '../wire/relay-context.ts';
import type { Writer } from '../wire/writer.ts';
import { Farewell } from './farewell.ts';
import { keyReader, type KeyReader } from './keys.ts';
import type { Links } from './links.ts';

/** Workers that a request is offered to, one after another, when those before could not be reached. */
const MAX_TRIES = 4;
/** Lines about requests that failed, a second and at once: a node that dies must not fill the disk. */
const LINES = 20;
const LINES_BURST = 100;
/** What the client reads of every fault on the way, as in the original. */
const RELAY_FAILED = 'relay to node failed!';
/** Steps of a millisecond in which times are kept: they fit into 31 bits for a day and a half, and cost more afterwards. */
const STEPS = 16;
/** An empty data field: an original can not take a body without a byte, and this one says the same. */
const EMPTY_BODY = Buffer.from([0x1a, 0]);

export interface RelayOptions {
  links: Links;
  stats: Stats;
  /** Node id of this worker. */
  self: string;
  /** Folder that relative .proto files of routes start from. */
  folder: string;
  /** Requests of one client that may be on their way at once (relay_in_flight). */
  inFlight: number;
  log: Logger;
  now(): number;
}

/** Where requests of one session go: they stay there for as long as that worker can be reached, whoever joins. */
interface Pin {
  id: string;
  key: string;
  epoch: number;
  /** The one link to a worker of ours. */
  link: Link | undefined;
}

/** A link on which a client has been introduced, and which opening of it that was. */
interface Meeting {
  readonly link: Link;
  readonly opened: number;
}

/** As another worker has sent it. */
const isNodeId = (id: string): boolean => /^\S+:\d{1,5}\.\d{1,5}$/.test(id);

const isGood = ({ link, opened }: Meeting): boolean => link.state === 'up' && link.opened === opened;

export class Relay {
  readonly #options: RelayOptions;
  readonly #lines: TokenBucket;
  #refs = 0;
  readonly #routes: RelayRoute[];

  constructor(routes: readonly RouteConfig[], options: RelayOptions) {
    this.#options = options;
    this.#lines = new TokenBucket(LINES, LINES_BURST, options.now());
    this.#routes = routes.map((route) => new RelayRoute(route, options, this));
  }

  get routes(): readonly RelayRoute[] {
    return this.#routes;
  }

  /** The link to the worker that gets a request, by its key; undefined if no node of that type is known. */
  pick(route: RelayRoute, request: RelayedRequest): Link | undefined {
    const { links } = this.#options;
    const { client } = request;
    const { from } = route.config.key;
    if (from === 'data' || from === 'field') {
      const key = route.key(request.frame, request.connection.codec);
      const id = links.table.ring(route.config.to)?.find(key);
      if (id === undefined) return undefined;
      request.id = id;
      return links.linkTo(id, key);
    }
    const key = from === 'user' && client.userId !== '' ? client.userId : client.id;
    const pins = (client.pins ??= new Map<string, unknown>()) as Map<string, Pin>;
    let pin = pins.get(route.config.to);
    // also while nothing changes in the table: one that first was silent is left alone already when its link is lost
    const mayBeOver = pin !== undefined && (pin.epoch !== links.table.epoch || pin.link?.state !== 'up');
    if (pin === undefined || pin.key !== key || (mayBeOver && !this.#holds(pin.id))) {
      const id = links.table.ring(route.config.to)?.find(key);
      if (id === undefined) return undefined;
      pin = { id, key, epoch: links.table.epoch, link: undefined };
      pins.set(route.config.to, pin);
    }
    pin.epoch = links.table.epoch;
    request.id = pin.id;
    if (pin.link !== undefined && pin.link.state !== 'closed') return pin.link;
    const link = links.linkTo(pin.id, key);
    // there are several to a worker of an original
    if (link.isOurs) pin.link = link;
    return link;
  }

  /** True while that worker can be reached; one that leaves keeps the sessions that it has. */
  #holds(id: string): boolean {
    const { links } = this.#options;
    // also one that is no member any more, or not so many: it is about to give its sessions away, and will say where they go on
    if (links.isUp(id)) return true;
    const { table, breaker } = links;
    const dot = id.lastIndexOf('.');
    const member = table.member(id.slice(0, dot));
    return member !== undefined && Number(id.slice(dot + 1)) <= member.workers && !breaker.isOpen(id.slice(0, dot));
  }

  /** A request got no answer; the line names it as the log of the other node does. */
  failed({ frame, client, connection, number, id, fault, route }: RelayedRequest): void {
    const { log, now } = this.#options;
    if (!log.enabled('info') || !this.#lines.take(now())) return;
    const traceId = connection.codec.traceId(frame) || traceOf(client.id, number);
    log.info('request not answered by another node', {
      command: frame.cmd,
      client: client.id,
      traceId,
      peer: id,
      route: route.label,
      fault,
    });
  }

  /** What introduces a client on a link, once for each time that the link was opened; undefined if it is known there. */
  introduce(client: Client, link: Link): Uint8Array | undefined {
    const met = client.met as Meeting[] | undefined;
    if (met !== undefined) for (const { link: known, opened } of met) if (known === link && opened === link.opened) return undefined;
    if (client.ref === 0) client.ref = ++this.#refs;
    client.origin ??= encodeOrigin({ session: client.id, user: client.userId, address: client.remote, gate: this.#options.self });
    client.met = [...(met ?? []).filter((meeting) => isGood(meeting) && meeting.link !== link), { link, opened: link.opened }];
    return client.origin;
  }

  /** The sessions of these clients go on at another worker. */
  repin(clients: Iterable<Client>, from: string, to: string): void {
    for (const { pins } of clients)
      for (const pin of (pins?.values() ?? []) as Iterable<Pin>) {
        if (pin.id !== from) continue;
        pin.id = to;
        pin.link = undefined;
      }
  }

  /** The workers that serve a session, as another worker takes them over: node type, node id, and which key chose it. */
  pinsOf({ pins, id: session }: Client): string[] {
    const known = (pins ?? []) as Iterable<[type: string, pin: Pin]>;
    return Array.from(known, ([type, { id, key }]) => [type, id, key === session ? 'session' : 'user'].join('\n'));
  }

  restorePins(client: Client, pins: readonly string[]): void {
    client.pins = new Map(
      pins
        .map((pin) => pin.split('\n'))
        .map(([type = '', id = '', by]): [string, Pin] => [
          type,
          { id, key: by === 'user' ? client.userId : client.id, epoch: -1, link: undefined },
        ])
        .filter(([, { id }]) => isNodeId(id)),
    );
  }

  /** Node ids of pinsOf(). */
  workersOf(pins: readonly string[]): string[] {
    return pins.map((pin) => pin.split('\n')[1] ?? '').filter(isNodeId);
  }

  /** The client is gone from here: the workers that know it are told, and whether it goes on elsewhere. */
  left(client: Client, hasMoved: boolean): void {
    for (const { link } of ((client.met ?? []) as Meeting[]).filter(isGood))
      link.send(new Farewell(client.ref, hasMoved, this.#options.now()));
  }
}

export class RelayRoute implements Forward {
  readonly config: RouteConfig;
  readonly label: string;
  readonly stats: CommandStats;
  readonly key: KeyReader;
  readonly concurrent: number;
  readonly #options: RelayOptions;
  readonly #relay: Relay;
  readonly #rate: TokenBucket | undefined;
  readonly #streak = new Streak();

  constructor(config: RouteConfig, options: RelayOptions, relay: Relay) {
    this.config = config;
    this.label = routeName(config);
    this.stats = options.stats.route(this.label);
    this.key = keyReader(config.key, options.folder);
    this.concurrent = options.inFlight;
    this.#options = options;
    this.#relay = relay;
    this.#rate = config.rate === 0 ? undefined : new TokenBucket(config.rate, config.rate, options.now());
  }

  get first(): number {
    return this.config.first;
  }

  get last(): number {
    return this.config.last;
  }

  request(connection: Connection, frame: Frame, client: Client, host: ForwardHost, at: number): RelayedRequest {
    return new RelayedRequest(this, connection, frame, client, host, at);
  }

  begin(request: RelayedRequest): void {
    if (this.#rate !== undefined && !this.#rate.take(request.startedAt)) {
      this.#options.stats.countLimit('route_rate');
      return request.end('sendFailed');
    }
    this.send(request);
  }

  send(request: RelayedRequest): void {
    const link = this.#relay.pick(this, request);
    if (link === undefined) return request.end('noNode');
    request.tries++;
    link.send(request);
  }

  /** It was not answered: another worker may be asked if the route allows it and there is time. */
  failed(request: RelayedRequest, fault: FaultName, wasSent: boolean): void {
    const address = request.id.slice(0, request.id.lastIndexOf('.'));
    if (fault === 'timeout' && wasSent) this.#options.links.breaker.failed(address, 'requests got no answer in time');
    const { retry } = this.config;
    const mayRetry = retry === 'idempotent' || (retry === 'ifNotSent' && !wasSent);
    if (mayRetry && !request.isOver && request.tries < MAX_TRIES && this.#options.now() < request.deadline) return this.send(request);
    request.end(fault);
  }

  works(request: RelayedRequest): void {
    const { breaker } = this.#options.links;
    if (!breaker.isQuiet) breaker.works(request.id.slice(0, request.id.lastIndexOf('.')));
  }

  now(): number {
    return this.#options.now();
  }

  tell(request: RelayedRequest): void {
    this.#relay.failed(request);
  }

  count(code: number, ms: number): void {
    this.#streak.count(this.stats, code, ms);
  }

  /** What introduces the client on that link, if it has not been introduced there yet. */
  introduce(client: Client, link: Link): Uint8Array | undefined {
    return this.#relay.introduce(client, link);
  }
}

/** One request on its way: its slot among the replies of the client, and what the link holds. */
export class RelayedRequest implements LinkRequest, Forwarded {
  seq = 0;
  readonly isOneWay = false;
  /** Whole numbers: a fraction would be an object of its own for each request. */
  readonly deadline: number;
  readonly #started: number;
  readonly connection: Connection;
  readonly client: Client;
  readonly frame: Frame;
  readonly route: RelayRoute;
  readonly number: number;
  /** The answer: a view of what the link has read. */
  relayed: Frame | undefined;
  fault: FaultName | undefined;
  isOver = false;
  id = '';
  tries = 0;
  readonly #host: ForwardHost;

  constructor(route: RelayRoute, connection: Connection, frame: Frame, client: Client, host: ForwardHost, now: number) {
    this.route = route;
    this.connection = connection;
    this.frame = frame;
    this.client = client;
    this.number = connection.requests;
    this.#host = host;
    this.#started = Math.trunc(now * STEPS);
    this.deadline = Math.trunc(now) + route.config.timeoutMs;
  }

  get cmd(): number {
    return this.frame.cmd;
  }

  get startedAt(): number {
    return this.#started / STEPS;
  }

  count(at: number): void {
    this.route.count(this.code, at - this.startedAt);
  }

  /** Its reply is encoded when it leaves. */
  get done(): undefined {
    return undefined;
  }

  get concurrent(): number {
    return this.route.concurrent;
  }

  get bytes(): number {
    return this.relayed === undefined ? 0 : this.relayed.end - this.relayed.start;
  }

  begin(): void {
    this.route.begin(this);
  }

  write(out: Writer, link: Link): void {
    const { bytes, start, end } = this.frame;
    if (link.isOurs) {
      out.range(bytes, start, end);
      const origin = this.route.introduce(this.client, link);
      appendContext(out, this.client.ref, this.number, origin);
    } else if (start === end) out.bytes(EMPTY_BODY);
    else out.range(bytes, start, end);
  }

  answered(frame: Frame, at: number): void {
    this.route.works(this);
    if (this.isOver) return;
    this.isOver = true;
    this.relayed = frame;
    this.#host.settled(this, at);
  }

  failed(fault: FaultName, wasSent: boolean): void {
    this.route.failed(this, fault, wasSent);
  }

  again(): void {
    if (!this.isOver) this.route.send(this);
  }

  /** It ends without an answer. */
  end(fault: FaultName): void {
    if (this.isOver) return;
    this.isOver = true;
    this.fault = fault;
    this.route.tell(this);
    this.#host.settled(this, this.route.now());
  }

  /** The client is gone; an answer that still comes is dropped. */
  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.fault = 'closed';
    this.#host.settled(this, this.route.now());
  }

  /** Code of the reply that the client gets. */
  get code(): number {
    return this.fault === undefined ? replyCode(this.relayed!) : faults[this.fault].code;
  }

  get errorText(): string {
    return RELAY_FAILED;
  }
}

/** The code in a reply's body, which nearly always begins with its result; 0 where it has none. */
export function replyCode({ bytes, start, end }: Frame): number {
  if (start + 3 > end || bytes[start] !== 0x12 || bytes[start + 2] !== 0x08 || bytes[start + 1]! > 0x7f || bytes[start + 1] === 0) return 0;
  let code = 0;
  for (let i = start + 3, shift = 0; i < end && shift < 35; i++, shift += 7) {
    code |= (bytes[i]! & 0x7f) << shift;
    if (bytes[i]! < 0x80) break;
  }
  return code;
}
