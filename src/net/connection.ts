// A byte stream seen as messages, whoever is at the other end: it decodes what comes, gathers what goes, and closes without losing replies.
//
//   open --close()--> closing (our side ended, what still comes is thrown away) --peer ends or lingerMs--> closed
//   open --detach()--> gone to another worker

import type { Socket } from 'node:net';
import type { CloseReason } from '../errors.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Codec, Decoder } from '../wire/codec.ts';
import type { Frame } from '../wire/frame.ts';
import { detach, type AdoptedSocket, type Handle } from './handle.ts';

/** How long a peer may take to read our last bytes and to close its side, before the connection is destroyed. */
const LINGER_MS = 5000;

/** Who is told what happens on a connection. */
export interface ConnectionEvents {
  /** Bytes came and were fed to the decoder. */
  data(connection: Connection, bytes: number): void;
  /** The peer will send no more. */
  ended(connection: Connection): void;
  /** The kernel took what was waiting to be sent. */
  drained(connection: Connection): void;
  /** The last event of a connection, whatever happened. */
  closed(connection: Connection, reason: CloseReason): void;
}

/** A reply slot: requests that are being handled, in the order in which they came. */
export interface Slot {
  /** How many requests the command of this one allows beside it. */
  readonly concurrent: number;
  /** True once the reply is known, or nobody wants it any more. */
  readonly isOver: boolean;
  /** The encoded reply, if it was encoded when it became known. An empty buffer stands for no reply. */
  readonly done: Buffer | undefined;
  /** What the reply holds in memory, once it is known. */
  readonly bytes: number;
  /** What to do when the connection goes away before the reply. */
  cancel(): void;
}

const NOTHING = Buffer.alloc(0);

interface OwnedSocket extends AdoptedSocket {
  reader?: Connection;
}

/** Times in it are whole milliseconds: the engine keeps a fraction in an object of its own, one more to fetch for each request. */
export class Connection {
  /** Of the session of its client, where there is one: that may be older. */
  id: string;
  readonly socket: Socket;
  readonly codec: Codec;
  decoder: Decoder;
  readonly remote: string;
  /** True for links from other nodes: limits meant for clients do not apply, and system commands are answered. */
  readonly isLink: boolean;
  readonly #events: ConnectionEvents;
  readonly #ledger: Ledger;
  state: 'open' | 'closing' | 'closed' | 'detached' = 'open';
  reason: CloseReason = 'peer';
  openedAt: number;
  lastActive: number;
  /** What is left of request_burst, in thousandths of a request, at `creditAt`; see net/pace.ts. Negative before the first request. */
  credit = -1;
  creditAt = 0;
  /** When the unfinished message began, 0 while there is none. */
  unfinishedSince = 0;
  /** When the peer began to be slow in reading, 0 while it is not. */
  slowSince = 0;
  /** What the budget of the worker has noted for this connection, in bytes. */
  accounted = 0;
  paused = false;
  /** It is in the list of those that have something to do at the end of the turn. */
  isDirty = false;
  /** Requests of this link that are being answered, in any order. */
  busy = 0;
  /** What a client that began with HELLO has been told; undefined for original clients. */
  greeted: unknown;
  /** The worker of ours that opened this link; undefined for clients and for links of originals. */
  peer: unknown;
  peerEnded = false;
  /** Set when no further request is taken: it ends for this reason once those in flight are answered. */
  ending: CloseReason | undefined;
  /** True when no further request is taken because another worker goes on with it, as soon as those in flight are answered. */
  moving = false;
  requests = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Requests in flight in the order of their replies; made on first use, since most connections are idle. */
  slots: Slot[] | undefined;
  /** Bytes of replies that are known and wait for those before them. */
  parked = 0;
  /** A message that was taken from the decoder and has to wait for the slots. */
  waiting: Frame | undefined;
  /** Whatever belongs to this connection above this layer. */
  owner: unknown;
  /** The least that a request in flight allows at once, and how many of them allow no more. */
  #narrowest = Infinity;
  #narrow = 0;
  #out: Buffer[] | undefined;
  #linger: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(
    socket: Socket,
    options: {
      id: string;
      codec: Codec;
      maxBody: number;
      now: number;
      isLink: boolean;
      remote?: string | undefined;
      ledger: Ledger;
      events: ConnectionEvents;
    },
  ) {
    this.socket = socket;
    this.id = options.id;
    this.codec = options.codec;
    this.decoder = options.codec.decoder(options.maxBody);
    this.remote = options.remote ?? `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.isLink = options.isLink;
    this.openedAt = Math.trunc(options.now);
    this.lastActive = this.openedAt;
    this.#events = options.events;
    this.#ledger = options.ledger;
    this.#ledger.connections.take();
    (socket as OwnedSocket).reader = this;
    // one function for all connections: five closures each would be a tenth of what an idle one costs
    socket.on('data', onData);
    // one that a listener accepted paused stays so, whoever listens to its data
    if (socket.isPaused()) socket.resume();
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Unsent bytes: gathered in this turn or waiting for the peer to read. */
  get outgoing(): number {
    let bytes = this.socket.writableLength;
    if (this.#out !== undefined) for (const part of this.#out) bytes += part.length;
    return bytes;
  }

  /** True if nothing is being handled and nothing waits to be sent: the moment to hand it over or to close it. */
  get isQuiet(): boolean {
    return (
      (this.slots === undefined || this.slots.length === 0) &&
      this.waiting === undefined &&
      this.busy === 0 &&
      this.#out === undefined &&
      this.socket.writableLength === 0
    );
  }

  /** Gathers bytes for the next flush. Returns true if somebody has to be told that this connection wants one. */
  gather(bytes: Buffer): boolean {
    if (this.state !== 'open') return false;
    if (this.#out !== undefined) {
      this.#out.push(bytes);
      return false;
    }
    this.#out = [bytes];
    return true;
  }

  /** Sends what was gathered, and `last` behind it: one write, unless the dialect wants one for each message. */
  flush(last?: Buffer): void {
    const gathered = this.#out;
    this.#out = undefined;
    if (this.state !== 'open') return;
    if (gathered === undefined) {
      if (last !== undefined) this.#write(last);
      return;
    }
    if (last !== undefined) gathered.push(last);
    if (!this.codec.coalesce) for (const part of gathered) this.#write(part);
    else this.#write(gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered));
  }

  /** Puts a reply that is known behind those that are not. */
  park(reply: Buffer): void {
    this.occupy({ concurrent: Infinity, isOver: true, done: reply, bytes: reply.length, cancel: () => undefined });
    this.parked += reply.length;
  }

  /** Gives a request its place among the replies. */
  occupy(slot: Slot): void {
    (this.slots ??= []).push(slot);
    if (slot.concurrent < this.#narrowest) {
      this.#narrowest = slot.concurrent;
      this.#narrow = 1;
    } else if (slot.concurrent === this.#narrowest) this.#narrow++;
  }

  /** True if none of the requests in flight minds one more beside it. */
  get hasPlace(): boolean {
    return this.slots === undefined || this.slots.length < this.#narrowest;
  }

  #leave(slot: Slot): void {
    if (slot.concurrent !== this.#narrowest || --this.#narrow > 0) return;
    this.#narrowest = Infinity;
    // counted again only when the last of the narrowest is gone: with many in flight a look at each for each would be most of the work
    for (const { concurrent } of this.slots!) {
      if (concurrent < this.#narrowest) {
        this.#narrowest = concurrent;
        this.#narrow = 1;
      } else if (concurrent === this.#narrowest) this.#narrow++;
    }
  }

  /** How many slots from the first on have replies that are known. */
  get ready(): number {
    const { slots } = this;
    let n = 0;
    while (slots !== undefined && n < slots.length && slots[n]!.isOver) n++;
    return n;
  }

  /** Frees the first slots, whose replies have been handed over. */
  free(count: number): void {
    for (const slot of this.slots!.splice(0, count)) {
      this.#leave(slot);
      this.parked -= slot.bytes;
    }
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /**
   * Ends our side after what was sent, throws away what still comes, and destroys the socket when the peer has ended too or after a
   * deadline. Destroying it at once would make the kernel reset the connection, and the peer lose the last replies.
   */
  close(reason: CloseReason): void {
    if (this.state !== 'open') return;
    this.flush();
    this.state = 'closing';
    this.reason = reason;
    this.#cancelSlots();
    this.socket.end();
    this.resume();
    this.#ledger.timers.take();
    this.#linger = setTimeout(() => this.socket.destroy(), LINGER_MS);
  }

  /** Ends the connection now; for peers that do not read, or sent what nobody should send. */
  destroy(reason: CloseReason): void {
    if (this.state === 'closed' || this.state === 'detached') return;
    if (this.state === 'open') {
      this.reason = reason;
      this.#cancelSlots();
    }
    this.state = 'closing';
    this.socket.destroy();
  }

  /** Takes the descriptor for another process, with the bytes that were read and not used. Only while isQuiet. */
  detach(): { handle: Handle; rest: Buffer } | undefined {
    const handle = detach(this.socket, (chunk) => this.decoder.feed(chunk));
    if (handle === undefined) return undefined;
    this.state = 'detached';
    this.#ledger.connections.give();
    return { handle, rest: this.decoder.rest() };
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.bytesOut += bytes.length;
    this.socket.write(bytes);
    // what waits below the stream's high-water mark is taken without an event; a write behind it tells
    if (this.#isAsking || this.socket.writableLength === 0 || this.socket.writableNeedDrain) return;
    this.#isAsking = true;
    this.socket.write(NOTHING, () => {
      this.#isAsking = false;
      this.drained();
    });
  }

  #cancelSlots(): void {
    const slots = this.slots;
    this.slots = undefined;
    this.#narrowest = Infinity;
    this.#narrow = 0;
    this.parked = 0;
    this.waiting = undefined;
    if (slots !== undefined) for (const slot of slots) slot.cancel();
  }

  /** @internal */
  received(chunk: Buffer): void {
    if (this.state !== 'open') return;
    this.bytesIn += chunk.length;
    this.decoder.feed(chunk);
    this.#events.data(this, chunk.length);
  }

  /** @internal */
  ended(): void {
    this.peerEnded = true;
    if (this.state === 'open') this.#events.ended(this);
    else this.socket.destroySoon();
  }

  /** @internal */
  drained(): void {
    if (this.state === 'open') this.#events.drained(this);
  }

  /** @internal */
  failed(): void {
    if (this.state === 'open') this.reason = 'reset';
  }

  /** @internal */
  gone(): void {
    if (this.state === 'closed' || this.state === 'detached') return;
    this.state = 'closed';
    if (this.#linger !== undefined) {
      clearTimeout(this.#linger);
      this.#ledger.timers.give();
    }
    this.#out = undefined;
    this.#cancelSlots();
    // whatever the decoder still holds goes with it
    this.decoder.rest();
    this.#ledger.connections.give();
    this.#events.closed(this, this.reason);
  }
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this.reader?.received(chunk);
}
function onEnd(this: OwnedSocket): void {
  this.reader?.ended();
}
function onDrain(this: OwnedSocket): void {
  this.reader?.drained();
}
function onError(this: OwnedSocket): void {
  this.reader?.failed();
}
function onClose(this: OwnedSocket): void {
  this.reader?.gone();
}
