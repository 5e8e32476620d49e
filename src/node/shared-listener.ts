// A worker that accepts by itself, beside the others on the same listening handles: cheaper than passing, but nobody chooses who gets which.

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
  /** It accepts on every handle that it is to get. */
  listening(): void;
  failed(error: Error): void;
}

export class SharedListener {
  readonly #servers: net.Server[] = [];
  readonly #options: SharedListenerOptions;
  readonly #queue: AcceptQueue<net.Socket>;

  constructor(options: SharedListenerOptions) {
    const { config, stats, isReady, admit } = options;
    this.#options = options;
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
  }

  /** Accepts on one more handle; `isLast` says that there are no others. */
  add(handle: Handle, isLast: boolean): void {
    const { stats, isReady, listening, failed } = this.#options;
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      if (this.#queue.add(socket) === 'waiting' && isReady()) stats.countLimit('accept_rate');
    });
    this.#servers.push(server);
    server.on('error', failed);
    if (isLast) server.on('listening', listening);
    listenOn(server, handle, BACKLOG);
  }

  configure(config: NodeConfig): void {
    this.#queue.change(shareOf(config, 'accept_rate'), shareOf(config, 'accept_burst'), config.accept_queue);
  }

  /** Stops accepting and lets in all who wait. */
  leave(): void {
    for (const server of this.#servers) server.close();
    this.#queue.admitAll();
  }

  /** Stops accepting and refuses all who wait. */
  close(): void {
    for (const server of this.#servers) server.close();
    this.#queue.close();
  }
}

/** Limits of a node, divided among its workers. */
function shareOf(config: NodeConfig, key: 'accept_rate' | 'accept_burst'): number {
  return Math.ceil(config[key] / config.worker_cnt);
}
