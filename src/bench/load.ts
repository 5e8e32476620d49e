// A process that makes load: bursts of requests encoded beforehand on many connections, replies counted and checked by their heads.
// Closed loop: a connection sends its next burst when its last one is answered. Nothing here decodes or encodes while it measures.

import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerQuestions } from './child.ts';
import { churn, type ChurnQuestion } from './churn.ts';
import { Histogram, type Counts } from './histogram.ts';
import { ReplyReader } from './replies.ts';

export type LoadQuestion =
  | { type: 'connect'; port: number; connections: number; cmd: number; depth: number; burst: string }
  | { type: 'run'; seconds: number; replies: number; awake: boolean }
  | { type: 'close' }
  | ChurnQuestion;

/** What one process has seen of a run. */
export interface LoadResult {
  replies: number;
  seconds: number;
  /** CPU time of this process. */
  cpuUs: number;
  latency: Counts;
}

/** So many connections are opened at once: fewer than wait for any server here. */
const OPENING = 128;

/** All connections read into this one: their data is used up before the next read. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
let peers: Peer[] = [];
let depth = 1;
/** Connections that the server closed without being asked to. */
let lost = 0;
let run: Run | undefined;

class Peer {
  readonly socket: net.Socket;
  leaves = false;
  readonly #replies: ReplyReader;
  readonly #burst: Buffer;
  readonly #depth: number;
  #left = 0;
  #sentAt = 0;

  constructor(port: number, cmd: number, burst: Buffer, depth: number) {
    this.#replies = new ReplyReader(cmd + 1);
    this.#burst = burst;
    this.#depth = depth;
    const callback = (bytes: number, from: Uint8Array) => {
      this.#received(from as Buffer, bytes);
      return true;
    };
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      if (!this.leaves) lost++;
      run?.failed(`the server closed a connection with ${this.#left} requests unanswered`);
    });
  }

  send(now: number): void {
    this.#left = this.#depth;
    this.#sentAt = now;
    this.#replies.restart();
    this.socket.write(this.#burst);
  }

  #received(chunk: Buffer, bytes: number): void {
    const now = performance.now();
    const count = this.#replies.count(chunk, bytes);
    if (run === undefined || count === 0) return;
    if (count < 0 || count > this.#left)
      return run.failed('a reply is not the one expected: another command, another order or an error code');
    run.latency.record((now - this.#sentAt) * 1000, count);
    run.replies += count;
    this.#left -= count;
    if (this.#left === 0) run.answered(this, this.#depth, now);
  }
}

/** All connections send until time or count is used up, and the last replies are awaited. */
class Run {
  readonly latency = new Histogram();
  replies = 0;
  readonly done: Promise<void>;
  #sent = 0;
  #active = 0;
  readonly #until: number;
  readonly #limit: number;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  /** 0 seconds or replies means no limit of that kind. */
  constructor(seconds: number, replies: number) {
    this.#until = seconds > 0 ? performance.now() + seconds * 1000 : Infinity;
    this.#limit = replies > 0 ? replies : Infinity;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(peer: Peer, depth: number, now: number): void {
    if (this.#sent >= this.#limit) return;
    this.#active++;
    this.#sent += depth;
    peer.send(now);
  }

  answered(peer: Peer, depth: number, now: number): void {
    this.#active--;
    if (now < this.#until) this.start(peer, depth, now);
    if (this.#active === 0) this.#resolve();
  }

  failed(why: string): void {
    this.#reject(new Error(why));
  }
}

/** Opens connections a lot at a time; each has sent one burst and got its replies before the next lot comes. */
async function connect(question: Extract<LoadQuestion, { type: 'connect' }>): Promise<void> {
  const { port, connections, cmd } = question;
  const bytes = Buffer.from(question.burst, 'base64');
  depth = question.depth;
  lost = 0;
  while (peers.length < connections) {
    const lot = Array.from({ length: Math.min(OPENING, connections - peers.length) }, () => new Peer(port, cmd, bytes, depth));
    peers.push(...lot);
    await Promise.all(lot.map(({ socket }) => connected(socket)));
    await sendUntilDone(lot, new Run(0, lot.length * depth));
  }
}

function connected(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(new Error(`cannot connect: ${error.message}`)));
  });
}

async function sendUntilDone(senders: readonly Peer[], current: Run, awake = false): Promise<void> {
  run = current;
  if (awake) poll(current);
  for (const peer of senders) current.start(peer, depth, performance.now());
  try {
    await current.done;
  } finally {
    run = undefined;
  }
}

/** Looks for replies again and again: a process that sleeps has to be woken, and on loopback whoever answers it pays for that. */
function poll(current: Run): void {
  if (run === current) setImmediate(poll, current);
}

async function measure({ seconds, replies, awake }: Extract<LoadQuestion, { type: 'run' }>): Promise<LoadResult> {
  if (lost > 0) throw new Error(`the server closed ${lost} of ${peers.length} connections`);
  const current = new Run(seconds, replies);
  const cpu = process.cpuUsage();
  const start = performance.now();
  await sendUntilDone(peers, current, awake);
  const { user, system } = process.cpuUsage(cpu);
  return {
    replies: current.replies,
    seconds: (performance.now() - start) / 1000,
    cpuUs: user + system,
    latency: current.latency.counts(),
  };
}

/** Ends all connections as a client does: our end first, then the server's. */
async function close(): Promise<void> {
  const leaving = peers;
  peers = [];
  await Promise.all(
    leaving.map(async (peer) => {
      const { socket } = peer;
      if (socket.destroyed) return;
      peer.leaves = true;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.end();
      await closed;
    }),
  );
}

answerQuestions<LoadQuestion>((question) => {
  switch (question.type) {
    case 'connect':
      return connect(question);
    case 'run':
      return measure(question);
    case 'close':
      return close();
    case 'churn':
      return churn(question);
  }
});
