// The cluster in a worker: its links, the routes that it relays, and its users, groups and messages.

import { addressOf, nodeIdOf, type Member } from '../cluster/member.ts';
import { Links, type LinksSettings } from '../cluster/links.ts';
import { defaultMessengerSettings, Messenger, type MessengerSettings } from '../cluster/messenger.ts';
import { control, follow, moved, resume } from '../cluster/control.ts';
import { GateSessions, readStray, type Stray } from '../cluster/gate-sessions.ts';
import { Fault, faults } from '../errors.ts';
import { Relay } from '../cluster/relay.ts';
import type { Peer } from '../cluster/peer.ts';
import { memberPoints, Ring, type MemberPoints } from '../cluster/ring.ts';
import type { TableRow } from '../cluster/table.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { TokenBucket } from '../net/limits.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
import type { Module } from '../route/module.ts';
import type { Client } from '../session/client.ts';
import type { Greeting } from '../wire/handshake.ts';
import type { FromWorker, ToWorker } from './channel.ts';
import { clusterStats, findUser, linkViews, shareViews } from './cluster-views.ts';
import type { LinkServer } from './link-server.ts';
import type { LocalClients } from './local-clients.ts';
import { Migration } from './migration.ts';
import { unpacked, type ShippedPoints } from './ring-points.ts';

const NOTHING = Buffer.alloc(0);
/** Lines about peers that send nonsense, a second and at once. */
const LINES = 20;

/** The data of a reply, or its code. */
type Answer = Buffer | number;

function say(reply: (code: number, data: Uint8Array) => void, answer: Answer): void {
  if (typeof answer === 'number') reply(answer, NOTHING);
  else reply(0, answer);
}

export interface ClusterWorkerOptions {
  config: NodeConfig;
  folder: string;
  self: Omit<Greeting, 'capabilities'>;
  stats: Stats;
  log: Logger;
  now(): number;
}

export class ClusterWorker {
  readonly links: Links;
  readonly relay: Relay;
  readonly #self: { readonly type: string; readonly host: string; readonly port: number; readonly worker: number };
  readonly #log: Logger;
  readonly #stats: Stats;
  readonly #now: () => number;
  readonly #lines: TokenBucket;
  #server: LinkServer | undefined;
  #messenger: Messenger | undefined;
  #migration: Migration | undefined;
  #config: NodeConfig;
  #gateTypes: readonly string[];
  #points = new Map<string, MemberPoints>();

  constructor({ config, folder, self, stats, log, now }: ClusterWorkerOptions) {
    this.#config = config;
    this.#log = log;
    this.#stats = stats;
    this.#now = now;
    this.#lines = new TokenBucket(LINES, LINES, now());
    this.#self = { type: config.node_type, host: self.host, port: self.port, worker: self.worker };
    this.#gateTypes = [config.gate_host === '' ? 'gate' : config.node_type];
    this.links = new Links({ self, settings: linksSettingsOf(config), log, now });
    this.relay = new Relay(config.routes, {
      links: this.links,
      stats,
      self: nodeIdOf(self, self.worker),
      folder,
      inFlight: config.relay_in_flight,
      log,
      now,
    });
  }

  /** Ties it to the clients of this worker. */
  serve(clients: LocalClients, server: LinkServer, modules: readonly Module[]): Messenger {
    const messenger = new Messenger({ peers: this.links, clients, settings: this.#messengerSettings(), wallNow: () => Date.now() });
    const migration = new Migration({ links: this.links, server, modules, log: this.#log });
    const self = nodeIdOf(this.#self, this.#self.worker);
    clients.messenger = server.clients.messenger = messenger;
    clients.greeter.sessions = new GateSessions({ self, links: this.links, relay: this.relay, messenger, log: this.#log });
    this.links.onControl((peer, cmd, data, reply) => {
      if (messenger.handle(peer, cmd, data, reply)) return;
      const answer = this.#handle(peer, cmd, data, clients, migration);
      if (answer instanceof Promise)
        void answer.catch((error: unknown) => this.#refused(peer, cmd, error)).then((later) => say(reply, later));
      else say(reply, answer);
    });
    this.#migration = migration;
    this.links.onLost((peer) => messenger.lost(peer));
    this.#messenger = messenger;
    this.#server = server;
    this.#stats.cluster = () => clusterStats(this.links, server, messenger, clients.greeter);
    return messenger;
  }

  /** What is about the workers themselves, and sessions on their way between them. Returns the data of the reply, or its code. */
  #handle(peer: Peer, cmd: number, data: Buffer, clients: LocalClients, migration: Migration): Answer | Promise<Answer> {
    try {
      if (cmd === control.pause) this.links.pause(peer);
      else if (cmd === control.migrate) migration.arrive(data);
      else if (cmd === control.moved) {
        const { worker, sessions } = moved.decode(data);
        const here = sessions.map((session) => clients.bySession(session)).filter((client) => client !== undefined);
        this.relay.repin(here, peer.id, worker);
      } else if (cmd === control.resume) {
        const { session, token } = resume.decode(data);
        const { greeter } = clients;
        const sessions = greeter.sessions!;
        const answer = (stray: Stray | undefined) => (stray === undefined ? faults.noConnection.code : sessions.encode(stray));
        const stray = greeter.give(session, token, peer.id);
        if (stray !== undefined) return answer(stray);
        // who asks may not know that another process has this id by now
        return (sessions.isReplaced ? sessions.fetchFromSuccessor(session, token) : greeter.giveOnceHere(session, token, peer.id)).then(
          answer,
        );
      } else if (cmd === control.keep) return clients.greeter.keep(readStray(data)) ? NOTHING : faults.noConnection.code;
      else if (cmd === control.follow) {
        const { session, user, is_over: isOver } = follow.decode(data);
        if (isOver) clients.greeter.finish(session);
        this.#server!.follow(peer.id, session, user, isOver);
      } else return faults.unknownCommand.code;
      return 0;
    } catch (error) {
      return this.#refused(peer, cmd, error);
    }
  }

  #refused(peer: Peer, cmd: number, error: unknown): number {
    if (this.#lines.take(this.#now())) this.#log.warn('a worker asked for what can not be done', { peer: peer.id, cmd, err: error });
    return error instanceof Fault ? error.code : faults.failed.code;
  }

  /**
   * The worker leaves: sessions of clients of gates go on in the worker that takes its place, in the others of this node, or with the node in other
   * nodes. Resolves when they are away.
   */
  async leave(how: { workers: number; isReplaced: boolean } | undefined): Promise<void> {
    const { type, host, port, worker } = this.#self;
    if (how?.isReplaced === true) return this.#migration?.run(() => nodeIdOf(this.#self, worker));
    const own = addressOf({ host, port });
    const rows = this.links.table
      .ofType(type)
      .filter(({ facts }) => facts?.state !== 'draining')
      .map((member) => (addressOf(member) === own ? { ...member, workers: how?.workers ?? 0 } : member))
      .filter(({ workers }) => workers > 0);
    const ring = rows.length === 0 ? undefined : Ring.of(rows.map((member) => this.#pointsOf(member)));
    await this.#migration?.run((session) => ring?.find(session));
  }

  /** Answers what the manager asks about the cluster. */
  async answer(question: Extract<ToWorker, { type: 'links' | 'shares' | 'find' }>): Promise<FromWorker> {
    const { links } = this;
    const { type, ask } = question;
    if (type === 'links') return { type, ask, links: linkViews(links, this.#server!), leftAlone: links.breaker.open };
    if (type === 'shares') return { type, ask, shares: shareViews(links, question.types) };
    return { type, ask, found: await findUser(this.#messenger!, question.user, question.everywhere, this.#now()) };
  }

  /** A client is gone from this worker. */
  left(client: Client, hasMoved: boolean): void {
    this.#messenger?.left(client);
    this.relay.left(client, hasMoved);
  }

  configure(config: NodeConfig): void {
    this.#config = config;
    this.links.configure(linksSettingsOf(config));
    this.#messenger?.configure(this.#messengerSettings());
  }

  /** Points of members that come with the next list. */
  learn(points: readonly ShippedPoints[]): void {
    for (const one of points) this.#points.set(one.address, unpacked(one));
  }

  /** The manager's list of members, whole. */
  replace(members: readonly Member[]): void {
    const rows = members.map((member): TableRow => ({ member, points: this.#pointsOf(member) }));
    this.#points = new Map(rows.map(({ points }) => [points.address, points]));
    this.links.forget(this.links.table.replace(rows));
    // whoever tells where its clients connect has clients
    const types = members.filter(({ facts }) => facts?.gate !== undefined && facts.gate !== '').map(({ type }) => type);
    this.#gateTypes = [...new Set(['gate', ...types])];
    this.#messenger?.configure(this.#messengerSettings());
  }

  /** As the manager shipped them, but for a number of workers that nobody has announced. */
  #pointsOf({ workers, ...member }: Member): MemberPoints {
    const known = this.#points.get(addressOf(member));
    return known?.workers === workers ? known : memberPoints(addressOf(member), workers);
  }

  end(): void {
    this.links.close();
  }

  #messengerSettings(): MessengerSettings {
    return { ...defaultMessengerSettings, gateTypes: this.#gateTypes, policy: this.#config.second_login };
  }
}

function linksSettingsOf(config: NodeConfig): LinksSettings {
  return {
    connectMs: config.link_connect_ms,
    handshakeMs: config.link_handshake_ms,
    heartbeatMs: config.link_heartbeat_ms,
    answerMs: config.link_timeout_ms,
    backoffMs: config.link_backoff_ms,
    queue: config.link_queue,
    inFlight: config.link_in_flight,
    maxFrame: config.link_max_frame,
    pool: config.link_pool,
    breaker: { failures: config.breaker_failures, openMs: config.breaker_ms },
  };
}
