// A worker that accepts by itself, beside the others on one listening handle: cheaper than passing, but nobody chooses who gets which.

import net from 'node:net';
import { performance } from 'node:perf_hooks';
import type { NodeConfig } from '../config/node-config.ts';
import { AcceptQueue } from '../net/accept-queue.ts';
import { listenOn, type Handle } from '../net/handle.ts';
import type { Stats } from '../ops/stats.ts';
import { BACKLOG } from './listen.ts';

export interface SharedListenerOptions {
  config: NodeConfig;
  stats: Stats;
  /** False while nobody new may be let in. */
  isReady(): boolean;
  admit(socket: net.Socket): void;
  listening(): void;
  failed(error: Error): void;
}

export class SharedListener {
  readonly #server: net.Server;
  readonly #queue: AcceptQueue<net.Socket>;

  constructor(handle: Handle, { config, stats, isReady, admit, listening, failed }: SharedListenerOptions) {
    this.#queue = new AcceptQueue<net.Socket>({
      rate: shareOf(config, 'accept_rate'),
      burst: shareOf(config, 'accept_burst'),
      limit: config.accept_queue,
      now: () => performance.now(),
      isReady,
      admit,
      refuse: (socket) => {
        stats.countRefused('accept_queue');
        stats.countLimit('accept_queue');
        socket.destroy();
      },
    });
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      if (this.#queue.add(socket) === 'waiting' && isReady()) stats.countLimit('accept_rate');
    });
    this.#server.on('error', failed);
    this.#server.on('listening', listening);
    listenOn(this.#server, handle, BACKLOG);
  }

  configure(config: NodeConfig): void {
    this.#queue.change(shareOf(config, 'accept_rate'), shareOf(config, 'accept_burst'), config.accept_queue);
  }

  /** Stops accepting and lets in all who wait. */
  leave(): void {
    this.#server.close();
    this.#queue.admitAll();
  }

  /** Stops accepting and refuses all who wait. */
  close(): void {
    this.#server.close();
    this.#queue.close();
  }
}

/** Limits of a node, divided among its workers. */
function shareOf(config: NodeConfig, key: 'accept_rate' | 'accept_burst'): number {
  return Math.ceil(config[key] / config.worker_cnt);
}
