// One connection to a server: bytes in and out, the greeting before it may be used, and what both ends say about it afterwards.
//
//   opening --(greeting)--> up --leave()--> leaving --BYE, or nothing is due any more, or its time is over--> ending --> closed

import type { Decoder } from '../wire/codec.ts';
import * as control from '../wire/client-control.ts';
import type { Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import { addressText } from './addresses.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Settings } from './options.ts';
import type { Carrier } from './pending.ts';
import { ClockEstimate, type ServerClock, type Session } from './session.ts';
import type { Address, Link } from './transport.ts';

export interface ChannelEvents {
  /** Requests may be sent on it. */
  up(channel: Channel): void;
  /** A message for the application. An error that is thrown here ends the channel: what came can not be understood. */
  message(channel: Channel, frame: Frame): void;
  kicked(channel: Channel, reason: string, code: number): void;
  /** The gate asks to go on elsewhere within `leaveByMs` milliseconds. */
  move(channel: Channel, addresses: readonly string[], leaveByMs: number): void;
  /** Comes exactly once and last. */
  closed(channel: Channel, end: ChannelEnd): void;
}

export interface ChannelEnd {
  readonly reason: string;
  readonly error: Error | undefined;
  /** The server does not know HELLO. */
  readonly isOriginal: boolean;
}

export interface ChannelOptions {
  readonly address: Address;
  /** What HELLO presents; undefined for a channel without greeting. */
  readonly token: Uint8Array | undefined;
  nextSeq(): number;
}

/** Time for the server to end its side when we have ended ours, and to say BYE when nothing else is due. */
const LINGER_MS = 1000;
/** A server that asks for more heartbeats than this gets this many. */
const MIN_HEARTBEAT_MS = 10;
const UNKNOWN_COMMAND = 4;

export class Channel implements Carrier {
  readonly address: string;
  readonly #settings: Settings;
  readonly #options: ChannelOptions;
  readonly #events: ChannelEvents;
  readonly #decoder: Decoder;
  readonly #link: Link;
  readonly #clock = new ClockEstimate();
  #phase: 'opening' | 'up' | 'leaving' | 'ending' = 'opening';
  #isMuted = false;
  #isOriginal = false;
  #helloSeq = 0;
  #helloAt = 0;
  #session: Session | undefined;
  #heartbeat: Heartbeat | undefined;
  #inFlight = 0;
  #received = 0;
  #written = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it is being ended by us. */
  #cause: string | undefined;

  constructor(settings: Settings, options: ChannelOptions, events: ChannelEvents) {
    const ms = settings.connectTimeoutMs;
    this.address = addressText(options.address);
    this.#settings = settings;
    this.#options = options;
    this.#events = events;
    this.#decoder = settings.codec.decoder(settings.maxFrame);
    this.#after(ms, () => {
      const what = this.#helloSeq === 0 ? 'connection' : 'answer to HELLO';
      this.abandon(`no ${what} within ${ms} ms; check host and port, and what stands in between`);
    });
    this.#link = settings.transport.connect(options.address, {
      opened: () => this.#opened(),
      data: (bytes) => this.#data(bytes),
      closed: (error) => this.#closed(error),
    });
  }

  /** After the greeting, where there is one. */
  get session(): Session | undefined {
    return this.#session;
  }

  get clock(): ServerClock | undefined {
    return this.#clock.value;
  }

  /** Bytes that the network did not take yet. */
  get unsent(): number {
    return this.#link.unsent;
  }

  write(bytes: Uint8Array): void {
    this.#written += bytes.length;
    this.#link.write(bytes);
  }

  began(): void {
    this.#inFlight++;
  }

  ended(): void {
    this.#inFlight--;
    if (this.#phase === 'leaving' && this.#inFlight === 0) this.#after(LINGER_MS, () => this.end());
  }

  /** A request got no answer in time: maybe nobody is there any more. */
  missed(): void {
    if (this.#phase === 'up') this.#heartbeat?.ask();
  }

  /** Sends nothing more but takes what is due, for `withinMs` milliseconds at most: the session goes on elsewhere. */
  leave(withinMs: number): void {
    if (this.#phase !== 'up') return;
    this.#phase = 'leaving';
    this.#heartbeat?.stop();
    this.#say(control.clientCommands.leave, control.leave.encode({ moved: true }));
    this.#after(this.#inFlight === 0 ? Math.min(withinMs, LINGER_MS) : withinMs, () => this.end());
  }

  /** Ends our side after what was written, and everything if the server does not end its side within `lingerMs`. */
  end(lingerMs = LINGER_MS): void {
    if (this.#phase === 'opening') return this.abandon('it was not needed any more');
    this.#phase = 'ending';
    this.#heartbeat?.stop();
    this.#after(lingerMs, () => this.#link.destroy());
    this.#link.end();
  }

  /** Ends it for good: the session is over, too, and what still comes is nobody's. */
  finish(lingerMs: number): void {
    const isGreeted = this.#phase === 'up' && this.#session !== undefined;
    this.mute();
    if (isGreeted) this.#say(control.clientCommands.leave, control.leave.encode({ moved: false }));
    this.end(lingerMs);
  }

  /** Tells of nothing any more but of its end. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Ends a connection on which nothing can be understood or expected any more. */
  abandon(reason: string): void {
    this.#cause ??= reason;
    this.#phase = 'ending';
    this.#heartbeat?.stop();
    this.#link.destroy();
  }

  #after(ms: number, task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, ms);
  }

  #opened(): void {
    if (this.#phase !== 'opening') return;
    const { token } = this.#options;
    if (token === undefined) return this.#up();
    const greeting = { version: this.#settings.version, token, capabilities: control.capabilities.moves };
    this.#helloAt = performance.now();
    this.#helloSeq = this.#say(control.clientCommands.hello, control.hello.encode(greeting));
  }

  #up(): void {
    clearTimeout(this.#timer);
    this.#phase = 'up';
    this.#events.up(this);
  }

  #data(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#isMuted) return;
    const decoder = this.#decoder;
    decoder.feed(bytes);
    try {
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        if (this.#options.token !== undefined && control.isClientControl(frame.cmd)) this.#control(frame);
        else this.#events.message(this, frame);
        // what came may have ended this channel, or a handler closed the client
        if (this.#isMuted || this.#cause !== undefined) return;
      }
    } catch (error) {
      decoder.rest();
      this.abandon(`the server sent something that is not ${this.#settings.codec.name}: ${(error as Error).message}`);
    }
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#timer);
    this.#heartbeat?.stop();
    const reason = this.#cause ?? error?.message ?? 'the server closed the connection';
    this.#events.closed(this, { reason, error, isOriginal: this.#isOriginal });
  }

  // ---- about the connection itself ----

  /** Sends a control command and returns its seq. */
  #say(cmd: number, data: Uint8Array): number {
    const seq = this.#options.nextSeq();
    const out = new Writer(128 + data.length);
    this.#settings.codec.writeRequest(out, cmd, seq, data, '');
    this.write(out.take());
    return seq;
  }

  /** Numbers without a meaning are those of a later version, and passed over. */
  #control(frame: Frame): void {
    const body = this.#settings.codec.read(frame);
    const { clientCommands } = control;
    if (frame.seq === 0) {
      if (frame.cmd === clientCommands.kick) {
        const { reason, code } = control.kick.decode(body.data);
        this.#events.kicked(this, reason, code);
      } else if (frame.cmd === clientCommands.move && this.#phase === 'up') {
        const { addresses, leave_by_ms } = control.move.decode(body.data);
        this.#events.move(this, addresses, leave_by_ms);
      }
    } else if (frame.cmd === clientCommands.hello + 1 && frame.seq === this.#helloSeq && this.#phase === 'opening') {
      if (body.result?.code) this.#refused(body.result.code, body.result.msg.toString());
      else this.#welcomed(body.data);
    } else if (frame.cmd === clientCommands.heartbeat + 1) {
      this.#heartbeat?.answer(frame.seq, body.result?.code ? undefined : control.heartbeatReply.decode(body.data).server_time);
    } else if (frame.cmd === clientCommands.leave + 1 && this.#phase === 'leaving') {
      this.end();
    }
  }

  #refused(code: number, msg: string): void {
    this.#isOriginal = code === UNKNOWN_COMMAND;
    const advice = this.#isOriginal ? "; a server without sessions needs the option hello: false or 'auto'" : '';
    this.abandon(`the server refused HELLO with code ${code}: ${msg || 'no text'}${advice}`);
  }

  #welcomed(data: Buffer): void {
    const { session_id: id, token, heartbeat_ms, server_time, resumed, user_id: userId } = control.welcome.decode(data);
    if (token.length > control.MAX_TOKEN) throw new Error(`a token of ${token.length} bytes`);
    // a copy: what was read is a view into more, and this is kept
    this.#session = { id, token: new Uint8Array(token), userId, resumed };
    this.#clock.add(performance.now() - this.#helloAt, server_time, Date.now());
    if (heartbeat_ms > 0) this.#heartbeat = this.#heart(heartbeat_ms);
    this.#up();
  }

  #heart(everyMs: number): Heartbeat {
    const port = {
      send: () => this.#say(control.clientCommands.heartbeat, control.heartbeat.encode({ client_time: Date.now() })),
      progress: () => ({ received: this.#received, taken: this.#written - this.unsent, isStuck: this.unsent > 0 }),
      answered: (roundTripMs: number, serverTime: number) => this.#clock.add(roundTripMs, serverTime, Date.now()),
      lost: (reason: string) => this.abandon(reason),
    };
    return new Heartbeat(port, Math.min(Math.max(everyMs, MIN_HEARTBEAT_MS), 0x7fffffff), this.#settings.heartbeatTimeoutMs);
  }
}
