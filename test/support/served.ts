// The data path in one process: real loopback sockets, the real Serve, a clock and limits that a test sets.

import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { withDefaults } from '../../src/config/node-config.ts';
import type { Connection } from '../../src/net/connection.ts';
import { limitsOf, type Limits } from '../../src/node/limits.ts';
import { Serve } from '../../src/node/serve.ts';
import type { ServeOptions } from '../../src/node/serve-options.ts';
import { Ledger } from '../../src/ops/ledger.ts';
import { createLogger } from '../../src/ops/log.ts';
import { Stats } from '../../src/ops/stats.ts';
import type { Module } from '../../src/route/module.ts';
import { Router } from '../../src/route/router.ts';
import type { Codec } from '../../src/wire/codec.ts';
import { protobufCodec } from '../../src/wire/codecs/protobuf.ts';
import { assertSettled } from './ledger.ts';
import { WireClient } from './wire-client.ts';
import { soon } from './turns.ts';

export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** The limits of a configuration that says nothing about them. */
export const defaultLimits: Limits = limitsOf(withDefaults({ node_type: 'gate' }));

export interface ServedOptions {
  modules?: readonly Module[];
  /** Shorthand for one module that has only these. */
  commands?: Module['commands'];
  limits?: Partial<Limits>;
  codec?: Codec;
  /** Instead of the real clock. */
  now?: () => number;
  system?: ServeOptions['system'];
  /** What happens to a connection that was accepted; default: it becomes a client. */
  arrive?: (serve: Serve, socket: net.Socket, codec: Codec) => void;
  pauseOnConnect?: boolean;
}

export interface Served {
  readonly serve: Serve;
  readonly stats: Stats;
  readonly ledger: Ledger;
  readonly log: LogLine[];
  readonly port: number;
  connect(options?: Parameters<typeof WireClient.connect>[1]): Promise<WireClient>;
  /** Connects, and returns our end of the connection too. */
  pair(): Promise<{ client: WireClient; connection: Connection }>;
  /** Resolves when there are `n` connections. */
  count(n: number): Promise<void>;
}

/** Serves until the test ends; then everything is closed, and the ledger has to be at zero. */
export async function served(t: TestContext, options: ServedOptions = {}): Promise<Served> {
  const stats = new Stats();
  const ledger = new Ledger();
  const log: LogLine[] = [];
  const modules = options.modules ?? [{ name: 'only', commands: options.commands ?? {} }];
  let ids = 0;
  const serve = new Serve({
    router: new Router(modules, stats),
    limits: { ...defaultLimits, ...options.limits },
    stats,
    ledger,
    log: createLogger({ name: 'test', level: 'trace', write: (line) => log.push(JSON.parse(line) as LogLine) }),
    now: options.now ?? (() => performance.now()),
    nextId: () => `c${++ids}`,
    system: options.system ?? (() => undefined),
  });
  const codec = options.codec ?? protobufCodec;
  const arrive = options.arrive ?? ((_, socket) => serve.accept(socket, codec));
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: options.pauseOnConnect ?? false }, (socket) => {
    socket.on('error', () => undefined);
    arrive(serve, socket, codec);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    // a client that only has no more to say is waited for as long as its handlers take
    for (const connection of [...serve.connections]) connection.destroy('worker');
    await new Promise((resolve) => server.close(resolve));
    await soon(() => serve.connections.size === 0, 'the connections to close');
    assertSettled({ serve, stats, ledger });
  });
  const { port } = server.address() as AddressInfo;
  const connect: Served['connect'] = async (how) => {
    const client = await WireClient.connect(port, how);
    clients.push(client);
    return client;
  };
  return {
    serve,
    stats,
    ledger,
    log,
    port,
    connect,
    async pair() {
      const before = new Set(serve.connections);
      const client = await connect();
      let connection: Connection | undefined;
      await soon(() => (connection = [...serve.connections].find((one) => !before.has(one))) !== undefined, 'the connection');
      return { client, connection: connection! };
    },
    count: (n) => soon(() => serve.connections.size === n, `${n} connections, there are ${serve.connections.size}`),
  };
}

/** The sizes of the writes that leave on a connection from now on. */
export function writesOf(connection: Connection): number[] {
  const sizes: number[] = [];
  const { socket } = connection;
  const write = socket.write.bind(socket);
  socket.write = (bytes: Uint8Array) => {
    sizes.push(bytes.length);
    return write(bytes);
  };
  return sizes;
}
