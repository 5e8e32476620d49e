// A process full of clients that are spoken to: each says once what it wants to hear, and from then on counts the frames that come.

import net from 'node:net';
import { answerQuestions } from './child.ts';
import { requestFrame } from './frames.ts';
import { HEAD_BYTES, headLen } from '../wire/frame.ts';

export type SinkQuestion =
  { type: 'join'; port: number; connections: number; cmd: number; data: string } | { type: 'count' } | { type: 'leave' };

const OPENING = 128;
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
let clients: Listener[] = [];
let frames = 0;

/** Counts whole frames by their heads alone. */
class Listener {
  readonly socket: net.Socket;
  #left = 0;
  #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;

  constructor(port: number, request: Buffer, answered: () => void) {
    let isFirst = true;
    const callback = (bytes: number, from: Uint8Array) => {
      const before = frames;
      this.#received(from as Buffer, bytes);
      if (isFirst && frames > before) {
        isFirst = false;
        frames--;
        answered();
      }
      return true;
    };
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } });
    this.socket.on('error', () => undefined);
    this.socket.write(request);
  }

  #received(from: Buffer, bytes: number): void {
    let at = 0;
    while (at < bytes) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes - at);
        this.#left -= skipped;
        at += skipped;
        if (this.#left === 0) frames++;
        continue;
      }
      const taken = Math.min(HEAD_BYTES - this.#headBytes, bytes - at);
      from.copy(this.#head, this.#headBytes, at, at + taken);
      this.#headBytes += taken;
      at += taken;
      if (this.#headBytes < HEAD_BYTES) continue;
      this.#headBytes = 0;
      this.#left = headLen(this.#head, 0);
      if (this.#left === 0) frames++;
    }
  }
}

/** Resolves when all of them have been answered. */
async function join({ port, connections, cmd, data }: Extract<SinkQuestion, { type: 'join' }>): Promise<void> {
  const request = requestFrame(cmd, 1, data);
  for (let n = 0; n < connections; n += OPENING) {
    const some = Math.min(OPENING, connections - n);
    await Promise.all(
      Array.from({ length: some }, () => new Promise<void>((resolve) => clients.push(new Listener(port, request, resolve)))),
    );
  }
  frames = 0;
}

answerQuestions<SinkQuestion>((question) => {
  if (question.type === 'join') return join(question);
  if (question.type === 'count') return frames;
  for (const { socket } of clients) socket.destroy();
  clients = [];
  return undefined;
});
