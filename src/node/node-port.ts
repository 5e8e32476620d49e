// Where other nodes connect. The manager reads their first frame, which asks for a worker by number (command 21), and passes the
// connection on with everything that was read behind it; the worker answers.

import net from 'node:net';
import { faults } from '../errors.ts';
import { detach, type Handle } from '../net/handle.ts';
import type { Describer } from '../cluster/description.ts';
import type { Logger } from '../ops/log.ts';
import { FramingError } from '../wire/codec.ts';
import { protobufCodec } from '../wire/codecs/protobuf.ts';
import { commands } from '../wire/commands.ts';
import type { Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';
import { describe } from './describe.ts';

/** The original gives the whole handshake 2 s. */
const FIRST_FRAME_MS = 2000;
/** Peers that have connected and not said whom they want. */
const MAX_WAITING = 1024;
/** The data of command 21 is a number of a few digits. */
const MAX_FIRST_BODY = 1024;
const LINGER_MS = 1000;

export interface Link {
  cmd: number;
  seq: number;
  rest: Buffer;
  handle: Handle;
}

export interface NodePortOptions {
  /** How long the first frame may take. */
  firstFrameMs?: number;
  /** How long a peer that was refused may take to close its side. */
  lingerMs?: number;
  log: Logger;
  /** True if there is a worker of that number. */
  hasWorker(index: number): boolean;
  pass(index: number, link: Link): void;
  refused(reason: 'frame' | 'first_byte' | 'accept_queue'): void;
  /** What the node says of itself to those who ask. */
  describer: Describer;
}

export function createNodePort(options: NodePortOptions): net.Server {
  const { firstFrameMs = FIRST_FRAME_MS, lingerMs = LINGER_MS, log, hasWorker, pass, refused, describer } = options;
  let waiting = 0;
  return net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    if (waiting >= MAX_WAITING) {
      refused('accept_queue');
      socket.destroy();
      return;
    }
    waiting++;
    const decoder = protobufCodec.decoder(MAX_FIRST_BODY);
    const timer = setTimeout(() => {
      refused('first_byte');
      socket.destroy();
    }, firstFrameMs);
    const over = () => {
      waiting--;
      clearTimeout(timer);
      socket.off('close', over);
    };
    socket.on('close', over);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());

    socket.on('data', (chunk) => {
      let frame: Frame | undefined;
      try {
        decoder.feed(chunk);
        frame = decoder.next();
        if (frame === undefined) return;
        choose(frame);
      } catch (error) {
        refused('frame');
        if (!(error instanceof FramingError)) log.error('node port failed', { err: error });
        socket.destroy();
      }
    });

    const choose = (frame: Frame) => {
      over();
      if (frame.cmd === commands.describe) return describe(socket, frame, describer);
      const index = frame.cmd === commands.connectToWorker ? workerIndex(protobufCodec.data(frame)) : undefined;
      if (index === undefined || !hasWorker(index)) {
        const fault = frame.cmd === commands.connectToWorker ? faults.invalidWorker : faults.unknownCommand;
        socket.removeAllListeners('data');
        return answerAndClose(socket, frame, fault, lingerMs);
      }
      const { cmd, seq } = frame;
      const handle = detach(socket, (bytes) => decoder.feed(bytes));
      if (handle !== undefined) pass(index, { cmd, seq, rest: decoder.rest(), handle });
    };
  });
}

/** Worker numbers are decimal text from 1; the original lets negative ones through, which is a mistake of it. */
function workerIndex(data: Buffer): number | undefined {
  const text = data.toString('latin1');
  return /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
}

function answerAndClose(socket: net.Socket, frame: Frame, fault: { code: number; text: string }, lingerMs: number): void {
  const out = new Writer();
  protobufCodec.writeReply(out, frame, { code: fault.code, msg: fault.text, data: '' });
  socket.end(out.take());
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}
