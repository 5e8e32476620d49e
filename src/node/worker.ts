// A worker: serves connections and runs modules. It gets everything from its manager and leaves when the manager is gone.

import type net from 'node:net';
import { performance } from 'node:perf_hooks';
import type { NodeConfig } from '../config/node-config.ts';
import { shipped } from '../modules/index.ts';
import { adopt, type Handle } from '../net/handle.ts';
import type { ConnectionView } from '../ops/admin-schema.ts';
import { Ledger } from '../ops/ledger.ts';
import { createLogger, type Logger } from '../ops/log.ts';
import { Stats } from '../ops/stats.ts';
import { loadModules } from '../route/load.ts';
import type { Module } from '../route/module.ts';
import { Router } from '../route/router.ts';
import { version } from '../version.ts';
import { codecByName } from '../wire/codecs/index.ts';
import type { Codec } from '../wire/codec.ts';
import { channelOf, type Channel, type FromWorker, type ToWorker, type Transfer } from './channel.ts';
import { overdue, sweepMs } from './deadlines.ts';
import { Departure, type HandOver } from './departure.ts';
import { ClusterWorker } from './cluster-worker.ts';
import { exitCodes } from './exit-codes.ts';
import { limitsOf, type LimitKey } from './limits.ts';
import { ModuleHosts } from './module-host.ts';
import { Serve } from './serve.ts';
import { SharedListener } from './shared-listener.ts';
import { answerSystem, connected } from './system.ts';

const REPORT_MS = 1000;
const COUNT_MS = 20;
const LAG_MS = 100;
/** How long nobody is let in after the budget of memory was exceeded. */
const FULL_MS = 500;

type Message<T extends ToWorker['type']> = Extract<ToWorker, { type: T }>;

/** Waits for the manager's first message and then serves until told to leave. */
export function runWorker(): void {
  const channel = channelOf<FromWorker>(process);
  // a manager that is gone can not be asked for anything: leave, whatever is being done
  process.on('disconnect', () => process.exit(exitCodes.managerGone));
  // Ctrl-C in a terminal reaches all processes; only the manager decides. Without a listener SIGUSR1 would open a debugger.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
  process.on('SIGTERM', () => channel.send({ type: 'replace' }));
  process.once('message', (init: Message<'init'>) => {
    Worker.start(init, channel).catch((error: unknown) => {
      channel.send({ type: 'failed', message: error instanceof Error ? error.message : String(error) }, undefined, () =>
        process.exit(exitCodes.childInitFailed),
      );
    });
  });
}

class Worker {
  readonly #channel: Channel<FromWorker>;
  readonly #log: Logger;
  readonly #stats = new Stats();
  readonly #ledger = new Ledger();
  readonly #serve: Serve;
  readonly #codec: Codec;
  readonly #hosts: ModuleHosts;
  readonly #cluster: ClusterWorker;
  #config: NodeConfig;
  #listener: SharedListener | undefined;
  #isFull = false;
  #sweep: NodeJS.Timeout | undefined;
  #departure: Departure | undefined;
  #opened = 0;
  #closed = 0;
  #counting: NodeJS.Timeout | undefined;

  static async start(init: Message<'init'>, channel: Channel<FromWorker>): Promise<void> {
    process.title = `${init.config.server_name}_w_${init.index}`;
    const modules = await loadModules(init.config.modules, init.folder, shipped);
    const worker = new Worker(init, channel, modules);
    await worker.#hosts.start();
    process.on('message', (message: ToWorker, handle: unknown) => worker.#receive(message, handle as Handle | undefined));
    // an error nobody foresaw ends the worker, and the manager starts another
    process.on('uncaughtException', (error) => {
      worker.#log.fatal('worker crashed', { err: error });
      worker.#log.flush();
      process.exit(exitCodes.crashed);
    });
    process.on('SIGUSR2', () => process.stderr.write(worker.#ledger.toText() + '\n'));
    worker.#begin();
    // one that accepts by itself is ready once it listens, on the handle that the manager sends next
    if (!init.config.is_reuseport || init.config.gate_host === '') channel.send({ type: 'ready' });
  }

  constructor(init: Message<'init'>, channel: Channel<FromWorker>, modules: readonly Module[]) {
    this.#channel = channel;
    this.#config = init.config;
    this.#log = createLogger({
      name: init.config.server_name,
      level: init.config.log_level,
      path: init.config.log_path === '' ? undefined : init.config.log_path,
      file: { rotate: false },
      base: { worker: init.index },
    });
    this.#codec = codecByName(init.config.gate_codec);
    const self = {
      nodeType: init.config.node_type,
      host: init.config.node_host,
      port: init.nodePort,
      worker: init.index,
      version,
    };
    const now = () => performance.now();
    this.#cluster = new ClusterWorker({ config: init.config, folder: init.folder, self, stats: this.#stats, log: this.#log, now });
    const router = new Router(modules, this.#stats, [], this.#cluster.relay.routes);
    let next = 0;
    this.#serve = new Serve({
      router,
      limits: limitsOf(init.config),
      stats: this.#stats,
      ledger: this.#ledger,
      log: this.#log,
      now,
      links: this.#cluster.links,
      left: (client, hasMoved) => this.#cluster.left(client, hasMoved),
      nextId: () => `${init.instance}-${init.index}.${init.incarnation}-${(++next).toString(36)}`,
      system: (connection, frame) => {
        const reply = answerSystem(frame.cmd, () => connection.codec.data(frame), self);
        if (reply?.ends) connection.ending = 'frame';
        if (reply?.greeting !== undefined && reply.greeting.capabilities !== 0) this.#serve.links.greeted(connection, reply.greeting);
        return reply;
      },
      counted: (change) => {
        this.#count(change);
        if (change === -1) this.#departure?.check();
        else this.#departure?.arrived();
      },
    });
    const messenger = this.#cluster.serve(this.#serve.clients, this.#serve.links, modules);
    this.#hosts = new ModuleHosts(router.modules, {
      messenger,
      node: { name: init.config.server_name, type: init.config.node_type, worker: init.index },
      log: this.#log,
      ledger: this.#ledger,
      clients: () => [...this.#serve.connections].filter((c) => !c.isLink).map((c) => this.#serve.clientOf(c)),
    });
  }

  #begin(): void {
    this.#armSweep();
    setInterval(() => this.#watchMemory(), LAG_MS);
    setInterval(() => this.#report(0), REPORT_MS);
    let last = performance.now();
    let worst = 0;
    setInterval(() => {
      const now = performance.now();
      worst = Math.max(worst, now - last - LAG_MS);
      last = now;
    }, LAG_MS);
    setInterval(() => {
      this.#stats.loopLagSeconds = Math.max(0, worst) / 1000;
      worst = 0;
    }, REPORT_MS);
  }

  // ---- what the manager says ----

  #receive(message: ToWorker, handle: Handle | undefined): void {
    // whoever comes when nobody is left is told so by the end of its connection
    if (handle !== undefined && this.#departure?.isOver === true) return handle.close();
    switch (message.type) {
      case 'client':
        return this.#take(adopt(handle!), false);
      case 'adopt':
        return this.#adopt(message, handle!);
      case 'link': {
        this.#expected++;
        const rest = Buffer.from(message.rest, 'base64');
        this.#serve.link(adopt(handle!), codecByName('protobuf'), message, connected, rest);
        return this.#departure?.check();
      }
      case 'listen':
        return this.#listen(handle!, message.isLast);
      case 'unlisten':
        this.#listener?.leave();
        return this.#report(message.ask);
      case 'points':
        return this.#cluster.learn(message.points);
      case 'members':
        return this.#cluster.replace(message.members);
      case 'config':
        return this.#configure(message.config);
      case 'report':
        return this.#report(message.ask);
      case 'connections':
        return this.#channel.send({ type: 'connections', ask: message.ask, connections: this.#views(message.limit) });
      case 'links':
      case 'shares':
      case 'find':
        return void this.#cluster.answer(message).then((answer) => this.#channel.send(answer));
      case 'ledger':
        return void process.stderr.write(this.#ledger.toText() + '\n');
      case 'leave':
        // whoever waits to be let in here is let in elsewhere
        this.#listener?.leave();
        return this.#leave(message).move(message.drainMs, this.#handOver);
      case 'drain':
        this.#listener?.close();
        this.#serve.clients.greeter.sessions!.isReplaced = message.isReplaced;
        return this.#leave().drain(message.drainMs, message.perSecond);
      case 'init':
        return;
    }
  }

  /** A connection that the manager counts already; ours are told to it. */
  #take(socket: net.Socket, own: boolean): void {
    if (!own) this.#expected++;
    if (this.#serve.accept(socket, this.#codec) !== undefined || own) return;
    this.#expected--;
    this.#count(-1);
  }

  #adopt({ codec, rest, luggage, greeted, ...known }: Transfer, handle: Handle): void {
    this.#expected++;
    this.#serve.adopt(adopt(handle), codecByName(codec), {
      ...known,
      rest: Buffer.from(rest, 'base64'),
      luggage: luggage && {
        ...luggage,
        properties: luggage.properties === undefined ? undefined : Buffer.from(luggage.properties, 'base64'),
      },
      greeted,
    });
  }

  #listen(handle: Handle, isLast: boolean): void {
    this.#listener ??= new SharedListener({
      config: this.#config,
      stats: this.#stats,
      isReady: () => !this.#isFull,
      admit: (socket) => this.#take(socket, true),
      listening: () => this.#channel.send({ type: 'ready' }),
      failed: ({ message }) => {
        const exit = () => process.exit(exitCodes.childInitFailed);
        this.#channel.send({ type: 'failed', message: `can not listen: ${message}` }, undefined, exit);
      },
    });
    this.#listener.add(handle, isLast);
  }

  #configure(config: NodeConfig): void {
    this.#config = config;
    this.#serve.limits = limitsOf(config);
    this.#serve.budget.limit = config.worker_memory;
    this.#cluster.configure(config);
    this.#log.setLevel(config.log_level);
    this.#listener?.configure(config);
    this.#armSweep();
  }

  #armSweep(): void {
    clearInterval(this.#sweep);
    this.#sweep = setInterval(() => this.#sweepOnce(), sweepMs(this.#serve.limits));
  }

  #sweepOnce(): void {
    const now = performance.now();
    for (const connection of this.#serve.connections) {
      const found = overdue(connection, this.#serve.limits, now);
      if (found === undefined) {
        if (connection.paused) this.#serve.look(connection);
        continue;
      }
      this.#stats.countLimit(found.limit);
      if (found.destroy) connection.destroy(found.reason);
      else this.#serve.end(connection, found.reason);
    }
  }

  #memoryHits = 0;
  #fullUntil = 0;

  /** Closing those who hold most makes room at once; until it has been enough for a while, nobody new is let in to fill it again. */
  #watchMemory(): void {
    const now = performance.now();
    const hits = this.#stats.limits['worker_memory'] ?? 0;
    if (hits > this.#memoryHits) this.#fullUntil = now + FULL_MS;
    this.#memoryHits = hits;
    const isFull = this.#serve.budget.isFull || now < this.#fullUntil;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#report(0);
  }

  // ---- leaving ----

  /** Stops accepting; when the last connection is gone, the process ends. */
  #leave(how?: Message<'leave'>): Departure {
    if (this.#departure !== undefined) return this.#departure;
    this.#departure = new Departure(this.#serve, this.#cluster.leave(how), () => this.#stats.countLimit('drain_ms' satisfies LimitKey));
    void this.#departure.done.then(() => this.#end());
    return this.#departure;
  }

  readonly #handOver: HandOver = (connection, { handle, rest }, sent) => {
    const { greeter } = this.#serve.clients;
    const luggage = greeter.sessions!.pack(this.#serve.clientOf(connection), connection.requests);
    const { properties } = luggage;
    const { id, remote, requests, bytesIn, bytesOut, codec } = connection;
    this.#channel.send(
      {
        type: 'handover',
        codec: codec.name,
        id,
        remote,
        requests,
        bytesIn,
        bytesOut,
        ageMs: performance.now() - connection.openedAt,
        rest: rest.toString('base64'),
        luggage: { ...luggage, properties: properties && Buffer.from(properties).toString('base64') },
        greeted: greeter.handOver(connection),
      },
      handle,
      () => {
        handle.close();
        sent();
      },
    );
  };

  async #end(): Promise<void> {
    await this.#serve.clients.greeter.close();
    this.#serve.links.end();
    await this.#hosts.stop();
    this.#cluster.end();
    this.#report(0);
    if (this.#ledger.isZero()) this.#log.info('resources at exit', { ledger: this.#ledger.snapshot() });
    else this.#log.warn('resources at exit: possible leak', { ledger: this.#ledger.snapshot() });
    this.#log.flush();
    this.#channel.send({ type: 'left', ledger: this.#ledger.snapshot() }, undefined, () => process.exit(0));
  }

  // ---- telling the manager ----

  /** Connections that the manager has counted before we did. */
  #expected = 0;

  #count(change: 1 | -1): void {
    if (change === 1 && this.#expected > 0) {
      this.#expected--;
      return;
    }
    if (change === 1) this.#opened++;
    else this.#closed++;
    this.#counting ??= setTimeout(() => this.#flushCounts(), COUNT_MS);
  }

  #flushCounts(): void {
    clearTimeout(this.#counting);
    this.#counting = undefined;
    if (this.#opened === 0 && this.#closed === 0) return;
    this.#channel.send({ type: 'counted', opened: this.#opened, closed: this.#closed });
    this.#opened = 0;
    this.#closed = 0;
  }

  #report(ask: number): void {
    let outgoing = 0;
    let held = 0;
    for (const connection of this.#serve.connections) {
      outgoing += connection.socket.writableLength;
      held += connection.decoder.held;
    }
    this.#stats.outgoingBytes = outgoing;
    this.#stats.heldBytes = held;
    // what the manager counts is never older than what it is told here
    this.#flushCounts();
    this.#channel.send({ type: 'report', ask, stats: this.#stats.snapshot(), isFull: this.#isFull });
  }

  #views(limit: number): Omit<ConnectionView, 'worker'>[] {
    const now = performance.now();
    const out: Omit<ConnectionView, 'worker'>[] = [];
    for (const c of this.#serve.connections) {
      if (out.length === limit) break;
      out.push({
        id: c.id,
        remote: c.remote,
        since: new Date(Date.now() - (now - c.openedAt)).toISOString(),
        idleMs: Math.round(now - c.lastActive),
        requests: c.requests,
        bytesIn: c.bytesIn,
        bytesOut: c.bytesOut,
        inFlight: c.slots?.length ?? 0,
        outgoing: c.outgoing,
        paused: c.paused,
      });
    }
    return out;
  }
}
