// Keeps one channel to the server in use: opens it, notices that it is lost and opens another after a pause, and goes over to another gate when
// the one in use asks for that.
//
//   MOVE:   current ------------------------> leaving ---> closed        replies that are due come on it to the end
//           opening --(paused and tried anew)--> current                 takes what is sent from then on

import type { Frame } from '../wire/frame.ts';
import { Addresses } from './addresses.ts';
import { pauseMs, type ReconnectOptions } from './backoff.ts';
import { Channel, type ChannelEnd, type ChannelEvents } from './channel.ts';
import { ClientError } from './error.ts';
import { Moves, type Moved } from './moves.ts';
import { RECONNECT, type Settings } from './options.ts';
import type { Session } from './session.ts';
import type { ClientState } from './state.ts';

export interface ConnectorEvents {
  state(state: ClientState): void;
  nextSeq(): number;
  /** `channel` takes what is sent from now on. */
  up(channel: Channel): void;
  /** What is to be sent on the channel in use must be written now. */
  flush(): void;
  message(channel: Channel, frame: Frame): void;
  /** Nothing comes on this channel any more. */
  down(channel: Channel, reason: string): void;
  moved(moved: Moved): void;
  /** Nothing that has no answer by now gets one. */
  kicked(error: ClientError): void;
  /** A try failed and no other follows by itself. */
  gaveUp(error: ClientError): void;
  /** Asked after a failure: does anybody wait for a connection? */
  isWanted(): boolean;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

const INITIAL: ClientState = { name: 'disconnected', reason: 'not connected yet' };
const CONNECTED: ClientState = { name: 'connected' };
const NO_TOKEN = new Uint8Array(0);
/** Channels that wait for their last replies at the same time; with more the oldest is ended. */
const MAX_LEAVING = 8;

export class Connector {
  readonly #settings: Settings;
  readonly #events: ConnectorEvents;
  readonly #addresses: Addresses;
  readonly #backoff: ReconnectOptions;
  readonly #moves: Moves;
  readonly #channelEvents: ChannelEvents;
  #state: ClientState = INITIAL;
  #current: Channel | undefined;
  #opening: Channel | undefined;
  /** Channels that are not used any more and not gone yet. */
  readonly #leaving = new Set<Channel>();
  #session: Session | undefined;
  #token: Uint8Array;
  #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Once there was a connection, there shall be one again. */
  #wasUp = false;
  #upSince = 0;
  /** The server asked last does not know HELLO. */
  #isOriginal = false;
  #gone: (() => void) | undefined;

  constructor(settings: Settings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#token = settings.sessionToken;
    this.#addresses = new Addresses({ host: settings.host, port: settings.port }, Math.random);
    this.#backoff = settings.reconnect === false ? RECONNECT : settings.reconnect;
    this.#moves = new Moves(this.#backoff, () => this.#mustLeave());
    this.#channelEvents = {
      up: (channel) => this.#up(channel),
      message: (channel, frame) => {
        // a server that answers is worth a quick return, but says nothing about those that we are to move to
        if (!this.#moves.isAsked) this.#attempt = 0;
        events.message(channel, frame);
      },
      kicked: (_, reason, code) => this.#kicked(reason, code),
      move: (channel, addresses, leaveByMs) => this.#asked(channel, addresses, leaveByMs),
      closed: (channel, end) => this.#closed(channel, end),
    };
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The channel that takes what is sent, while there is one. */
  get channel(): Channel | undefined {
    return this.#current;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Resolves when connected. Tries now, also in a pause between tries, and rejects when this try fails. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state.name === 'closed') return reject(new ClientError('closed', 'the client is closed; make another one'));
      if (this.#state.name === 'connected') return resolve();
      this.#waiters.push({ resolve, reject });
      if (this.#state.name !== 'connecting') this.#try();
    });
  }

  /** Begins to connect, unless that has begun. */
  open(): void {
    if (this.#state.name === 'disconnected') this.#try();
  }

  /** Ends all channels after what was written to them, and destroys what is not gone after `lingerMs`. */
  async close(lingerMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#moves.settle();
    const all = this.#retire();
    this.#become({ name: 'closed' });
    for (const { reject } of this.#waiters.splice(0)) reject(new ClientError('closed', 'the client was closed'));
    if (all.length === 0) return;
    const gone = new Promise<void>((resolve) => (this.#gone = resolve));
    for (const channel of all) channel.finish(lingerMs);
    await gone;
  }

  #try(): void {
    clearTimeout(this.#timer);
    if (this.#current === undefined && !this.#stands('connecting')) {
      this.#become({ name: 'connecting' });
      if (!this.#stands('connecting')) return;
    }
    // a try that was begun in order to move serves as well
    if (this.#opening !== undefined) return;
    const isGreeting = this.#settings.hello !== false && !this.#isOriginal;
    this.#isOriginal = false;
    const token = isGreeting ? this.#token : undefined;
    const options = { address: this.#addresses.next(), token, nextSeq: () => this.#events.nextSeq() };
    this.#opening = new Channel(this.#settings, options, this.#channelEvents);
  }

  #up(channel: Channel): void {
    const before = this.#current;
    const { session } = channel;
    if (before !== undefined) this.#leave(before, this.#moves.leftMs);
    this.#opening = undefined;
    this.#current = channel;
    this.#session = session;
    if (session !== undefined) this.#token = session.token;
    this.#wasUp = true;
    this.#upSince = Date.now();
    if (before === undefined) this.#state = CONNECTED;
    const from = this.#moves.settle();
    // what waited goes before what is sent by those who hear of the new state
    this.#events.up(channel);
    if (before === undefined) this.#events.state(this.#state);
    if (from !== undefined) this.#events.moved({ from, to: channel.address, resumed: session?.resumed ?? false });
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #closed(channel: Channel, end: ChannelEnd): void {
    if (this.#leaving.delete(channel)) {
      this.#events.down(channel, end.reason);
      if (this.#leaving.size === 0) this.#gone?.();
    } else if (channel === this.#current) {
      this.#lost(channel, end);
    } else {
      this.#failed(end);
    }
  }

  /** A try came to nothing. */
  #failed({ reason, error, isOriginal }: ChannelEnd): void {
    const { hello } = this.#settings;
    this.#opening = undefined;
    if (isOriginal && hello === 'auto') {
      this.#isOriginal = true;
      this.#addresses.again();
      return this.#try();
    }
    this.#addresses.failed();
    const failure = this.#failure(reason, error);
    if (this.#current !== undefined) return this.#again(failure);
    const waiters = this.#waiters.splice(0);
    this.#become({ name: 'disconnected', reason });
    for (const { reject } of waiters) reject(failure);
    this.#again(failure);
  }

  /** The channel in use is gone. */
  #lost(channel: Channel, { reason, error }: ChannelEnd): void {
    this.#current = undefined;
    if (!this.#moves.isAsked) this.#addresses.lost();
    clearTimeout(this.#timer);
    // a server that lets us in and closes at once must not see us come back at full speed
    if (Date.now() - this.#upSince > this.#backoff.maxMs) this.#attempt = 0;
    // who hears of the new state may send at once: that must not come behind what was not written yet
    this.#events.down(channel, reason);
    this.#become({ name: 'disconnected', reason });
    if (!this.#stands('disconnected')) return;
    if (this.#opening !== undefined) this.#try();
    else this.#again(this.#failure(reason, error));
  }

  #failure(reason: string, cause: Error | undefined): ClientError {
    const { host, port } = this.#settings;
    return new ClientError('connect', `cannot connect to ${host}:${port}: ${reason}`, { cause });
  }

  /** Another try after a pause, if one is due. */
  #again(failure: ClientError): void {
    if (this.#current === undefined) {
      if (!this.#stands('disconnected')) return;
      if (this.#settings.reconnect === false) return this.#events.gaveUp(failure);
      if (!this.#wasUp && !this.#events.isWanted()) return;
    }
    this.#pause();
  }

  #pause(): void {
    const inMs = pauseMs(++this.#attempt, this.#backoff, Math.random());
    if (this.#current === undefined) {
      this.#become({ name: 'reconnecting', attempt: this.#attempt, inMs });
      if (!this.#stands('reconnecting')) return;
    }
    this.#timer = setTimeout(() => this.#try(), inMs);
  }

  // ---- the server asks ----

  #asked(channel: Channel, addresses: readonly string[], leaveByMs: number): void {
    if (channel !== this.#current) return;
    this.#addresses.name(addresses);
    const pause = this.#moves.ask(channel.address, leaveByMs);
    if (this.#opening !== undefined) return;
    clearTimeout(this.#timer);
    if (pause === 0) this.#try();
    else this.#timer = setTimeout(() => this.#try(), pause);
  }

  /** The time to leave by is over and no other gate was reached: what is sent waits, and the tries go on. */
  #mustLeave(): void {
    const channel = this.#current;
    if (channel === undefined) return void this.#moves.settle();
    clearTimeout(this.#timer);
    this.#leave(channel, 0);
    this.#current = undefined;
    const reason = `${channel.address} asked to leave, and no other gate could be reached in time`;
    this.#become({ name: 'disconnected', reason });
    if (!this.#stands('disconnected')) return;
    if (this.#opening !== undefined || this.#settings.reconnect !== false) this.#try();
    else this.#events.gaveUp(this.#failure(reason, undefined));
  }

  /** Takes a channel out of use; it stays until what is due has come on it. */
  #leave(channel: Channel, withinMs: number): void {
    this.#events.flush();
    if (this.#leaving.size >= MAX_LEAVING) for (const oldest of [...this.#leaving].slice(0, 1)) oldest.end();
    this.#leaving.add(channel);
    channel.leave(withinMs);
  }

  #kicked(reason: string, code: number): void {
    clearTimeout(this.#timer);
    this.#moves.settle();
    for (const channel of this.#retire()) {
      channel.mute();
      channel.end();
    }
    this.#session = undefined;
    this.#token = NO_TOKEN;
    const waiters = this.#waiters.splice(0);
    const error = kickedError(reason, code);
    this.#events.kicked(error);
    this.#become({ name: 'kicked', reason, code });
    for (const { reject } of waiters) reject(error);
    if (this.#settings.reconnectAfterKick && this.#stands('kicked')) this.#pause();
  }

  // ---- small things ----

  /** Every channel there is; none of them is in use any more. */
  #retire(): readonly Channel[] {
    for (const channel of [this.#current, this.#opening]) if (channel !== undefined) this.#leaving.add(channel);
    this.#current = undefined;
    this.#opening = undefined;
    return [...this.#leaving];
  }

  /** False if whoever was told of a state has acted already, so that it is another one now. */
  #stands(name: ClientState['name']): boolean {
    return this.#state.name === name;
  }

  #become(state: ClientState): void {
    this.#state = state;
    this.#events.state(state);
  }
}

export function kickedError(reason: string, code: number): ClientError {
  return new ClientError(
    'kicked',
    `the server ended the session: ${reason || 'no reason given'} (code ${code}); connect() begins another one`,
  );
}
