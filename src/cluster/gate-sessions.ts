// Sessions of clients on their way between workers that serve clients: when a connection is handed over, and when a client that began with
// HELLO comes back elsewhere.
//
//   client --HELLO, token--> this worker --RESUME--> the worker that the token names, then all others
//                                        <--Transfer-- whoever has the session, and has it no more
//                                        --FOLLOW--> the workers that serve it: messages for its client leave here from now on

import { Fault } from '../errors.ts';
import type { Client } from '../session/client.ts';
import { TokenBucket } from '../net/limits.ts';
import type { Logger } from '../ops/log.ts';
import { control, follow, MAX_PROPERTIES, readAnswer, resume, transfer } from './control.ts';
import type { Links } from './links.ts';
import type { Belongings, Messenger } from './messenger.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';
import { SECRET_BYTES, type Token } from './token.ts';

/** Everything that belongs to a session and goes along with it. */
export interface Luggage extends Belongings {
  /** The workers that serve it, as Relay.pinsOf has them. */
  readonly pins: readonly string[];
  /** What Session.save() made. */
  readonly properties: Uint8Array | undefined;
  /** How many requests it has sent: each has a number of its own in traces. */
  readonly requests: number;
}

/** A session that has no connection. */
export interface Stray extends Luggage {
  readonly session: string;
  /** What its client has to present. */
  readonly secret: Uint8Array;
}

/** Less than whoever asks us waits. */
const SUCCESSOR_MS = 800;

/** Anybody can invent a token, and make this worker ask all others: above these, some are not asked. */
const ASKS_PER_SECOND = 10_000;
const ASKS_AT_ONCE = 50_000;

/** So many are asked to take a session, one after another. */
const MAX_TAKERS = 4;

export interface GateSessionsOptions {
  /** Node id of this worker. */
  self: string;
  links: Links;
  relay: Relay;
  messenger: Messenger;
  log: Logger;
}

export class GateSessions {
  readonly #options: GateSessionsOptions;
  /** Workers that did not take a session when this one left. */
  readonly #deaf = new Set<string>();
  #turn = 0;
  readonly #asks: TokenBucket;
  /** While this worker leaves: the one under its node id is another, which takes its sessions. */
  isReplaced = false;

  constructor(options: GateSessionsOptions) {
    this.#options = options;
    this.#asks = new TokenBucket(ASKS_PER_SECOND, ASKS_AT_ONCE, options.links.now());
  }

  /** Node id of this worker. */
  get self(): string {
    return this.#options.self;
  }

  // ---- what goes along ----

  pack(client: Client, requests: number): Luggage {
    const { messenger, relay, log } = this.#options;
    const { bytes, lost } = client.hasSession ? client.session.save() : { bytes: undefined, lost: [] };
    if (lost.length > 0) log.warn('session properties can not move to another worker', { client: client.id, lost });
    return { ...messenger.belongings(client), pins: relay.pinsOf(client), properties: bytes, requests };
  }

  /** False if its user has logged in on another connection since: then its session is ended. */
  unpack(client: Client, luggage: Luggage): boolean {
    const { messenger, relay, log } = this.#options;
    try {
      if (luggage.properties !== undefined && luggage.properties.length > 0) client.session.restore(luggage.properties);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // the client and its user go on without
      log.warn('session properties of another worker are left out', { client: client.id, err: error });
    }
    const isWelcome = messenger.settle(client, luggage);
    // some of them are of the user, who is known by now
    relay.restorePins(client, luggage.pins);
    return isWelcome;
  }

  // ---- other workers ----

  /** The session of a token, from whichever worker has it; undefined if none says so in time. */
  async fetch(token: Token, timeoutMs: number): Promise<Stray | undefined> {
    const message = resume.encode({ session: token.session, token: token.secret });
    const named = this.#options.links.get(token.worker);
    const found = named?.isOurs === true ? await askFor(named, message, timeoutMs) : undefined;
    if (found !== undefined) return found;
    const now = this.#options.links.now();
    const others = this.#others().filter(({ id }) => id !== token.worker && this.#asks.take(now));
    const asked = others.map(async (peer) => {
      const stray = await askFor(peer, message, timeoutMs);
      if (stray === undefined) throw new Error('not there');
      return stray;
    });
    return Promise.any(asked).catch(() => undefined);
  }

  /** While this worker leaves: the session, if it went ahead to the worker that takes its place. */
  async fetchFromSuccessor(session: string, secret: Uint8Array): Promise<Stray | undefined> {
    const successor = this.#options.links.reach(this.self);
    return successor && askFor(successor, resume.encode({ session, token: secret }), SUCCESSOR_MS);
  }

  /** Answers fetch() of another worker: the data of its Transfer. */
  encode(stray: Stray): Buffer {
    const { session, user, userTime, groups, pins, requests, secret } = stray;
    let { properties } = stray;
    if (properties !== undefined && properties.length > MAX_PROPERTIES) {
      this.#options.log.warn('session properties are too large to move to another gate', { client: session, bytes: properties.length });
      properties = undefined;
    }
    return transfer.encode({
      session,
      user,
      user_time: userTime,
      groups,
      pins,
      requests,
      token: secret,
      ...(properties && { properties }),
    });
  }

  /** Gives a session that has no connection to another worker that serves clients. False if none takes it in time. */
  async giveAway(stray: Stray, timeoutMs: number): Promise<boolean> {
    const message = this.encode(stray);
    const successor = this.isReplaced ? this.#options.links.reach(this.self) : undefined;
    if (successor !== undefined && (await ask(successor, control.keep, message, timeoutMs))) return true;
    // each begins with another one, and those that did not take one come last: what one worker had is spread over all that can be reached
    const peers = this.#others(true);
    const first = peers.length === 0 ? 0 : this.#turn++ % peers.length;
    const inTurn = [...peers.slice(first), ...peers.slice(0, first)];
    const isDeaf = ({ id }: Peer) => this.#deaf.has(id);
    for (const peer of [...inTurn.filter((one) => !isDeaf(one)), ...inTurn.filter(isDeaf)].slice(0, MAX_TAKERS)) {
      if (await ask(peer, control.keep, message, timeoutMs)) return true;
      this.#deaf.add(peer.id);
    }
    return false;
  }

  /** The workers that serve a session learn that its client is here now, or that there is none any more. */
  follow(session: string, { user, pins }: Pick<Luggage, 'user' | 'pins'>, isOver: boolean): void {
    const { links, relay } = this.#options;
    const message = follow.encode({ session, user, is_over: isOver });
    for (const id of relay.workersOf(pins)) if (links.isOurs(id)) links.tell(id, control.follow, message);
  }

  /** A session ends at the worker that has taken it over: its client wants no more of it. */
  finish(session: string, worker: string): void {
    const { links } = this.#options;
    (worker === this.self ? links.reach(worker) : links.get(worker))?.tell(control.follow, follow.encode({ session, is_over: true }));
  }

  /** Where clients reach the other nodes that serve them; undefined if there is no other, empty if they do not say where. */
  addresses(): string[] | undefined {
    const { links, messenger, self } = this.#options;
    const own = self.slice(0, self.lastIndexOf('.'));
    const gates = messenger.settings.gateTypes
      .flatMap((type) => links.table.ofType(type))
      .filter(({ host, port, facts }) => facts?.state === 'serving' && `${host}:${port}` !== own);
    if (this.isReplaced) return [];
    return gates.length === 0 ? undefined : [...new Set(gates.map(({ facts }) => facts!.gate).filter((address) => address !== ''))];
  }

  /** Other workers that serve clients; with `mayStay` only those of nodes that do not leave. */
  #others(mayStay = false): Peer[] {
    const { links, messenger } = this.#options;
    const isLeaving = (id: string) => links.table.member(id.slice(0, id.lastIndexOf('.')))?.facts?.state === 'draining';
    return messenger.settings.gateTypes
      .flatMap((type) => links.ofType(type))
      .filter(({ id, isOurs }) => isOurs && !(mayStay && isLeaving(id)));
  }
}

/** What another worker has sent with 84 or 91. Throws Fault for what does not parse, or is no session that a client could come back for. */
export function readStray(data: Buffer): Stray {
  const { session, user, user_time: userTime, groups, properties, pins, requests, token } = transfer.decode(data);
  if (session === '' || token.length !== SECRET_BYTES) throw new Fault('invalidMessage', 'Transfer has no session, or no token for it');
  // views of what was read: these stay
  return { session, user, userTime, groups, pins, requests, properties: Buffer.from(properties), secret: Buffer.from(token) };
}

function askFor(peer: Peer, message: Uint8Array, timeoutMs: number): Promise<Stray | undefined> {
  return new Promise((resolve) => {
    peer.ask(control.resume, message, (fault, data) => resolve(readAnswer(fault, data, readStray)), timeoutMs);
  });
}

function ask(peer: Peer, cmd: number, message: Uint8Array, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    peer.ask(cmd, message, (fault) => resolve(fault === undefined), timeoutMs);
  });
}
