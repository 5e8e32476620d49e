// Messages for users, wherever they are connected. What goes to one user keeps its order, also while the user is looked for:
//
//   known here --------------------------------------------------------> connection
//   known there --> lane.sent --PUSH--> its gate --delivered--> done
//                       ^                   +--absent--> once more, when all that was sent has been answered
//   not known ----> lane.waiting <--- locator <-------------+
//
// A lane is there only as long as something for its user is on the way.

import type { PushResult } from '../session/results.ts';
import { control, decodePush, decodeResults, encodeToUsers, kick, MAX_NAMES, readAnswer, results, type PushFrame } from './control.ts';
import { Encoded, type Delivery } from './delivery.ts';
import { HERE, type Locator } from './locator.ts';
import type { Peer } from './peer.ts';

/** What is asked of the worker that has a user. */
interface Order {
  readonly control: typeof control.push | typeof control.kick;
  /** Its message but for the user. */
  readonly rest: Buffer;
}

/** `slow` for those that were left out since they have too much unread, `failed` where nobody can say. */
export type Outcome = PushResult | 'slow' | 'failed';

interface Item {
  readonly order: Order;
  readonly done: (result: Outcome) => void;
  /** Of the worker that it was sent to last. */
  answer: Outcome | undefined;
  /** It was absent where it was thought to be, and the user was looked for again. */
  isRetried: boolean;
}

class Lane {
  readonly user: string;
  /** The worker that everything in `sent` went to. */
  where = HERE;
  sent: Item[] = [];
  unanswered = 0;
  waiting: Item[] = [];
  isFinding = false;
  /** The worker in `where` has said that the user is not there. */
  isStale = false;

  constructor(user: string) {
    this.user = user;
  }
}

/** The same order for several users of one worker. */
interface Batch {
  readonly order: Order;
  readonly users: { readonly lane: Lane; readonly item: Item }[];
}

/** Counters since the start; `failed` ones are `unknown` to modules: the worker of the user did not answer, or too much was waiting. */
export type UserPushCounts = Record<Outcome, number>;

export interface PushLimits {
  /** Messages for one user that may be on the way or wait. */
  readonly perUser: number;
  /** Messages of this worker for all users, and their bytes. */
  readonly total: number;
  readonly bytes: number;
}

export interface PusherOptions {
  delivery: Delivery;
  locator: Locator;
  limits: PushLimits;
  isHere(user: string): boolean;
  peer(id: string): Peer | undefined;
  /** Called when something begins to wait for the end of the turn. */
  wants(): void;
}

export class Pusher {
  readonly counts: UserPushCounts = { delivered: 0, absent: 0, unknown: 0, slow: 0, failed: 0 };
  limits: PushLimits;
  readonly #options: PusherOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #batches = new Map<string, Batch>();
  /** What was delivered here last, kept until flush(): a list of users has the same for all. */
  #ready: { readonly rest: Buffer; readonly encoded: Encoded; readonly skipSlow: boolean } | undefined;
  #items = 0;
  #bytes = 0;

  constructor(options: PusherOptions) {
    this.#options = options;
    this.limits = options.limits;
  }

  /** Users that something is on the way to. */
  get busy(): number {
    return this.#lanes.size;
  }

  /** Messages on the way, and their bytes. */
  get held(): { messages: number; bytes: number } {
    return { messages: this.#items, bytes: this.#bytes };
  }

  /** Delivers at once if the user is here and nothing is on the way; nothing has to be encoded for another worker then. */
  here(user: string, frames: readonly PushFrame[]): Outcome | undefined {
    if (!this.#options.isHere(user) || this.#lanes.has(user)) return undefined;
    const outcome = outcomes[this.#options.delivery.toUser(user, new Encoded(frames))]!;
    this.counts[outcome]++;
    return outcome;
  }

  /** Does what the order says with the user; flush() has to follow. `done` is called exactly once. */
  send(user: string, order: Order, done: (result: Outcome) => void): void {
    let lane = this.#lanes.get(user);
    const where = this.#options.locator.known(user);
    if (lane === undefined && where === HERE) return this.#count(this.#local(user, order), done);
    const bytes = order.rest.length;
    const { limits } = this;
    const inLane = lane === undefined ? 0 : lane.sent.length + lane.waiting.length;
    if (inLane >= limits.perUser || this.#items >= limits.total || this.#bytes + bytes > limits.bytes) return this.#count('failed', done);
    this.#items++;
    this.#bytes += bytes;
    if (lane === undefined) this.#lanes.set(user, (lane = new Lane(user)));
    const item: Item = { order, done, answer: undefined, isRetried: false };
    if (lane.sent.length > 0) {
      // behind what is on the way there, or after it where the user has gone elsewhere
      const goesOn = lane.waiting.length === 0 && !lane.isStale && (where === undefined || where === lane.where);
      if (!goesOn) return void lane.waiting.push(item);
      lane.sent.push(item);
      lane.unanswered++;
      return this.#gather(lane, item);
    }
    lane.waiting.push(item);
    if (!lane.isFinding) this.#go(lane, where);
  }

  /** Hands everything that was gathered to the links. */
  flush(): void {
    this.#ready = undefined;
    if (this.#batches.size === 0) return;
    const batches = [...this.#batches];
    this.#batches.clear();
    for (const [where, batch] of batches) this.#ask(where, batch);
  }

  // ---- sending ----

  /** Sends what waits to where the user is; nothing is on the way. */
  #go(lane: Lane, where: string | undefined): void {
    if (where === undefined) {
      lane.isFinding = true;
      return this.#options.locator.find(lane.user, (found) => this.#found(lane, found));
    }
    const items = lane.waiting;
    lane.waiting = [];
    if (where === HERE) {
      this.#lanes.delete(lane.user);
      for (const item of items) this.#end(item, this.#local(lane.user, item.order));
      return;
    }
    lane.where = where;
    // all of them first: an answer that comes while they are sent must not find the lane without the rest
    lane.sent = items;
    lane.unanswered = items.length;
    for (const item of items) this.#gather(lane, item);
  }

  #found(lane: Lane, where: string | undefined): void {
    lane.isFinding = false;
    if (where !== undefined) return this.#go(lane, where);
    this.#lanes.delete(lane.user);
    for (const item of lane.waiting) this.#end(item, item.isRetried ? 'absent' : 'unknown');
  }

  #gather(lane: Lane, item: Item): void {
    let batch = this.#batches.get(lane.where);
    if (batch !== undefined && (batch.order.rest !== item.order.rest || batch.users.length >= MAX_NAMES)) {
      this.#batches.delete(lane.where);
      this.#ask(lane.where, batch);
      batch = undefined;
    }
    if (batch === undefined) {
      this.#batches.set(lane.where, (batch = { order: item.order, users: [] }));
      if (this.#batches.size === 1) this.#options.wants();
    }
    batch.users.push({ lane, item });
  }

  #ask(where: string, { order, users }: Batch): void {
    const peer = this.#options.peer(where);
    if (peer === undefined) {
      for (const { lane, item } of users) this.#answered(lane, item, 'absent');
      return;
    }
    const message = encodeToUsers(
      users.map(({ lane }) => lane.user),
      order.rest,
    );
    peer.ask(order.control, message, (fault, data) => {
      // what could not be sent at all was certainly not delivered: the user may have come elsewhere
      const without = fault?.fault === 'connectFailed' ? 'absent' : 'failed';
      const list = readAnswer(fault, data, decodeResults);
      for (const [i, { lane, item }] of users.entries()) this.#answered(lane, item, outcomes[list?.[i] ?? -1] ?? without);
      this.flush();
    });
  }

  #local(user: string, { control: what, rest }: Order): Outcome {
    const { delivery } = this.#options;
    if (what === control.kick) {
      const { code, reason } = kick.decode(rest);
      return outcomes[delivery.endUser(user, code, reason)]!;
    }
    if (this.#ready?.rest !== rest) {
      const { frames, skipSlow } = decodePush(rest);
      this.#ready = { rest, encoded: new Encoded(frames), skipSlow };
    }
    return outcomes[delivery.toUser(user, this.#ready.encoded, this.#ready.skipSlow)]!;
  }

  // ---- answers ----

  #answered(lane: Lane, item: Item, outcome: Outcome): void {
    item.answer = outcome;
    if (outcome === 'absent' || outcome === 'failed') {
      lane.isStale ||= outcome === 'absent';
      this.#options.locator.forget(lane.user, lane.where);
    }
    if (--lane.unanswered === 0) this.#settle(lane);
  }

  /** Everything that was sent has been answered: what was absent is tried again, unless something behind it has arrived already. */
  #settle(lane: Lane): void {
    const { sent } = lane;
    const tail = sent.findLastIndex(({ answer }) => answer !== 'absent') + 1;
    const again: Item[] = [];
    lane.sent = [];
    lane.isStale = false;
    for (const [i, item] of sent.entries()) {
      if (i >= tail && !item.isRetried) {
        item.isRetried = true;
        again.push(item);
      } else this.#end(item, item.answer!);
    }
    lane.waiting = [...again, ...lane.waiting];
    if (lane.waiting.length === 0) this.#lanes.delete(lane.user);
    else this.#go(lane, this.#options.locator.known(lane.user));
  }

  #end(item: Item, outcome: Outcome): void {
    this.#items--;
    this.#bytes -= item.order.rest.length;
    this.#count(outcome, item.done);
  }

  #count(outcome: Outcome, done: (result: Outcome) => void): void {
    this.counts[outcome]++;
    done(outcome);
  }
}

/** What the worker of a user answers, by its number. */
const outcomes: Readonly<Record<number, Outcome>> = { [results.done]: 'delivered', [results.absent]: 'absent', [results.slow]: 'slow' };
