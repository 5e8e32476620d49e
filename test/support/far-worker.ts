// The other end of a link, as a test scripts it: a worker that answers the handshake, and then what the test says.

import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { systemType } from '../../src/wire/protobuf.ts';
import { bodyOf, cut, frame, type Seen } from './frames.ts';

const target = systemType('nodes', 'greeting');

export interface Script {
  /** Tells that it is one of ours; otherwise it is an original. */
  isOurs?: boolean;
  /** Frames of the handshake that it does not answer. */
  silent?: readonly number[];
  /** What to answer to a request: bytes to send, if any. */
  answer?(request: Seen, worker: FarWorker, socket: net.Socket): Buffer | undefined;
}

export class FarWorker {
  readonly port: number;
  /** Requests behind the handshake, in the order in which they came. */
  readonly requests: Seen[] = [];
  readonly sockets = new Set<net.Socket>();
  /** Connections so far. */
  accepted = 0;
  #server: net.Server;

  private constructor(server: net.Server, script: Script) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket, script));
  }

  static async listen(t: TestContext, script: Script, port = 0): Promise<FarWorker> {
    const server = net.createServer({ noDelay: true }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const worker = new FarWorker(server, script);
    t.after(() => worker.close());
    return worker;
  }

  #serve(socket: net.Socket, { isOurs = true, silent = [], answer }: Script): void {
    this.accepted++;
    this.sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      const { frames, rest } = cut(Buffer.concat([bytes, chunk]));
      bytes = rest;
      for (const request of frames) {
        if (silent.includes(request.cmd)) continue;
        const self = { node_type: 'logic', ip: '127.0.0.1', port: this.port, worker_index: 1, ...(isOurs ? { capabilities: 1 } : {}) };
        if (request.cmd === 21) socket.write(reply(request, 0, 'ok'));
        else if (request.cmd === 23) socket.write(reply(request, 0, 'ok', target.encode(self)));
        else if (request.cmd === 31) socket.write(reply(request, 0, ''));
        else {
          this.requests.push(request);
          const out = answer?.(request, this, socket);
          if (out !== undefined) socket.write(out);
        }
      }
    });
  }

  /** Ends every connection, with a reset where asked. */
  cut({ reset = false } = {}): void {
    for (const socket of this.sockets)
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

export function reply(request: Pick<Seen, 'cmd' | 'seq'>, code: number, msg: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return frame(request.cmd + 1, request.seq, bodyOf({ rsp_result: { code, msg: Buffer.from(msg) }, data }));
}
