// A link: a connection that this worker opened to a worker of another node. It asks the node port for the worker (21), tells who we are
// (23), and then carries requests: to a worker of ours as many as come, found by seq; to an original one at a time, in order.
//
//   idle --something to send--> connecting -> asking (21) -> telling (23) -> up --lost--> idle, again after a pause if something waits
//
// Whatever is lost, each request ends exactly once: answered, or failed with a fault, and whether it had been sent.

import type { Socket } from 'node:net';
import { Fault, type FaultName } from '../errors.ts';
import { FramingError, type Decoder } from '../wire/codec.ts';
import { protobufCodec } from '../wire/codecs/protobuf.ts';
import { commands, isControl } from '../wire/commands.ts';
import { writeHead, HEAD_BYTES, type Frame } from '../wire/frame.ts';
import { CAPABLE, decodeGreeting, encodeGreeting, type Greeting } from '../wire/handshake.ts';
import { isUnknownCommand, readBody, writeRequestBody } from '../wire/body.ts';
import { Writer } from '../wire/writer.ts';
import { dial, type AdoptedSocket } from './handle.ts';
import { Pending, type Awaited } from './pending.ts';

/** What is gathered leaves at the end of the turn, or as soon as it is this much. */
const FLUSH_AT = 64 * 1024;
/** The other end reads slowly: what comes waits here until the kernel has taken what was written. */
const MAX_UNSENT = 4 * 1024 * 1024;
const FIRST_PAUSE_MS = 20;
/** How long the other end may take to close its side after we ended ours. */
const LINGER_MS = 2000;

/** Deadlines in milliseconds and limits; changed live by replacing the object. */
export interface LinkSettings {
  readonly connectMs: number;
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** How long a heartbeat may stay unanswered, and a request to an original. */
  readonly answerMs: number;
  /** Longest pause before it is opened again. */
  readonly backoffMs: number;
  /** Requests that wait to be sent. */
  readonly queue: number;
  /** Requests that wait for answers. */
  readonly inFlight: number;
  /** Largest body of an answer, in bytes. */
  readonly maxFrame: number;
}

/** What is sent on a link. Exactly one of `answered` and `failed` is called, once; nothing is for one that expects no answer and was sent. */
export interface LinkRequest extends Awaited {
  readonly cmd: number;
  /** When the answer must be there, on the clock of the link. */
  readonly deadline: number;
  readonly isOneWay: boolean;
  /** An original would not know it, and close: it fails instead. */
  readonly isForOurs?: boolean;
  /** Writes the body for the other end of that link. An original gets a byte at least. */
  write(out: Writer, link: Link): void;
  /** The frame is a view of what was read; `at` is when that was, on the clock of the link. */
  answered(frame: Frame, at: number): void;
  /** `wasSent` is false if the other end certainly knows nothing of it. */
  failed(fault: FaultName, wasSent: boolean): void;
  /** It was not sent, and the worker serves nobody any more: another one may be chosen. */
  again(): void;
}

export interface LinkEvents {
  up(link: Link): void;
  /** It was up, and is no more. */
  lost(link: Link, why: string): void;
  /** It could not be opened. */
  failed(link: Link, why: string): void;
  /** A worker of ours asks or tells something. */
  control(link: Link, frame: Frame): void;
}

export interface LinkOptions {
  host: string;
  port: number;
  /** Number of the worker at the other end, from 1. */
  worker: number;
  self: Omit<Greeting, 'capabilities'>;
  settings: LinkSettings;
  events: LinkEvents;
  now(): number;
}

export type LinkState = 'idle' | 'connecting' | 'asking' | 'telling' | 'up' | 'pausing' | 'closed';

export class Link {
  readonly id: string;
  settings: LinkSettings;
  state: LinkState = 'idle';
  /** Who answered; undefined until it has been up once. */
  peer: Greeting | undefined;
  /** True once the other end said that it is one of ours. */
  isOurs = false;
  /** How often it has been up. */
  opened = 0;
  readonly #options: LinkOptions;
  readonly #out = new Writer();
  readonly #pending = new Pending<LinkRequest>();
  #queue: LinkRequest[] = [];
  #socket: Socket | undefined;
  #decoder: Decoder | undefined;
  #deadline = 0;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #isFlushing = false;
  #lastIn = 0;
  #lastOut = 0;
  #heartbeatAt = 0;
  /** No request in flight is late before that. */
  #earliest = Infinity;
  /** Ends when nothing is in flight any more. */
  #isEnding = false;
  /** The other end gives its sessions away: what comes now waits until it is opened anew. */
  isPaused = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.id = `${options.host}:${options.port}.${options.worker}`;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  // ---- sending ----

  send(request: LinkRequest): void {
    if (this.state === 'up' && this.#queue.length === 0 && this.#hasRoom()) return this.#write(request);
    if (this.state === 'closed' || this.#queue.length >= this.settings.queue) return request.failed('connectFailed', false);
    this.#queue.push(request);
    if (this.state === 'idle') this.#open();
  }

  /** Answers what the other end asked. */
  reply(request: Frame, write: (out: Writer) => void): void {
    if (this.state !== 'up') return;
    const at = this.#out.skip(HEAD_BYTES);
    write(this.#out);
    writeHead(this.#out.memory, at, request.cmd + 1, request.seq, this.#out.length - at - HEAD_BYTES);
    this.#flushSoon();
  }

  #hasRoom(): boolean {
    if (this.#isEnding || this.isPaused) return false;
    // one that knows no heartbeat never answers it: no request waits for that
    if (!this.isOurs) return this.#pending.size === 0;
    return this.#pending.size < this.settings.inFlight && this.#socket!.writableLength < MAX_UNSENT;
  }

  #write(request: LinkRequest): void {
    if (request.isForOurs === true && !this.isOurs) return request.failed('invalidConnection', false);
    const seq = request.isOneWay ? 0 : this.#pending.add(request);
    const at = this.#out.skip(HEAD_BYTES);
    if (request.deadline < this.#earliest) this.#earliest = request.deadline;
    request.write(this.#out, this);
    writeHead(this.#out.memory, at, request.cmd, seq, this.#out.length - at - HEAD_BYTES);
    if (this.#out.length >= FLUSH_AT) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(this.#flushNow);
  }

  readonly #flushNow = (): void => {
    this.#isFlushing = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#out.length === 0) return;
    if (this.#socket === undefined) return this.#out.clear();
    this.#lastOut = this.#options.now();
    this.#socket.write(this.#out.take());
  }

  /** Sends what waits, as far as there is room. */
  #pump(): void {
    if (this.state !== 'up' || this.#queue.length === 0) return;
    let n = 0;
    while (n < this.#queue.length && this.#hasRoom()) this.#write(this.#queue[n++]!);
    if (n > 0) this.#queue.splice(0, n);
  }

  // ---- opening ----

  /** Opens it before there is something to send. */
  open(): void {
    if (this.state === 'idle') this.#open();
  }

  #open(): void {
    const { host, port, now } = this.#options;
    this.state = 'connecting';
    this.#deadline = now() + this.settings.connectMs;
    this.#decoder = protobufCodec.decoder(this.settings.maxFrame);
    const socket: AdoptedSocket = dial(host, port);
    this.#socket = socket;
    let why = 'the other end closed it';
    socket.reader = { received: (piece) => this.#received(socket, piece) };
    socket.once('connect', () => this.#ask());
    socket.on('drain', () => this.#pump());
    socket.on('end', () => this.#gone(socket, why));
    socket.on('error', (error) => (why = error.message));
    socket.on('close', () => this.#gone(socket, why));
    // the stream has to flow for its end to be seen
    socket.resume();
  }

  #ask(): void {
    this.state = 'asking';
    this.#deadline = this.#options.now() + this.settings.handshakeMs;
    this.#say(commands.connectToWorker, String(this.#options.worker));
  }

  #say(cmd: number, data: string | Uint8Array): void {
    const at = this.#out.skip(HEAD_BYTES);
    writeRequestBody(this.#out, data);
    writeHead(this.#out.memory, at, cmd, 1, this.#out.length - at - HEAD_BYTES);
    this.#flush();
  }

  /** One frame of the handshake. */
  #greeted(frame: Frame): void {
    const { result, data } = readBody(frame.bytes, frame.start, frame.end);
    if (result === undefined) throw new Fault('invalidResponse', `command ${frame.cmd} in the handshake is no answer`);
    if (result.code !== 0) throw new Fault('connectFailed', `it answered ${result.code} ${result.msg.toString()}`);
    if (this.state === 'asking' && frame.cmd === commands.connectToWorker + 1) {
      this.state = 'telling';
      this.#say(commands.tellWorker, encodeGreeting({ ...this.#options.self, capabilities: CAPABLE }));
    } else if (this.state === 'telling' && frame.cmd === commands.tellWorker + 1) {
      this.peer = decodeGreeting(data);
      this.isOurs = (this.peer.capabilities & CAPABLE) !== 0;
      this.state = 'up';
      this.opened++;
      this.isPaused = false;
      this.#failures = 0;
      this.#heartbeatAt = 0;
      this.#lastIn = this.#lastOut = this.#options.now();
      this.#options.events.up(this);
      this.#pump();
    } else throw new Fault('invalidResponse', `command ${frame.cmd} in the handshake`);
  }

  // ---- receiving ----

  #received(socket: Socket, piece: Buffer): void {
    if (socket !== this.#socket) return;
    const decoder = this.#decoder!;
    this.#lastIn = this.#options.now();
    try {
      decoder.feed(piece);
      for (let frame = decoder.next(); frame !== undefined && socket === this.#socket; frame = decoder.next()) this.#take(frame);
    } catch (error) {
      if (!(error instanceof FramingError || error instanceof Fault)) throw error;
      return this.#gone(socket, error.message);
    }
    this.#pump();
    this.#endIfDone();
  }

  #take(frame: Frame): void {
    if (this.state !== 'up') return this.#greeted(frame);
    if (this.isOurs && isControl(frame.cmd) && frame.cmd % 2 === 1) return this.#options.events.control(this, frame);
    if (this.#heartbeatAt > 0 && frame.cmd === commands.heartbeat + 1) {
      this.#heartbeatAt = 0;
      return;
    }
    // an original answers in order, whatever seq it gives; one of ours by seq, and late when nobody waits any more
    const request = this.isOurs ? this.#pending.take(frame.seq) : this.#oldest();
    if (this.isOurs && request !== undefined && frame.cmd !== request.cmd + 1) request.failed('invalidResponse', true);
    else request?.answered(frame, this.#lastIn);
    // it closes behind that; whatever were sent now would be lost
    if (!this.isOurs && isUnknownCommand(frame)) this.#gone(this.#socket!, 'it was asked for a command that it does not know');
  }

  #oldest(): LinkRequest | undefined {
    for (const request of this.#pending) return this.#pending.take(request.seq);
    return undefined;
  }

  // ---- time ----

  /** Looks at all deadlines; to be called some times a second. */
  sweep(now: number): void {
    if (this.#queue.length > 0) this.#expireQueue(now);
    if (this.state === 'connecting' || this.state === 'asking' || this.state === 'telling') {
      if (now > this.#deadline) this.#gone(this.#socket!, `it did not answer in time (${this.state})`);
    } else if (this.state === 'up') this.#sweepUp(now);
  }

  #expireQueue(now: number): void {
    const late = this.#queue.filter((request) => request.deadline <= now);
    if (late.length === 0) return;
    this.#queue = this.#queue.filter((request) => request.deadline > now);
    for (const request of late) request.failed('timeout', false);
  }

  #sweepUp(now: number): void {
    const { heartbeatMs, answerMs } = this.settings;
    if (now >= this.#earliest && !this.#expire(now)) return this.#gone(this.#socket!, 'no answer in time');
    if (this.#heartbeatAt > 0) {
      if (now > this.#heartbeatAt + answerMs && now > this.#lastIn + answerMs) this.#gone(this.#socket!, 'no answer to a heartbeat');
    } else if (now > Math.max(this.#lastIn, this.isOurs ? 0 : this.#lastOut) + heartbeatMs && (this.isOurs || this.#pending.size === 0)) {
      // what goes out is no sign of life of one of ours: requests alone would keep a dead one for ever
      this.#heartbeatAt = now;
      this.#say(commands.heartbeat, 'heartbeat');
    }
    this.#endIfDone();
  }

  /** Fails what is late. False if the link can not go on: an original's answers are known by their order, the next would be taken for another's. */
  #expire(now: number): boolean {
    this.#earliest = Infinity;
    for (const request of this.#pending) {
      if (request.deadline > now) this.#earliest = Math.min(this.#earliest, request.deadline);
      else {
        this.#pending.take(request.seq);
        request.failed('timeout', true);
        if (!this.isOurs) return false;
      }
    }
    return true;
  }

  // ---- ending ----

  #gone(socket: Socket, why: string): void {
    if (socket !== this.#socket) return;
    const wasUp = this.state === 'up';
    this.#socket = undefined;
    this.#decoder = undefined;
    this.#out.clear();
    socket.destroy();
    this.state = 'idle';
    const sent = this.#pending.takeAll();
    if (wasUp) this.#options.events.lost(this, why);
    else {
      this.#failures++;
      this.#options.events.failed(this, why);
    }
    for (const request of sent) request.failed('closed', true);
    this.#again(wasUp);
  }

  #again(wasUp: boolean): void {
    if (this.state !== 'idle' || this.#queue.length === 0) return;
    // one that worked until now is opened again at once
    const pause = wasUp ? 0 : Math.min(this.settings.backoffMs, FIRST_PAUSE_MS * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.state = 'pausing';
    this.#pause = setTimeout(() => {
      this.state = 'idle';
      if (this.#queue.length > 0) this.#open();
    }, pause);
  }

  /** What waits and was never sent, taken away: somebody else may get it. */
  takeWaiting(): LinkRequest[] {
    return this.#queue.splice(0);
  }

  /** Takes nothing more, and ends when everything in flight is answered. */
  end(): void {
    this.#isEnding = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isEnding || this.#pending.size > 0 || this.state === 'closed') return;
    const socket = this.#socket;
    if (socket === undefined) return this.close();
    this.#flush();
    this.#socket = undefined;
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
    this.close();
  }

  /** Ends it now; what is in flight or waits fails. */
  close(): void {
    if (this.state === 'closed') return;
    const wasUp = this.state === 'up';
    this.state = 'closed';
    clearTimeout(this.#pause);
    this.#socket?.destroy();
    this.#socket = undefined;
    if (wasUp) this.#options.events.lost(this, 'it was ended');
    for (const request of this.#pending.takeAll()) request.failed('closed', true);
    for (const request of this.takeWaiting()) request.failed('connectFailed', false);
  }
}
