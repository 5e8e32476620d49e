// Lives one life of an attacking connection, and looks at what comes back: whole frames only, in order, and all that have to come.

import net from 'node:net';
import { readBody } from '../../src/wire/body.ts';
import { protobufCodec } from '../../src/wire/codecs/protobuf.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { PUSH } from './frames.ts';
import type { Life } from './generate.ts';

/** A connection that the server has not ended by then is a failure; no limit of the node under attack is longer. */
const LIFE_MS = 20_000;
/** Who waits for a reply to be cut off in the middle of it does not wait longer. */
const REPLY_MS = 50;
const MAX_REPLY = 1 << 24;

/** What all lives together did. */
export interface Tally {
  connections: number;
  frames: number;
  bytes: number;
  replies: number;
  pushes: number;
  endings: Record<string, number>;
  problems: string[];
}

export const newTally = (): Tally => ({ connections: 0, frames: 0, bytes: 0, replies: 0, pushes: 0, endings: {}, problems: [] });

/** Resolves when the connection is gone. What went wrong is in the tally; at most a few for each run, the first ones tell the most. */
export async function attack(life: Life, ports: Record<Life['port'], number>, tally: Tally): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = net.connect({ host: '127.0.0.1', port: ports[life.port], allowHalfOpen: true, noDelay: true });
  const replies = new ReplyCheck(life, tally);
  tally.connections++;
  tally.endings[life.ending] = (tally.endings[life.ending] ?? 0) + 1;
  let failure: string | undefined;
  let isConnected = false;
  const late = setTimeout(() => {
    replies.problem(`the server did not end it within ${LIFE_MS} ms (${life.ending})`);
    socket.destroy();
  }, LIFE_MS);
  const settled = new Promise<void>((done) => {
    socket.once('connect', done);
    socket.once('close', done);
  });
  socket.on('connect', () => (isConnected = true));
  const reads = life.ending !== 'mute' && life.ending !== 'glut';
  if (reads) socket.on('data', (bytes) => replies.feed(bytes));
  socket.on('end', () => socket.end());
  socket.on('error', (error: NodeJS.ErrnoException) => (failure = error.code ?? error.message));
  socket.on('close', () => {
    clearTimeout(late);
    if (!isConnected) replies.problem(`no connection: ${failure}`);
    else replies.end(failure);
    resolve();
  });
  await settled;
  await write(life, socket, tally, reads);
  finish(life, socket);
  await promise;
}

async function write(life: Life, socket: net.Socket, tally: Tally, reads: boolean): Promise<void> {
  for (const piece of life.writes) {
    if (!socket.writable) return;
    tally.frames += piece.frames;
    tally.bytes += piece.bytes.length;
    const hasRoom = socket.write(piece.bytes);
    if (piece.pause) await new Promise((resolve) => setImmediate(resolve));
    // who does not read would wait for a server that waits for it
    if (!hasRoom && reads) await roomIn(socket);
  }
}

function roomIn(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || !socket.writableNeedDrain) return resolve();
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function finish(life: Life, socket: net.Socket): void {
  const reset = () => void socket.resetAndDestroy();
  switch (life.ending) {
    case 'half':
      socket.end();
      return;
    case 'wait':
      return;
    case 'reset':
    case 'mute':
    case 'glut':
      return after(life.delayMs, reset);
    case 'reset on reply': {
      const timer = setTimeout(reset, REPLY_MS);
      socket.once('data', reset);
      socket.once('close', () => clearTimeout(timer));
      return;
    }
    case 'gone':
      return after(life.delayMs, () => void socket.destroy());
  }
}

function after(ms: number, task: () => void): void {
  if (ms === 0) task();
  else setTimeout(task, ms);
}

/** Compares what comes with what has to come. */
class ReplyCheck {
  readonly #life: Life;
  readonly #tally: Tally;
  readonly #decoder = protobufCodec.decoder(MAX_REPLY);
  #next = 0;
  #isBroken = false;

  constructor(life: Life, tally: Tally) {
    this.#life = life;
    this.#tally = tally;
  }

  feed(bytes: Buffer): void {
    if (this.#isBroken) return;
    this.#decoder.feed(bytes);
    try {
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) this.#check(frame);
    } catch (error) {
      this.problem(`the server sent what is no frame: ${(error as Error).message}`);
    }
  }

  #check(frame: Frame): void {
    if (frame.cmd === PUSH && frame.seq === 0) {
      this.#tally.pushes++;
      return;
    }
    this.#tally.replies++;
    const { result, data } = readBody(frame.bytes, frame.start, frame.end);
    const code = result?.code;
    const expected = this.#life.replies[this.#next++];
    if (expected === undefined) {
      if (this.#life.isComplete) this.problem(`a reply too many: command ${frame.cmd}, seq ${frame.seq}, code ${code}`);
      return;
    }
    const isRight =
      frame.cmd === expected.cmd &&
      frame.seq === expected.seq &&
      code === expected.code &&
      (expected.length < 0 || data.length === expected.length);
    if (!isRight) {
      const got = JSON.stringify({ cmd: frame.cmd, seq: frame.seq, code, length: data.length });
      this.problem(`reply ${this.#next} is ${got}, it should be ${JSON.stringify(expected)}`);
    }
  }

  end(failure: string | undefined): void {
    if (this.#isBroken || !this.#life.isSure) return;
    const due = this.#life.replies.length;
    if (failure !== undefined) this.problem(`it ended with ${failure}, ${this.#next} of ${due} replies came`);
    else if (this.#next < due) this.problem(`only ${this.#next} of ${due} replies came before the end`);
  }

  problem(text: string): void {
    this.#isBroken = true;
    this.#tally.problems.push(`connection ${this.#life.number}: ${text}`);
  }
}
