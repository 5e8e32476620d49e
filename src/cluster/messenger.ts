// Users, groups and messages of one worker: everything that reaches clients of the cluster without having been asked by them.
// One for each worker, whether it serves clients or not; what modules see of it is in ModuleHost and Client.

import type { Client } from '../session/client.ts';
import { Groups, type GroupLimits } from '../session/groups.ts';
import type { BindResult, GroupResult, PushCounts, PushResult, SpreadResult } from '../session/results.ts';
import { Users } from '../session/users.ts';
import { Binder, type BinderSettings } from './binding.ts';
import { frameOf, groupResult, judgeName, publicResult, reasonOf } from './checks.ts';
import {
  answer,
  bind,
  control,
  decodeResults,
  encodeFrames,
  encodeToSession,
  kick,
  membership,
  readAnswer,
  results,
  unbind,
} from './control.ts';
import { Delivery, Encoded, type GateClients } from './delivery.ts';
import { GateLocator, type GateLocatorSettings } from './locator.ts';
import { Orders } from './orders.ts';
import type { Peer, Peers } from './peer.ts';
import { Pusher, type Outcome, type PushLimits } from './push.ts';
import { Spreader } from './spread.ts';

/** A client, wherever its connection is. */
export interface ClientRef {
  /** Id of its session. */
  readonly id: string;
  /** The worker that has its connection; undefined if it is this one. */
  readonly peer: Peer | undefined;
}

/** Times are milliseconds. All of it may be changed while it runs, see configure(). */
export interface MessengerSettings extends BinderSettings, GateLocatorSettings {
  /** Node types that serve clients. */
  readonly gateTypes: readonly string[];
  readonly pushes: PushLimits;
  readonly groups: GroupLimits;
}

export const defaultMessengerSettings: MessengerSettings = {
  gateTypes: ['gate'],
  policy: 'replace',
  claimMs: 1000,
  cacheSize: 10_000,
  locateMs: 1000,
  pushes: { perUser: 1000, total: 100_000, bytes: 64 * 1024 * 1024 },
  groups: { perClient: 100, members: 1_000_000, groups: 1_000_000 },
};

export interface MessengerOptions {
  peers: Peers;
  /** The clients of this worker; a worker that serves none has an empty one. */
  clients: GateClients;
  settings: MessengerSettings;
  /** Milliseconds since 1970. */
  wallNow(): number;
}

/** What goes with a client whose connection is served by another worker from now on. */
export interface Belongings {
  /** Empty if nobody has logged in. */
  readonly user: string;
  /** When, as the workers compare it. */
  readonly userTime: number;
  readonly groups: readonly string[];
}

/** A group as modules see it. */
export interface Group {
  readonly name: string;
  /**
   * Sends a message to every member, at whichever gate: frames of one turn to one group leave together. Members that have too much unread are
   * left out. The promise is never rejected and need not be looked at.
   */
  push(cmd: number, data: string | Uint8Array): Promise<SpreadResult>;
}

export class Messenger {
  readonly users = new Users<Client>();
  readonly groups: Groups<Client>;
  readonly locator: GateLocator;
  readonly pusher: Pusher;
  readonly spreader: Spreader;
  readonly binder: Binder;
  readonly delivery: Delivery;
  readonly #options: MessengerOptions;
  readonly #orders: Orders;
  #settings: MessengerSettings;
  #isFlushing = false;

  constructor(options: MessengerOptions) {
    const { clients, settings, peers, wallNow } = options;
    this.#options = options;
    this.#settings = settings;
    this.groups = new Groups(settings.groups);
    this.delivery = new Delivery(clients, this.users, this.groups);
    const gates = () => this.#gates();
    const wants = () => this.#flushSoon();
    const isHere = (user: string) => this.users.clientOf(user) !== undefined;
    this.locator = new GateLocator({ gates, isHere, settings });
    this.pusher = new Pusher({
      delivery: this.delivery,
      locator: this.locator,
      limits: settings.pushes,
      isHere,
      peer: (id) => peers.get(id),
      wants,
    });
    this.spreader = new Spreader({ delivery: this.delivery, gates, wants });
    this.binder = new Binder({ users: this.users, clients, locator: this.locator, settings, gates, wallNow });
    this.#orders = new Orders(this);
  }

  /** Takes other settings; what is over a limit already stays. */
  configure(settings: MessengerSettings): void {
    this.#settings = settings;
    this.groups.limits = settings.groups;
    this.locator.settings = settings;
    this.pusher.limits = settings.pushes;
    this.binder.settings = settings;
  }

  get settings(): MessengerSettings {
    return this.#settings;
  }

  get clients(): GateClients {
    return this.#options.clients;
  }

  // ---- messages to users ----

  /**
   * Sends a message to a user, at whichever gate. Messages to one user arrive in the order of the calls. Throws Fault invalidParams for a name
   * or data that is too large; the promise is never rejected.
   */
  push(user: string, cmd: number, data: string | Uint8Array): Promise<PushResult> {
    judgeName('user id', user);
    const frames = [frameOf(cmd, data)];
    this.spreader.flush();
    const known = this.pusher.here(user, frames);
    if (known !== undefined) return Promise.resolve(publicResult(known));
    return new Promise((resolve) => {
      this.pusher.send(user, { control: control.push, rest: encodeFrames(frames) }, (result) => resolve(publicResult(result)));
      this.pusher.flush();
    });
  }

  /** Sends one message to many users, each of them once; for one worker it is encoded once. Users that have too much unread are left out. */
  pushMany(users: Iterable<string>, cmd: number, data: string | Uint8Array): Promise<PushCounts> {
    const names = new Set(users);
    for (const user of names) judgeName('user id', user);
    const order = { control: control.push, rest: encodeFrames([frameOf(cmd, data)], true) };
    const counts = { delivered: 0, absent: 0, unknown: 0, slow: 0 };
    this.spreader.flush();
    return new Promise((resolve) => {
      let left = names.size;
      if (left === 0) resolve(counts);
      const done = (result: Outcome) => {
        counts[result === 'slow' ? result : publicResult(result)]++;
        if (--left === 0) resolve(counts);
      };
      for (const user of names) this.pusher.send(user, order, done);
      this.pusher.flush();
    });
  }

  /** Ends the session of a user, behind everything that was sent to it before. Throws as push() does. */
  kick(user: string, reason: string, code = 0): Promise<PushResult> {
    judgeName('user id', user);
    const rest = kick.encode({ code, reason: reasonOf(reason) });
    this.spreader.flush();
    return new Promise((resolve) => {
      this.pusher.send(user, { control: control.kick, rest }, (result) => resolve(publicResult(result)));
      this.pusher.flush();
    });
  }

  /** The node id of the worker where a user is, HERE (empty) for this one; undefined if no worker has the user. */
  locate(user: string): Promise<string | undefined> {
    const where = this.locator.known(user);
    return where !== undefined ? Promise.resolve(where) : new Promise((resolve) => this.locator.find(user, resolve));
  }

  // ---- messages to groups and to all ----

  group(name: string): Group {
    judgeName('group', name);
    return { name, push: (cmd, data) => this.#spread(name, cmd, data) };
  }

  /** Sends a message to every client of every gate, as Group.push does to members. */
  broadcast(cmd: number, data: string | Uint8Array): Promise<SpreadResult> {
    return this.#spread('', cmd, data);
  }

  #spread(group: string, cmd: number, data: string | Uint8Array): Promise<SpreadResult> {
    frameOf(cmd, data);
    this.pusher.flush();
    return this.spreader.push(group, cmd, data);
  }

  // ---- one client ----

  /** Sends a message to a client. False if it is certainly gone; nothing is known of one at another worker. */
  pushSession({ id, peer }: ClientRef, cmd: number, data: string | Uint8Array): boolean {
    const frame = frameOf(cmd, data);
    this.flush();
    if (peer === undefined) return this.delivery.toSession(id, new Encoded([frame])) === results.done;
    peer.tell(control.push, encodeToSession(id, cmd, data));
    return true;
  }

  /** Ends a session; without reason and code its client is told nothing. */
  async kickSession({ id, peer }: ClientRef, reason = '', code = 0): Promise<PushResult> {
    this.flush();
    const text = reasonOf(reason);
    const { clients } = this.#options;
    if (peer === undefined) return this.delivery.end(clients.bySession(id), code, text) === results.done ? 'delivered' : 'absent';
    const message = kick.encode({ session: id, code, reason: text });
    // the answer is a view: it is read while it is good
    const result = await ask(peer, control.kick, message, (data) => decodeResults(data)[0]);
    return result === undefined ? 'unknown' : result === results.done ? 'delivered' : 'absent';
  }

  /** The client is that user from now on: messages to the user reach it. Throws Fault invalidParams for a name that is empty or too long. */
  bind({ id, peer }: ClientRef, user: string): Promise<BindResult> {
    judgeName('user id', user);
    this.flush();
    if (peer !== undefined) return this.#bindThere(id, peer, user);
    const client = this.#options.clients.bySession(id);
    if (client !== undefined) return this.binder.bind(client, user);
    this.binder.counts.absent++;
    return Promise.resolve('absent');
  }

  async #bindThere(session: string, peer: Peer, user: string): Promise<BindResult> {
    // it may ask the others twice
    const reply = await ask(peer, control.bind, bind.encode({ session, user }), answer.decode, this.#settings.claimMs * 2 + 1000);
    if (reply === undefined) {
      this.binder.counts.unknown++;
      return 'unknown';
    }
    if (reply.result === results.done || reply.result === results.replaced) this.locator.note(user, peer.id);
    return reply.result === results.done
      ? 'bound'
      : reply.result === results.replaced
        ? 'replaced'
        : reply.result === results.refused
          ? 'refused'
          : 'absent';
  }

  /** The client is no user any more. `user` is what it was, if the caller knows. */
  async unbind({ id, peer }: ClientRef, user = ''): Promise<GroupResult> {
    this.flush();
    if (peer !== undefined) {
      this.locator.forget(user, peer.id);
      return groupResult(await ask(peer, control.unbind, unbind.encode({ session: id }), answer.decode));
    }
    const client = this.#options.clients.bySession(id);
    if (client === undefined) return 'absent';
    this.users.forget(client);
    return 'done';
  }

  /** The client gets what is sent to the group from now on. Throws Fault invalidParams for a name that is empty or too long. */
  join(ref: ClientRef, group: string): Promise<GroupResult> {
    judgeName('group', group);
    return this.#membership(ref, control.join, group);
  }

  leave(ref: ClientRef, group: string): Promise<GroupResult> {
    judgeName('group', group);
    return this.#membership(ref, control.leave, group);
  }

  async #membership({ id, peer }: ClientRef, what: typeof control.join | typeof control.leave, group: string): Promise<GroupResult> {
    this.flush();
    if (peer !== undefined) return groupResult(await ask(peer, what, membership.encode({ session: id, group }), answer.decode));
    const client = this.#options.clients.bySession(id);
    if (client === undefined) return 'absent';
    if (what === control.leave) this.groups.leave(client, group);
    else if (!this.groups.join(client, group)) return 'refused';
    return 'done';
  }

  // ---- what the worker tells ----

  /** Answers what a peer asks or tells. False if the command is none of these: it is for somebody else. */
  handle(peer: Peer, cmd: number, data: Buffer, reply: (code: number, data: Uint8Array) => void): boolean {
    return this.#orders.handle(peer, cmd, data, reply);
  }

  /** The last link to a worker is lost. */
  lost(peer: Peer): void {
    this.locator.lost(peer.id);
  }

  /** A client of this worker is gone, or is served by another from now on. */
  left(client: Client): void {
    this.users.forget(client);
    this.groups.forget(client);
  }

  /** What goes along when another worker serves the client; left() has to follow. */
  belongings(client: Client): Belongings {
    const login = this.users.loginOf(client.userId);
    const isLoggedIn = login?.client === client;
    return {
      user: isLoggedIn ? login.user : '',
      userTime: isLoggedIn ? login.time : 0,
      groups: this.groups.groupsOf(client),
    };
  }

  /** A client has come from another worker. False if its user has logged in here since: then its session is ended. */
  settle(client: Client, { user, userTime, groups }: Belongings): boolean {
    for (const group of groups) this.groups.join(client, group);
    return user === '' || this.binder.restore(client, user, userTime);
  }

  /** Hands everything that was gathered in this turn to the links; called by itself at its end. */
  flush(): void {
    this.spreader.flush();
    this.pusher.flush();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  #gates(): Peer[] {
    return this.#settings.gateTypes.flatMap((type) => this.#options.peers.ofType(type).filter(({ isOurs }) => isOurs));
  }
}

/** Asks a peer; undefined if there is no answer that can be read. */
function ask<T>(peer: Peer, cmd: number, message: Uint8Array, decode: (data: Buffer) => T, timeoutMs?: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    peer.ask(cmd, message, (fault, data) => resolve(readAnswer(fault, data, decode)), timeoutMs);
  });
}
