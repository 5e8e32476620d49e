// Clients that know no more than frames, as those of the originals: a request, its answer, the next one. Where the server ends the connection they
// make another one and go on.

import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { cut, request } from '../frames.ts';
import { emptyTally, type Tally } from './tally.ts';

const CONNECT_MS = 5000;
const ANSWER_MS = 15_000;
const RETRY_MS = 100;

export interface CrowdOptions {
  readonly host: string;
  readonly port: number;
  readonly clients: number;
  /** From an answer to the next request, about. */
  readonly paceMs?: number;
}

export const PACE_MS = 500;
/** What is asked: a logic node answers with the same. */
export const ECHO = 1101;

export class Originals {
  readonly tally: Tally = emptyTally();
  /** Right answers of each client. */
  readonly right: number[];
  readonly #options: CrowdOptions;
  readonly #running: Promise<void>[];
  readonly #sockets = new Set<net.Socket>();
  readonly #stopped = new AbortController();

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.right = Array.from({ length: options.clients }, () => 0);
    this.#running = this.right.map((_, i) => this.#live(i));
  }

  /** Resolves when every request has its end. */
  async stop(): Promise<Tally> {
    this.#stopped.abort();
    await Promise.all(this.#running);
    for (const socket of this.#sockets) socket.destroy();
    return this.tally;
  }

  /** One connection after another, each until the server ends it. */
  async #live(i: number): Promise<void> {
    const { host, port, paceMs = PACE_MS } = this.#options;
    const { signal } = this.#stopped;
    await rest(Math.random() * paceMs, signal);
    for (let seq = 1; !signal.aborted;) {
      const socket = net.connect({ host, port, noDelay: true });
      this.#sockets.add(socket);
      seq = await this.#talk(socket, i, seq);
      socket.destroy();
      this.#sockets.delete(socket);
    }
  }

  /** Returns the number of the next request. */
  async #talk(socket: net.Socket, i: number, first: number): Promise<number> {
    const { paceMs = PACE_MS } = this.#options;
    const { signal } = this.#stopped;
    const line = new Line(socket, this.tally);
    const timer = setTimeout(() => socket.destroy(), CONNECT_MS);
    const isOpen = await line.opened;
    clearTimeout(timer);
    if (!isOpen) {
      this.tally.refused++;
      await rest(RETRY_MS, signal);
      return first;
    }
    for (let seq = first; ; seq++) {
      if (signal.aborted) return seq;
      const data = `${i} ${seq}`;
      this.tally.sent++;
      const answer = await line.ask(seq, data);
      if (answer === 'ended') return seq;
      // what does not answer is given up
      if (answer === 'late') return seq + 1;
      if (answer === data) this.right[i]!++;
      await rest(paceMs * (0.5 + Math.random()), signal);
      if (line.isOver) {
        line.count();
        return seq + 1;
      }
    }
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}

/** One connection of such a client. */
class Line {
  readonly opened: Promise<boolean>;
  readonly #socket: net.Socket;
  readonly #tally: Tally;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: { seq: number; give(answer: string | undefined): void } | undefined;
  #error: string | undefined;
  #hasEnded = false;
  isOver = false;

  constructor(socket: net.Socket, tally: Tally) {
    this.#socket = socket;
    this.#tally = tally;
    this.opened = new Promise((resolve) => {
      socket.on('connect', () => resolve(true));
      socket.on('close', () => resolve(false));
    });
    socket.on('data', (piece: Buffer) => this.#came(piece));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#error = error.code ?? error.message));
    socket.on('end', () => (this.#hasEnded = true));
    socket.on('close', () => {
      this.isOver = true;
      this.#waiting?.give(undefined);
    });
  }

  /** Its data; nothing if it failed, `late` if it did not come, `ended` if the connection did before: all of them are counted. */
  async ask(seq: number, data: string): Promise<string> {
    const timer = setTimeout(() => {
      this.#fail('late');
      this.#waiting?.give('late');
    }, ANSWER_MS);
    const answer = await new Promise<string | undefined>((give) => {
      this.#waiting = { seq, give };
      this.#socket.write(request(ECHO, seq, data));
    });
    clearTimeout(timer);
    this.#waiting = undefined;
    if (answer !== undefined) return answer;
    this.#tally.crossed++;
    this.count();
    return 'ended';
  }

  /** How the connection ended. */
  count(): void {
    if (this.#hasEnded && this.#error === undefined) this.#tally.ends++;
    else this.#tally.resets.push(`${this.#error ?? 'no end'}${this.#hasEnded ? ' after the end' : ''}`);
  }

  #came(piece: Buffer): void {
    const { frames, rest: left } = cut(Buffer.concat([this.#rest, piece]));
    this.#rest = left;
    for (const { cmd, seq, code, data, msg } of frames) {
      if (this.#waiting?.seq !== seq || cmd !== ECHO + 1) {
        this.#tally.doubled++;
        continue;
      }
      if (code === 0) this.#tally.answered++;
      else this.#fail(`${code} ${msg}`);
      this.#waiting.give(code === 0 ? data : '');
    }
  }

  #fail(why: string): void {
    this.#tally.failed[why] = (this.#tally.failed[why] ?? 0) + 1;
  }
}
