// The manager of a node: accepts, passes connections to workers, supervises, and answers for the whole node.

import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as pauseFor } from 'node:timers/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { compareConfigs } from '../config/changes.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { CloseReason } from '../errors.ts';
import { AcceptQueue } from '../net/accept-queue.ts';
import { directoryOf } from '../cluster/directories/index.ts';
import { detach, type Handle } from '../net/handle.ts';
import { startAdmin, type Admin } from '../ops/admin.ts';
import { createLogger, type Logger } from '../ops/log.ts';
import type { ListenerStatus, NodeState } from '../ops/snapshot.ts';
import { Announcer } from './announcer.ts';
import type { ToWorker } from './channel.ts';
import { Membership } from './membership.ts';
import type { Applied, DrainOptions, ManagerOptions } from './manager-options.ts';
import { createNodePort } from './node-port.ts';
import { Pool } from './pool.ts';
import { paceOf } from './pace.ts';
import { Ports } from './ports.ts';
import { RingPoints } from './ring-points.ts';
import { adminSource, tokensOf, type ManagerCounts } from './status.ts';

/** A connection for which there is no worker at this moment is tried again so often, and for so long. */
const PLACE_RETRY_MS = 50;
const MAX_PLACE_MS = 10_000;

/** How long a start waits for the list of members: without it the first requests would find no node. */
const MAX_DIRECTORY_MS = 3000;
const LAG_RESOLUTION_MS = 50;
/** How long a port may stay taken because a worker is too busy to give it up. */
const UNLISTEN_MS = 10_000;
/** Until no Service leads new clients here any more: readiness probes have to fail, and the machines of a cluster to be told. */
const UNLISTED_MS = 6000;

export class Manager {
  readonly log: Logger;
  readonly version: string;
  readonly startedAt = new Date();
  readonly counts: ManagerCounts = { accepted: 0, refused: {}, passes: 0, limits: {} };
  readonly pool: Pool;
  readonly #points: RingPoints;
  readonly #folder: string;
  readonly #instance = randomBytes(5).toString('hex');
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #config: NodeConfig;
  #state: NodeState = 'starting';
  readonly #ports: Ports;
  #admin: Admin | undefined;
  #queue: AcceptQueue<net.Socket>;
  #changing: Promise<unknown> = Promise.resolve();
  readonly membership: Membership;
  readonly #announcer = new Announcer(this);

  /**
   * Takes the ports, starts the admin server and the workers, and lets clients in when all of them serve. Throws one sentence for what can not be
   * had, after everything that was started has been ended.
   */
  static async start(options: ManagerOptions): Promise<Manager> {
    const manager = new Manager(options);
    try {
      await manager.#begin();
    } catch (error) {
      await manager.kill();
      throw error;
    }
    return manager;
  }

  constructor({ config, folder, version, log, ports, onLeft }: ManagerOptions) {
    this.#config = config;
    this.#ports = new Ports(ports);
    this.#folder = folder;
    this.version = version;
    this.log =
      log ??
      createLogger({ name: config.server_name, level: config.log_level, path: config.log_path === '' ? undefined : config.log_path });
    this.#queue = new AcceptQueue<net.Socket>({
      rate: config.accept_rate,
      burst: config.accept_burst,
      limit: config.accept_queue,
      now: () => performance.now(),
      isReady: () => this.pool.pick() !== undefined,
      admit: (socket) => this.#pass(socket),
      refuse: (socket) => {
        this.#refuse('accept_queue');
        socket.destroy();
      },
    });
    this.pool = new Pool({
      config,
      folder: this.#folder,
      instance: this.#instance,
      log: this.log,
      nodePort: () => this.#ports.node?.port ?? 0,
      now: () => performance.now(),
      onHandover: (transfer, handle) => this.#give({ ...transfer, type: 'adopt' }, handle, 'worker'),
      onLeft,
      onChange: () => this.#queue.pump(),
      onStart: (worker) => {
        for (const [i, handle] of this.#ports.shared.entries()) {
          worker.channel.send({ type: 'listen', isLast: i === this.#ports.shared.length - 1 }, handle);
        }
        this.#points.tellAll(worker.channel);
      },
    });
    this.#points = new RingPoints(
      () => this.pool.living.map(({ channel }) => channel),
      () => performance.now(),
    );
    this.membership = new Membership({
      directory: directoryOf(config, this.log),
      log: this.log,
      clock: () => Date.now() / 1000,
      changed: (members) => this.#points.replace(members),
    });
  }

  async #begin(): Promise<void> {
    this.#delay.enable();
    const { admin_host: host, admin_port: port } = this.#config;
    // ports first: a port that is taken is known before any worker has been started
    await this.#ports.take(this.#config, this.#nodePort());
    if (port !== null) {
      this.#admin = await startAdmin({
        host,
        port,
        listen: this.#ports.admin,
        source: adminSource(this),
        tokens: tokensOf(this.#config),
        log: this.log,
      });
    }
    await Promise.all([this.pool.start(), this.membership.begin(MAX_DIRECTORY_MS).then(() => this.#points.settled())]);
    await this.#ports.open(() => this.#gate());
    this.#state = 'serving';
    this.#announcer.start();
    this.#queue.pump();
    this.log.info('node serves', { workers: this.pool.count, listeners: this.listeners(), admin: this.#admin?.url });
  }

  // ---- accepting and passing ----

  #gate(): net.Server {
    return net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      this.counts.accepted++;
      socket.on('error', () => undefined);
      // without a worker it is not the rate that makes it wait
      if (this.#queue.add(socket) === 'waiting' && this.pool.pick() !== undefined) this.#limit('accept_rate');
    });
  }

  #pass(socket: net.Socket): void {
    // it was never read from
    const handle = detach(socket, () => undefined);
    if (handle !== undefined) this.#give({ type: 'client' }, handle, 'not_ready');
  }

  #nodePort(): net.Server {
    return createNodePort({
      log: this.log,
      describer: this.membership.describer,
      hasWorker: (index) => this.pool.place(index) !== undefined,
      refused: (reason) => this.#refuse(reason),
      pass: (index, { cmd, seq, rest, handle }) => {
        const worker = this.pool.place(index);
        if (worker === undefined) return handle.close();
        this.counts.passes++;
        worker.pass({ type: 'link', cmd, seq, rest: rest.toString('base64') }, handle, (back) => back.close());
      },
    });
  }

  /** Gives a connection to the worker that has the fewest; waits if there is none at this moment, and closes it for `reason` if that takes long. */
  #give(message: ToWorker, handle: Handle, reason: CloseReason, until = performance.now() + MAX_PLACE_MS): void {
    const worker = this.pool.pickAny();
    if (worker !== undefined) {
      this.counts.passes++;
      // a worker that dies now never saw it, so another one can have it
      worker.pass(message, handle, (back) => this.#give(message, back, reason, until));
    } else if (performance.now() < until && (this.#state === 'serving' || this.#state === 'starting')) {
      setTimeout(() => this.#give(message, handle, reason, until), PLACE_RETRY_MS);
    } else {
      this.#refuse(this.#state === 'draining' ? 'drain' : reason);
      handle.close();
    }
  }

  #refuse(reason: CloseReason): void {
    this.counts.refused[reason] = (this.counts.refused[reason] ?? 0) + 1;
    if (reason === 'accept_queue') this.#limit('accept_queue');
  }

  #limit(key: string): void {
    this.counts.limits[key] = (this.counts.limits[key] ?? 0) + 1;
  }

  // ---- changing ----

  get config(): NodeConfig {
    return this.#config;
  }

  get state(): NodeState {
    return this.#state;
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get loopLagSeconds(): number {
    // what is measured is the distance between two looks
    const worst = this.#delay.max / 1e9 - LAG_RESOLUTION_MS / 1000;
    this.#delay.reset();
    return Number.isFinite(worst) ? Math.max(0, worst) : 0;
  }

  listeners(): ListenerStatus[] {
    return this.#ports.listening.map(({ kind, host, port }) => ({
      name: kind,
      kind,
      host,
      port,
      codec: kind === 'gate' ? this.#config.gate_codec : 'protobuf',
    }));
  }

  /** Why the node should get no new clients; empty when it should. */
  problems(): string[] {
    if (this.#state !== 'serving') return [`the node is ${this.#state}`];
    if (!this.membership.isAnnounced && this.#ports.node !== undefined) return ['the node is not announced in its directory yet'];
    const problems = this.pool.problems();
    // workers that come and go do not matter as long as one serves
    return this.pool.serving().length > 0 && !this.pool.isHeld ? [] : problems;
  }

  /** Changes are made one after another; each resolves when it is done. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#changing.then(work, work);
    this.#changing = next.catch(() => undefined);
    return next;
  }

  setWorkers(count: number): Promise<void> {
    return this.#change(async () => {
      this.log.info('workers change', { from: this.pool.count, to: count });
      this.#config = { ...this.#config, worker_cnt: count };
      this.pool.configure(this.#config);
      await this.pool.setCount(count);
      this.#announcer.announce();
    });
  }

  /**
   * Takes another configuration: live where that is possible, by new workers where it is not; the rest needs a new process. Throws when new
   * workers can not start with it, and goes on with the old one.
   */
  reload(next: NodeConfig): Promise<Applied[]> {
    return this.#change(async () => {
      const before = this.#config;
      const changes = compareConfigs(before, next);
      const kept = Object.fromEntries(changes.filter(({ apply }) => apply === 'restart').map(({ key }) => [key, before[key]]));
      const isRecounted = changes.some(({ key }) => key === 'worker_cnt');
      this.#use({ ...next, ...kept });
      try {
        if (isRecounted) await this.pool.setCount(next.worker_cnt);
        this.#announcer.announce();
        if (changes.some(({ apply }) => apply === 'roll')) await this.pool.roll();
      } catch (error) {
        // a worker that is started later must not meet what could not be loaded now
        this.#use(before);
        if (isRecounted) await this.pool.setCount(before.worker_cnt);
        throw error;
      }
      for (const { key, from, to, apply } of changes) {
        if (apply === 'restart') this.log.warn('configuration change needs a new process', { key, from, to });
        else this.log.info('configuration changed', { key, from, to, apply });
      }
      return changes.map((change) => ({ ...change, done: change.apply !== 'restart' }));
    });
  }

  #use(config: NodeConfig): void {
    this.#config = config;
    this.log.setLevel(config.log_level);
    this.#queue.change(config.accept_rate, config.accept_burst, config.accept_queue);
    this.pool.configure(config);
  }

  setLogLevel(level: NodeConfig['log_level']): void {
    this.#config = { ...this.#config, log_level: level };
    this.log.setLevel(level);
    this.pool.configure(this.#config);
  }

  /** New processes for all workers, one by one; no connection is closed. */
  roll(): Promise<void> {
    return this.#change(async () => {
      this.log.info('workers roll', { workers: this.pool.count });
      await this.pool.roll();
    });
  }

  /** Prints the resource ledgers of all workers to standard error. */
  printLedgers(): void {
    for (const worker of this.pool.living) worker.channel.send({ type: 'ledger' });
  }

  // ---- ending ----

  #drained: Promise<void> | undefined;
  readonly #mayEnd = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();

  /** Resolves when a drain is over, whoever asked for it: the process has nothing left to do. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Accepting stops, replies in flight leave, idle connections are ended at a pace, and after drain_ms the rest. */
  drain({ stays = false, isReplaced = false, ms = this.#config.drain_ms, perSecond }: DrainOptions = {}): Promise<void> {
    if (!stays) this.#mayEnd.resolve();
    this.#drained ??= this.#drain(isReplaced, ms, perSecond ?? paceOf(this.membership.members, this.#config, this.#ports.node?.port));
    return this.#drained;
  }

  async #drain(isReplaced: boolean, ms: number, perSecond: number | undefined): Promise<void> {
    this.#state = 'draining';
    this.log.info('node drains', { drainMs: ms, perSecond });
    this.#announcer.announce();
    await this.#unlisted(ms);
    void this.closeGates();
    // other nodes still have messages for clients that are here, and take their sessions
    await this.pool.drain(ms, isReplaced, perSecond);
    this.#announcer.stop();
    await this.membership.withdraw();
    await this.#mayEnd.promise;
    this.#ports.close();
    this.#state = 'stopping';
    await this.#close();
    this.log.info('node ended');
    this.log.flush();
    this.#ended.resolve();
  }

  /** Who stays until it is told to end is a pod, which new clients find until it counts as not ready: none of them is turned away. */
  async #unlisted(drainMs: number): Promise<void> {
    if (!this.listeners().some(({ kind }) => kind === 'gate')) return;
    const over = new AbortController();
    const pause = pauseFor(Math.min(UNLISTED_MS, drainMs / 2), undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([pause, this.#mayEnd.promise]);
    over.abort();
  }

  /** Closes every port, the admin server's too, so that a process that takes this one's place can have them; connections are still served. */
  async freePorts(): Promise<void> {
    this.#ports.close();
    await Promise.all([this.closeGates(), this.#closeAdmin()]);
  }

  /** Lets no clients in any more; other nodes still connect. */
  async closeGates(): Promise<void> {
    this.#queue.close();
    this.#ports.closeGates();
    // a worker that accepts by itself has a copy of the listening descriptor
    if (this.#config.is_reuseport) await this.pool.unlisten(UNLISTEN_MS);
  }

  /** Ends everything now. */
  async kill(): Promise<void> {
    this.#state = 'stopping';
    this.#queue.close();
    this.#ports.close();
    await this.pool.kill();
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#announcer.stop();
    await this.membership.close();
    this.pool.close();
    this.#delay.disable();
    await this.#closeAdmin();
  }

  async #closeAdmin(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.close();
  }
}
