// The links of one worker to all others: one to each worker of ours, up to ten to a worker of an original, opened when they are needed.

import { Link, type LinkSettings } from '../net/link.ts';
import type { Logger } from '../ops/log.ts';
import { readBody, writeReplyBody } from '../wire/body.ts';
import type { Frame } from '../wire/frame.ts';
import type { Greeting } from '../wire/handshake.ts';
import { Breaker, type BreakerSettings } from './breaker.ts';
import { fnv1 } from './hash.ts';
import { nodeIdOf } from './member.ts';
import type { Answered, Peer, Peers } from './peer.ts';
import { Question } from './question.ts';
import { Table } from './table.ts';

const SWEEP_MS = 50;
const ASK_MS = 3000;

export interface LinksOptions {
  self: Omit<Greeting, 'capabilities'>;
  settings: LinksSettings;
  log: Logger;
  now(): number;
}

export interface LinksSettings extends LinkSettings {
  /** Links to one worker of an original, which answers one request at a time on each. */
  readonly pool: number;
  readonly breaker: BreakerSettings;
}

/** Counters of all links since the start. */
export interface LinkCounts {
  opened: number;
  /** Opened again after they had been lost. */
  reopened: number;
  lost: number;
  failed: number;
}

type ControlHandler = Parameters<Peers['onControl']>[0];

/** All links to one worker. */
class LinkSet {
  readonly address: string;
  /** The first one, and for an original more, by what is left of the hash of their keys. */
  readonly links: Link[] = [];
  readonly byHash = new Map<number, Link>();
  readonly peer: OutgoingPeer;

  constructor(address: string, peer: OutgoingPeer) {
    this.address = address;
    this.peer = peer;
  }

  remove(link: Link): void {
    this.links.splice(this.links.indexOf(link), 1);
    for (const [at, known] of this.byHash) if (known === link) this.byHash.delete(at);
  }
}

export class Links implements Peers {
  readonly table: Table;
  readonly breaker: Breaker;
  readonly counts: LinkCounts = { opened: 0, reopened: 0, lost: 0, failed: 0 };
  readonly #options: LinksOptions;
  readonly #selfId: string;
  #settings: LinksSettings;
  readonly #sets = new Map<string, LinkSet>();
  /** Workers of ours that opened a link to us. */
  readonly #incoming = new Map<string, Peer>();
  #onControl: ControlHandler = () => undefined;
  #onLost: (peer: Peer) => void = () => undefined;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#selfId = nodeIdOf(options.self, options.self.worker);
    this.breaker = new Breaker(options.settings.breaker, options.now, (address, isOpen, why) => {
      options.log[isOpen ? 'warn' : 'info'](isOpen ? 'node is left alone' : 'node is used again', { node: address, why });
      this.table.changed();
    });
    this.table = new Table((address) => this.breaker.isOpen(address));
    this.#sweep = setInterval(() => this.#sweepAll(), SWEEP_MS);
  }

  configure(settings: LinksSettings): void {
    this.#settings = settings;
    this.breaker.settings = settings.breaker;
    for (const { links } of this.#sets.values()) for (const link of links) link.settings = settings;
  }

  // ---- choosing ----

  /** The link for a request with that key to that worker; it is opened when something is sent on it. */
  linkTo(id: string, key: Uint8Array | string): Link {
    const set = this.#setOf(id);
    const first = set.links[0]!;
    // one of ours takes any number, and whoever has not answered yet is asked on one link
    if (first.peer === undefined || first.isOurs) return first;
    // an original one at a time, so requests are spread over a few links; those with one key stay in order on one
    const at = fnv1(key) % this.#settings.pool;
    if (at === 0) return first;
    let link = set.byHash.get(at);
    if (link === undefined || link.state === 'closed') set.byHash.set(at, (link = this.#add(id, set.links)));
    return link;
  }

  #setOf(id: string): LinkSet {
    let set = this.#sets.get(id);
    if (set === undefined) {
      const dot = id.lastIndexOf('.');
      set = new LinkSet(id.slice(0, dot), new OutgoingPeer(id, this));
      this.#sets.set(id, set);
      this.#add(id, set.links);
    }
    return set;
  }

  #add(id: string, links: Link[]): Link {
    const dot = id.lastIndexOf('.');
    const colon = id.lastIndexOf(':');
    const address = id.slice(0, dot);
    const link = new Link({
      host: id.slice(0, colon),
      port: Number(id.slice(colon + 1, dot)),
      worker: Number(id.slice(dot + 1)),
      self: this.#options.self,
      settings: this.#settings,
      now: this.#options.now,
      events: {
        up: (opened) => {
          this.counts.opened++;
          if (opened.opened > 1) this.counts.reopened++;
          this.breaker.works(address);
          this.#options.log.info('link is up', { peer: id, opened: opened.opened });
          // what came before anybody knew that it is an original: those with one key stay in order on one link
          if (!opened.isOurs && opened === links[0]) for (const waiting of opened.takeWaiting()) waiting.again();
        },
        lost: (lost, why) => {
          this.counts.lost++;
          this.#options.log.info('link is lost', { peer: id, why });
          this.#lost(id, lost);
        },
        failed: (_, why) => {
          this.counts.failed++;
          this.breaker.refused(address, why);
          for (const waiting of links.flatMap((other) => other.takeWaiting())) waiting.failed('connectFailed', false);
        },
        control: (from, frame) => this.#control(from, id, frame),
      },
    });
    links.push(link);
    return link;
  }

  #lost(id: string, link: Link): void {
    const set = this.#sets.get(id);
    if (set === undefined) return;
    // an original closes after each unknown command: its further links are opened again when they are needed
    if (link !== set.links[0] && link.waiting === 0) set.remove(link);
    if (link.isOurs && !this.#incoming.has(id)) this.#onLost(set.peer);
    if (link.isPaused) for (const waiting of link.takeWaiting()) waiting.again();
    if (this.table.member(set.address) === undefined && link.waiting === 0) this.#drop(id, set);
  }

  #drop(id: string, set: LinkSet): void {
    this.#sets.delete(id);
    for (const link of set.links) link.close();
  }

  // ---- members ----

  /** After the table changed: nodes that are gone are forgotten; links that work go on until they are lost. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) this.breaker.forget(address);
    for (const [id, set] of this.#sets) {
      if (addresses.includes(set.address) && set.links.every(({ state }) => state !== 'up')) this.#drop(id, set);
    }
  }

  // ---- peers ----

  get(id: string): Peer | undefined {
    // whichever was used first goes on being used: what was told on one must not be overtaken on the other
    const set = this.#sets.get(id);
    const incoming = this.#incoming.get(id);
    if (incoming !== undefined && (set === undefined || set.links[0]!.state === 'idle')) return incoming;
    return id === this.#selfId || (set === undefined && !this.#isWorker(id)) ? undefined : this.#setOf(id).peer;
  }

  /** Also a client can make us ask for any name. */
  #isWorker(id: string): boolean {
    const dot = id.lastIndexOf('.');
    const member = this.table.member(id.slice(0, dot));
    const worker = Number(id.slice(dot + 1));
    return member !== undefined && worker >= 1 && worker <= member.workers && nodeIdOf(member, worker) === id;
  }

  /** Like get, also for the worker that takes this one's place under the same id. */
  reach(id: string): Peer | undefined {
    return id === this.#selfId ? this.#setOf(id).peer : this.get(id);
  }

  /** Tells a worker something, on the link that carries requests: before the next of them. */
  tell(id: string, cmd: number, data: Uint8Array): void {
    this.#setOf(id).peer.tell(cmd, data);
  }

  ofType(type: string): readonly Peer[] {
    return this.table
      .ofType(type)
      .flatMap((member) => Array.from({ length: member.workers }, (_, i) => nodeIdOf(member, i + 1)))
      .map((id) => this.get(id))
      .filter((peer) => peer !== undefined);
  }

  onControl(handler: ControlHandler): void {
    this.#onControl = handler;
  }

  onLost(handler: (peer: Peer) => void): void {
    this.#onLost = handler;
  }

  /** A worker of ours has opened a link to us. */
  arrived(peer: Peer): void {
    this.#incoming.set(peer.id, peer);
  }

  /** The link of arrived() is gone. */
  departed(peer: Peer): void {
    if (this.#incoming.get(peer.id) !== peer) return;
    this.#incoming.delete(peer.id);
    if (this.#sets.get(peer.id)?.links[0]?.state !== 'up') this.#onLost(peer);
  }

  /** The worker gives its sessions away: nothing more is sent to it until it is linked anew. */
  pause(peer: Peer): void {
    const set = this.#sets.get(peer.id);
    // said on a link of ours: whoever connects here may call itself anything
    if (set?.peer === peer) for (const link of set.links) link.isPaused = true;
  }

  /** What a peer asked or told, on whichever link. */
  received(peer: Peer, cmd: number, data: Buffer, reply: (code: number, data: Uint8Array) => void): void {
    this.#onControl(peer, cmd, data, reply);
  }

  #control(link: Link, id: string, frame: Frame): void {
    const { peer } = this.#setOf(id);
    const { data } = readBody(frame.bytes, frame.start, frame.end);
    let isAnswered = frame.seq === 0;
    this.received(peer, frame.cmd, data, (code, answer) => {
      if (isAnswered) return;
      isAnswered = true;
      link.reply(frame, (out) => writeReplyBody(out, code, '', answer));
    });
  }

  get now(): () => number {
    return this.#options.now;
  }

  isUp(id: string): boolean {
    return this.#sets.get(id)?.links.some(({ state }) => state === 'up') ?? false;
  }

  isOurs(id: string): boolean {
    const link = this.#sets.get(id)?.links[0];
    if (link?.peer !== undefined) return link.isOurs;
    const member = this.table.member(id.slice(0, id.lastIndexOf('.')));
    // a list in a configuration tells nothing: whether it is one of ours shows when it is asked
    return member?.facts !== undefined || member?.source === 'static';
  }

  typeOf(id: string): string {
    return this.table.member(id.slice(0, id.lastIndexOf('.')))?.type ?? this.#sets.get(id)?.links[0]?.peer?.nodeType ?? '';
  }

  // ---- time and end ----

  #sweepAll(): void {
    const now = this.#options.now();
    this.breaker.sweep();
    for (const { links } of this.#sets.values()) for (const link of links) link.sweep(now);
  }

  /** What is known of every link, for status. */
  *[Symbol.iterator](): Generator<Link> {
    for (const { links } of this.#sets.values()) yield* links;
  }

  /** Requests in flight and waiting on all links. */
  get busy(): number {
    let busy = 0;
    for (const link of this) busy += link.inFlight + link.waiting;
    return busy;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const [id, set] of [...this.#sets]) this.#drop(id, set);
  }
}

class OutgoingPeer implements Peer {
  readonly id: string;
  readonly #links: Links;

  constructor(id: string, links: Links) {
    this.id = id;
    this.#links = links;
  }

  get type(): string {
    return this.#links.typeOf(this.id);
  }

  get isOurs(): boolean {
    // one that announces what only ours announce is known before the first link to it is up
    return this.#links.isOurs(this.id);
  }

  ask(cmd: number, data: Uint8Array, answered: Answered, timeoutMs = ASK_MS): void {
    this.#links.linkTo(this.id, '').send(new Question(cmd, data, this.#links.now() + timeoutMs, answered));
  }

  tell(cmd: number, data: Uint8Array): void {
    this.#links.linkTo(this.id, '').send(new Question(cmd, data, this.#links.now() + ASK_MS, undefined));
  }
}
