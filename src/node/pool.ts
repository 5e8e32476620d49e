// The workers of a node: started, watched, replaced, and let go without losing a connection.
//
//   starting --ready--> serving --leave--> leaving --left--> (gone)
//       |                  +--died / hung--+
//       +--died------------+--> starting again after a pause;  too often --> held --heldMs--> starting

import type { NodeConfig } from '../config/node-config.ts';
import type { Handle } from '../net/handle.ts';
import type { Logger } from '../ops/log.ts';
import type { WorkerStatus } from '../ops/snapshot.ts';
import { StatsBook } from '../ops/stats-book.ts';
import type { FromWorker, ToWorker, Transfer } from './channel.ts';
import { fits, launch, type WorkerProcess } from './worker-process.ts';

/** A worker that is not ready by then is taken for dead. */
const START_MS = 30_000;
/** What a leaving worker gets beyond its drain time to stop its modules. */
const LEAVE_GRACE_MS = 35_000;
const WATCH_MS = 500;

export interface PoolOptions {
  config: NodeConfig;
  folder: string;
  instance: string;
  log: Logger;
  now(): number;
  /** A leaving worker gives a connection away. */
  onHandover(transfer: Transfer, handle: Handle): void;
  /** Something about the workers changed: somebody who waits may go on. */
  onChange(): void;
  onReady(worker: WorkerProcess): void;
}

/** A worker number and its history. */
interface Place {
  index: number;
  current: WorkerProcess | undefined;
  restarts: number;
  deaths: number[];
  lastExit: string | undefined;
  heldSince: Date | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class Pool {
  readonly book = new StatsBook();
  readonly #options: PoolOptions;
  readonly #places = new Map<number, Place>();
  readonly #processes = new Set<WorkerProcess>();
  readonly #asks = new Map<number, (message: FromWorker) => void>();
  #nextAsk = 1;
  #incarnations = 0;
  #config: NodeConfig;
  #ending = false;
  #watch: NodeJS.Timeout;
  #watched: number;
  #emptied: (() => void)[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#watched = options.now();
    this.#watch = setInterval(() => this.#watchAll(), WATCH_MS);
  }

  /** Starts the workers and waits until all are ready. Throws with the reason of the first that can not start. */
  async start(): Promise<void> {
    await this.setCount(this.#config.worker_cnt);
  }

  get count(): number {
    return this.#places.size;
  }

  get living(): readonly WorkerProcess[] {
    return [...this.#processes];
  }

  serving(): WorkerProcess[] {
    return [...this.#processes].filter((worker) => worker.state === 'serving');
  }

  place(index: number): WorkerProcess | undefined {
    const worker = this.#places.get(index)?.current;
    return worker?.state === 'serving' ? worker : undefined;
  }

  /** The worker that gets the next connection: the one with the fewest of those that can take one. */
  pick(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#processes) {
      if (!fits(worker)) continue;
      if (best === undefined || worker.connections < best.connections) best = worker;
    }
    return best;
  }

  /** Like pick, but rather a full worker than none: for connections that exist already. */
  pickAny(): WorkerProcess | undefined {
    return this.pick() ?? this.serving().sort((a, b) => a.connections - b.connections)[0];
  }

  /** Sends a message with a descriptor. `failed` gets the descriptor back when the worker is gone. */
  pass(worker: WorkerProcess, message: ToWorker, handle: Handle, failed: (handle: Handle) => void): void {
    worker.connections++;
    worker.passing++;
    worker.channel.send(message, handle, (error) => {
      worker.passing--;
      if (error === null || error === undefined) handle.close();
      else {
        worker.connections--;
        failed(handle);
      }
    });
  }

  /** More: new workers for new connections. Fewer: the last ones hand theirs over and leave. Resolves when the new ones are ready. */
  async setCount(count: number): Promise<void> {
    const added: Promise<void>[] = [];
    for (let index = 1; index <= count; index++) {
      if (this.#places.has(index)) continue;
      const place: Place = {
        index,
        current: undefined,
        restarts: 0,
        deaths: [],
        lastExit: undefined,
        heldSince: undefined,
        timer: undefined,
      };
      this.#places.set(index, place);
      added.push(this.#spawn(place));
    }
    await Promise.all(added);
    for (const place of [...this.#places.values()].filter(({ index }) => index > count)) {
      this.#places.delete(place.index);
      clearTimeout(place.timer);
      if (place.current !== undefined) this.#leave(place.current);
    }
    this.#options.onChange();
  }

  configure(config: NodeConfig): void {
    this.#config = config;
    for (const worker of this.#processes) worker.channel.send({ type: 'config', config });
  }

  /** Replaces the workers one by one: a new one is ready before the old one begins to hand over. Throws if a new one can not start. */
  async roll(): Promise<void> {
    for (const place of [...this.#places.values()]) {
      if (this.#ending || this.#places.get(place.index) !== place) continue;
      await this.#replace(place);
    }
  }

  async #replace(place: Place): Promise<void> {
    const old = place.current;
    await this.#spawn(place);
    if (old !== undefined && this.#processes.has(old)) {
      this.#leave(old);
      await this.#gone(old);
    }
  }

  /** Ends all workers: connections are ended at a pace, the rest after drainMs. Resolves when the last process is gone. */
  async drain(drainMs: number): Promise<void> {
    this.#ending = true;
    for (const place of this.#places.values()) clearTimeout(place.timer);
    for (const worker of this.#processes) this.#leave(worker, { type: 'drain', drainMs });
    await this.#allGone();
  }

  /** Ends all workers now. */
  async kill(): Promise<void> {
    this.#ending = true;
    for (const place of this.#places.values()) clearTimeout(place.timer);
    for (const worker of this.#processes) worker.child.kill('SIGKILL');
    await this.#allGone();
  }

  close(): void {
    clearInterval(this.#watch);
    for (const place of this.#places.values()) clearTimeout(place.timer);
  }

  // ---- asking ----

  /** Asks every living worker and waits for the answers, at most `deadlineMs`; who does not answer is left out. */
  async ask<T extends FromWorker>(
    question: (ask: number) => ToWorker,
    deadlineMs: number,
  ): Promise<{ worker: WorkerProcess; answer: T }[]> {
    const workers = [...this.#processes].filter((worker) => worker.state !== 'starting');
    const answers = workers.map((worker) => {
      const ask = this.#nextAsk++;
      return new Promise<{ worker: WorkerProcess; answer: T } | undefined>((resolve) => {
        const timer = setTimeout(() => end(undefined), deadlineMs);
        const end = (answer: T | undefined) => {
          clearTimeout(timer);
          this.#asks.delete(ask);
          resolve(answer === undefined ? undefined : { worker, answer });
        };
        this.#asks.set(ask, (message) => end(message as T));
        worker.channel.send(question(ask), undefined, (error) => error && end(undefined));
      });
    });
    return (await Promise.all(answers)).filter((answer) => answer !== undefined);
  }

  status(): WorkerStatus[] {
    return [...this.#places.values()].flatMap((place) => {
      const row = { restarts: place.restarts, ...(place.lastExit === undefined ? {} : { lastExit: place.lastExit }) };
      const stats = this.book.ofWorker(place.index);
      const processes = [...this.#processes].filter(({ index }) => index === place.index);
      if (processes.length === 0) {
        const since = (place.heldSince ?? new Date()).toISOString();
        return [
          {
            index: place.index,
            pid: 0,
            incarnation: 0,
            state: place.heldSince === undefined ? 'starting' : 'held',
            since,
            stats,
            ...row,
          } as const,
        ];
      }
      return processes.map((worker) => ({
        index: place.index,
        pid: worker.child.pid ?? 0,
        incarnation: worker.incarnation,
        state: worker.state,
        since: worker.since.toISOString(),
        stats,
        ...row,
      }));
    });
  }

  /** Why this node is not ready, one sentence for each worker that is missing. */
  problems(): string[] {
    return [...this.#places.values()].flatMap(({ index, current, heldSince, lastExit }) => {
      if (heldSince !== undefined) {
        return [
          `worker ${index} is held back for ${this.#config.held_ms} ms after it died ${this.#config.restart_limit} times: ${lastExit}`,
        ];
      }
      return current?.state === 'serving'
        ? []
        : [`worker ${index} is not serving yet${lastExit === undefined ? '' : `; the last one ended: ${lastExit}`}`];
    });
  }

  // ---- a process lives ----

  /** Resolves when the new process serves; rejects if it ends before. */
  #spawn(place: Place): Promise<void> {
    const incarnation = ++this.#incarnations;
    const worker = launch(place.index, incarnation, this.#options.now());
    const { child } = worker;
    this.#processes.add(worker);
    const { config, folder, instance } = { ...this.#options, config: this.#config };
    worker.channel.send({ type: 'init', config, folder, instance, index: place.index, incarnation });
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#kill(worker, `it was not ready within ${START_MS} ms`), START_MS);
      child.on('message', (message: FromWorker, handle: unknown) => {
        if (message.type === 'ready') {
          clearTimeout(late);
          worker.become('serving');
          place.current = worker;
          place.heldSince = undefined;
          resolve();
          this.#options.onReady(worker);
          this.#options.onChange();
        } else this.#receive(worker, message, handle as Handle);
      });
      child.on('error', (error) => this.#options.log.error('worker channel failed', { worker: place.index, err: error }));
      child.on('exit', (code, signal) => {
        clearTimeout(late);
        const how = worker.cause ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
        reject(new Error(`worker ${place.index} ended: ${how}`));
        this.#ended(place, worker, how);
      });
    });
  }

  #receive(worker: WorkerProcess, message: FromWorker, handle: Handle): void {
    worker.lastSeen = this.#options.now();
    switch (message.type) {
      case 'counted':
        worker.connections += message.opened - message.closed;
        this.#options.onChange();
        return;
      case 'report':
        this.book.update(worker.index, worker.incarnation, message.stats);
        if (worker.isFull !== message.isFull) this.#options.onChange();
        worker.isFull = message.isFull;
        this.#asks.get(message.ask)?.(message);
        return;
      case 'connections':
        this.#asks.get(message.ask)?.(message);
        return;
      case 'handover':
        return this.#options.onHandover(message, handle);
      case 'failed':
        worker.cause = message.message;
        return;
      case 'replace': {
        const place = this.#places.get(worker.index);
        if (place?.current !== worker || this.#ending) return;
        this.#replace(place).catch((error: unknown) =>
          this.#options.log.error('worker can not be replaced', { worker: worker.index, err: error }),
        );
        return;
      }
      case 'ready':
      case 'left':
        return;
    }
  }

  #leave(worker: WorkerProcess, message: ToWorker = { type: 'leave', drainMs: this.#config.drain_ms }): void {
    if (worker.state === 'leaving') return;
    if (worker.state === 'starting') return void worker.child.kill('SIGKILL');
    worker.become('leaving');
    worker.channel.send(message);
    worker.leaveTimer = setTimeout(() => this.#kill(worker, 'it did not leave in time'), this.#config.drain_ms + LEAVE_GRACE_MS);
  }

  #kill(worker: WorkerProcess, cause: string): void {
    this.#options.log.error('worker killed', { worker: worker.index, pid: worker.child.pid, cause });
    worker.cause = cause;
    worker.child.kill('SIGKILL');
  }

  /** A worker whose event loop stands still is replaced. If we stood still ourselves, nobody is to blame. */
  #watchAll(): void {
    const now = this.#options.now();
    const slept = now - this.#watched > 4 * WATCH_MS;
    this.#watched = now;
    for (const worker of this.#processes) {
      if (slept || worker.state === 'starting') worker.lastSeen = now;
      else if (this.#config.hang_ms > 0 && now - worker.lastSeen > this.#config.hang_ms && worker.cause === undefined) {
        this.#kill(worker, `its event loop stood still for ${Math.round(now - worker.lastSeen)} ms (hang_ms)`);
      }
    }
  }

  // ---- a process ends ----

  #ended(place: Place, worker: WorkerProcess, how: string): void {
    this.#processes.delete(worker);
    clearTimeout(worker.leaveTimer);
    this.book.ended(worker.index, worker.incarnation);
    const wanted = this.#places.get(place.index) === place && place.current === worker && worker.state !== 'leaving';
    const failedStart = place.current === undefined && worker.state === 'starting';
    if (place.current === worker) place.current = undefined;
    if (!this.#ending && this.#places.get(place.index) === place && (wanted || failedStart)) this.#restart(place, worker, how);
    this.#options.onChange();
    if (this.#processes.size === 0) for (const emptied of this.#emptied.splice(0)) emptied();
  }

  #restart(place: Place, worker: WorkerProcess, how: string): void {
    const { log, now } = this.#options;
    const { restart_window_ms, restart_limit, restart_min_ms, restart_max_ms, held_ms } = this.#config;
    const at = now();
    place.lastExit = how;
    place.restarts++;
    place.deaths = [...place.deaths.filter((death) => at - death <= restart_window_ms), at];
    const held = place.deaths.length >= restart_limit;
    const delay = held ? held_ms : Math.min(restart_max_ms, restart_min_ms * 2 ** (place.deaths.length - 1));
    if (held) {
      place.heldSince = new Date();
      place.deaths = [];
    }
    log.error(held ? 'worker held back' : 'worker died', { worker: place.index, pid: worker.child.pid, cause: how, againInMs: delay });
    place.timer = setTimeout(() => {
      place.heldSince = undefined;
      // how it ends is told by its exit, which brings us here again
      this.#spawn(place).catch(() => undefined);
    }, delay);
  }

  #gone(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => (this.#processes.has(worker) ? worker.child.once('exit', () => resolve()) : resolve()));
  }

  #allGone(): Promise<void> {
    return new Promise((resolve) => (this.#processes.size === 0 ? resolve() : this.#emptied.push(resolve)));
  }
}
