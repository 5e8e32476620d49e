// The floor: the least that a Node.js server can do and still answer. It cuts frames by their heads, never looks into a body, has no
// limits and counts nothing; each piece that was read is answered by one write. What we spend beyond it is the price of being a server.

import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from './child.ts';

const HEAD_BYTES = 15;

export type FloorQuestion = { type: 'listen' } | { type: 'reply'; body: string };

/** Body of every reply, of the size that ours has. */
let body: Buffer = Buffer.alloc(0);

function serve(socket: net.Socket): void {
  let rest: Buffer | undefined;
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.on('data', (piece: Buffer) => {
    const chunk = rest === undefined ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    let frames = 0;
    while (at + HEAD_BYTES <= chunk.length) {
      const next = at + HEAD_BYTES + chunk.readUInt32LE(at + 11);
      if (next > chunk.length) break;
      at = next;
      frames++;
    }
    rest = at === chunk.length ? undefined : Buffer.from(chunk.subarray(at));
    if (frames > 0) socket.write(replies(chunk, frames));
  });
}

function replies(chunk: Buffer, frames: number): Buffer {
  const size = HEAD_BYTES + body.length;
  const out = Buffer.allocUnsafe(frames * size);
  let at = 0;
  for (let to = 0; to < out.length; to += size) {
    out[to] = 0x0d;
    out.writeUInt32LE(chunk.readUInt32LE(at + 1) + 1, to + 1);
    out[to + 5] = 0x15;
    out.writeUInt32LE(chunk.readUInt32LE(at + 6), to + 6);
    out[to + 10] = 0x1d;
    out.writeUInt32LE(body.length, to + 11);
    for (let i = 0; i < body.length; i++) out[to + HEAD_BYTES + i] = body[i]!;
    at += HEAD_BYTES + chunk.readUInt32LE(at + 11);
  }
  return out;
}

const server = net.createServer({ allowHalfOpen: true }, serve);

answerQuestions<FloorQuestion>((question) => {
  if (question.type === 'reply') {
    body = Buffer.from(question.body, 'base64');
    return undefined;
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => resolve((server.address() as AddressInfo).port));
  });
});
