// The workers of a node: started, watched, replaced, and let go without losing a connection.
//
//   starting --ready--> serving --leave--> leaving --left--> (gone)
//       |                  +--died / hung--+
//       +--died------------+--> starting again after a pause;  too often --> held --heldMs--> starting

import type { NodeConfig } from '../config/node-config.ts';
import type { Handle } from '../net/handle.ts';
import type { AccountSnapshot } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { WorkerStatus } from '../ops/snapshot.ts';
import { StatsBook } from '../ops/stats-book.ts';
import type { FromWorker, ToWorker, Transfer } from './channel.ts';
import { Place } from './place.ts';
import { Questions } from './questions.ts';
import { launch, type WorkerProcess } from './worker-process.ts';

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
  /** The port of the node port, 0 without one. */
  nodePort(): number;
  now(): number;
  /** A leaving worker gives a connection away. */
  onHandover(transfer: Transfer, handle: Handle): void;
  /** Something about the workers changed: somebody who waits may go on. */
  onChange(): void;
  /** A process has been started and told who it is; it can be told more. */
  onStart(worker: WorkerProcess): void;
  /** A worker has left in order. */
  onLeft?: ((left: Left) => void) | undefined;
}

/** The last words of a worker that left in order: its resource ledger, in which nothing should be held. */
export interface Left {
  worker: number;
  pid: number;
  ledger: Record<string, AccountSnapshot>;
}

export class Pool {
  readonly book = new StatsBook();
  readonly #options: PoolOptions;
  readonly #places = new Map<number, Place>();
  readonly #processes = new Set<WorkerProcess>();
  readonly #questions = new Questions();
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
    // while the node drains those that leave are the only ones
    return worker?.state === 'serving' || (this.#ending && worker?.state === 'leaving') ? worker : undefined;
  }

  /** The worker that gets the next connection: the one with the fewest of those that can take one. */
  pick(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#processes) {
      if (!worker.hasRoom) continue;
      if (best === undefined || worker.connections < best.connections) best = worker;
    }
    return best;
  }

  /** Like pick, but rather a full worker than none: for connections that exist already. */
  pickAny(): WorkerProcess | undefined {
    return this.pick() ?? this.serving().sort((a, b) => a.connections - b.connections)[0];
  }

  /** More: new workers for new connections. Fewer: the last ones hand theirs over and leave. Resolves when the new ones are ready. */
  async setCount(count: number): Promise<void> {
    if (this.#ending) return;
    const added: Promise<void>[] = [];
    for (let index = 1; index <= count; index++) {
      if (this.#places.has(index)) continue;
      const place = new Place(index);
      this.#places.set(index, place);
      added.push(this.#spawn(place));
    }
    const removed = [...this.#places.values()].filter(({ index }) => index > count);
    // all of them first: each is told how many there are from now on
    for (const { index } of removed) this.#places.delete(index);
    for (const place of removed) {
      clearTimeout(place.timer);
      for (const worker of [place.current, place.starting]) if (worker !== undefined) this.#leave(worker);
    }
    await Promise.all(added);
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
    place.replacing = true;
    try {
      await this.#spawn(place);
    } finally {
      place.replacing = false;
    }
    if (old === undefined || !this.#processes.has(old)) return;
    this.#leave(old, true);
    await old.gone;
  }

  /** Ends all workers: connections are ended at a pace, all workers together, the rest after drainMs. Resolves when the last process is gone. */
  async drain(drainMs: number, isReplaced: boolean, perSecond?: number): Promise<void> {
    this.#ending = true;
    for (const place of this.#places.values()) clearTimeout(place.timer);
    const pace = perSecond === undefined ? {} : { perSecond: perSecond / Math.max(1, this.#processes.size) };
    for (const worker of this.#processes) this.#tellToLeave(worker, { type: 'drain', drainMs, ...pace, isReplaced });
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

  // ---- what is known ----

  /** Asks every living worker, or those given, and waits for the answers, at most `deadlineMs`; who does not answer is left out. */
  ask<T extends FromWorker>(
    question: (ask: number) => ToWorker,
    deadlineMs: number,
    workers: readonly WorkerProcess[] = [...this.#processes].filter((worker) => worker.state !== 'starting'),
  ): Promise<{ worker: WorkerProcess; answer: T }[]> {
    return this.#questions.ask(workers, question, deadlineMs);
  }

  /** Workers that accept by themselves stop it; resolves when the last has done so or is gone, after `deadlineMs` in any case. */
  async unlisten(deadlineMs: number): Promise<void> {
    await this.#questions.ask([...this.#processes], (ask) => ({ type: 'unlisten', ask }), deadlineMs);
  }

  /** A row for each process, those included that leave because their number is no longer wanted, and for each number without one. */
  status(): WorkerStatus[] {
    const rows = [...this.#processes].map((worker) => ({
      ...this.#row(worker.index),
      pid: worker.pid,
      incarnation: worker.incarnation,
      state: worker.state,
      since: worker.since.toISOString(),
    }));
    for (const { index, heldSince, diedAt } of this.#places.values()) {
      // those that left in a drain are not started again
      if (this.#ending || rows.some((row) => row.index === index)) continue;
      const state = heldSince === undefined ? 'starting' : 'held';
      rows.push({ ...this.#row(index), pid: 0, incarnation: 0, state, since: (heldSince ?? diedAt).toISOString() });
    }
    return rows.sort((a, b) => a.index - b.index || a.incarnation - b.incarnation);
  }

  #row(index: number): Pick<WorkerStatus, 'index' | 'restarts' | 'lastExit' | 'stats'> {
    const { restarts = 0, lastExit } = this.#places.get(index) ?? {};
    return { index, restarts, ...(lastExit === undefined ? {} : { lastExit }), stats: this.book.ofWorker(index) };
  }

  /** True while a worker that died at once again and again has not served since. */
  get isHeld(): boolean {
    return [...this.#places.values()].some(({ heldSince }) => heldSince !== undefined);
  }

  /** One sentence for each worker that is missing. */
  problems(): string[] {
    return [...this.#places.values()].map((place) => place.problem(this.#config)).filter((problem) => problem !== undefined);
  }

  // ---- a process lives ----

  /** Resolves when the new process serves; rejects if it ends before. One that is still starting for the same place is given up. */
  #spawn(place: Place): Promise<void> {
    clearTimeout(place.timer);
    const worker = launch(place.index, ++this.#incarnations, this.#options.now());
    const { child } = worker;
    this.#processes.add(worker);
    place.starting?.child.kill('SIGKILL');
    place.starting = worker;
    const { folder, instance } = this.#options;
    worker.channel.send({
      type: 'init',
      config: this.#config,
      folder,
      instance,
      nodePort: this.#options.nodePort(),
      index: place.index,
      incarnation: worker.incarnation,
    });
    this.#options.onStart(worker);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#kill(worker, `it was not ready within ${START_MS} ms`), START_MS);
      let how = '';
      const ended = () => {
        clearTimeout(late);
        reject(new Error(`worker ${place.index} ended: ${how}`));
        this.#ended(place, worker, how);
      };
      child.on('message', (message: FromWorker, handle: unknown) => {
        if (message.type !== 'ready') return this.#receive(worker, message, handle as Handle);
        clearTimeout(late);
        if (place.starting !== worker) return;
        place.starting = undefined;
        place.current = worker;
        place.heldSince = undefined;
        worker.become('serving');
        this.#options.log.info('worker serves', { worker: worker.index, process: worker.pid });
        resolve();
        this.#options.onChange();
      });
      child.on('error', (error) => {
        if (child.pid !== undefined) return this.#options.log.error('worker channel failed', { worker: place.index, err: error });
        how = `it can not be started: ${error.message}`;
        ended();
      });
      child.on('exit', (code, signal) => {
        how = worker.cause ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
      // not at its exit: what it said last may not have been read then
      child.on('close', ended);
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
        this.#questions.answered(message.ask, message);
        if (worker.isFull === message.isFull) return;
        worker.isFull = message.isFull;
        this.#options.onChange();
        return;
      case 'connections':
      case 'links':
      case 'shares':
      case 'find':
        this.#questions.answered(message.ask, message);
        return;
      case 'handover':
        return this.#options.onHandover(message, handle);
      case 'failed':
        worker.cause = message.message;
        return;
      case 'replace': {
        const place = this.#places.get(worker.index);
        if (place?.current !== worker || place.replacing || this.#ending) return;
        this.#replace(place).catch((error: unknown) =>
          this.#options.log.error('worker can not be replaced', { worker: worker.index, err: error }),
        );
        return;
      }
      case 'left':
        return this.#left({ worker: worker.index, pid: worker.pid, ledger: message.ledger });
      case 'ready':
        return;
    }
  }

  #left(left: Left): void {
    const { log, onLeft } = this.#options;
    const held = Object.entries(left.ledger).filter(([, account]) => account.held !== 0 || account.bytes !== 0);
    const { worker, pid } = left;
    if (held.length > 0)
      log.warn('worker left and held something: possible leak', { worker, process: pid, held: Object.fromEntries(held) });
    else log.info('worker left', { worker, process: pid });
    onLeft?.(left);
  }

  #leave(worker: WorkerProcess, isReplaced = false): void {
    const { drain_ms: drainMs } = this.#config;
    this.#tellToLeave(worker, { type: 'leave', drainMs, workers: this.#places.size, isReplaced });
  }

  #tellToLeave(worker: WorkerProcess, message: ToWorker): void {
    if (worker.state === 'starting') return void worker.child.kill('SIGKILL');
    // one that hands its connections over and learns that the node drains has nobody left to hand them to
    if (worker.state === 'leaving' && message.type === 'leave') return;
    worker.leave(message);
    clearTimeout(worker.leaveTimer);
    worker.leaveTimer = setTimeout(() => this.#kill(worker, 'it did not leave in time'), this.#config.drain_ms + LEAVE_GRACE_MS);
  }

  #kill(worker: WorkerProcess, cause: string): void {
    this.#options.log.error('worker killed', { worker: worker.index, process: worker.pid, cause });
    worker.cause = cause;
    worker.child.kill('SIGKILL');
  }

  /** A worker whose event loop stands still is replaced. Time in which we stood still ourselves counts for nobody. */
  #watchAll(): void {
    const now = this.#options.now();
    const slept = Math.max(0, now - this.#watched - WATCH_MS);
    this.#watched = now;
    for (const worker of this.#processes) {
      worker.lastSeen = worker.state === 'starting' ? now : worker.lastSeen + slept;
      const silentMs = Math.round(now - worker.lastSeen);
      if (this.#config.hang_ms === 0 || silentMs <= this.#config.hang_ms || worker.cause !== undefined) continue;
      this.#kill(worker, `its event loop stood still for ${silentMs} ms (hang_ms)`);
    }
  }

  // ---- a process ends ----

  #ended(place: Place, worker: WorkerProcess, how: string): void {
    if (!this.#processes.delete(worker)) return;
    this.book.ended(worker.index, worker.incarnation);
    const { log } = this.#options;
    if (place.starting === worker) place.starting = undefined;
    else if (place.current === worker) place.current = undefined;
    const isMissed = place.current === undefined && place.starting === undefined && worker.state !== 'leaving';
    if (isMissed && !this.#ending && this.#places.get(place.index) === place) this.#restart(place, worker, how);
    else if (worker.state !== 'leaving') log.info('worker ended', { worker: worker.index, process: worker.pid, cause: how });
    worker.ended();
    this.#options.onChange();
    if (this.#processes.size === 0) for (const emptied of this.#emptied.splice(0)) emptied();
  }

  #restart(place: Place, worker: WorkerProcess, how: string): void {
    const { log, now } = this.#options;
    const { againInMs, held } = place.backoff.died(now() - worker.startedAt, this.#config);
    place.lastExit = how;
    place.diedAt = new Date();
    place.restarts++;
    if (held) place.heldSince = place.diedAt;
    log.error(held ? 'worker held back' : 'worker died', { worker: place.index, process: worker.pid, cause: how, againInMs });
    // how it ends is told by its exit, which brings us here again
    place.timer = setTimeout(() => void this.#spawn(place).catch(() => undefined), againInMs);
  }

  #allGone(): Promise<void> {
    return new Promise((resolve) => (this.#processes.size === 0 ? resolve() : this.#emptied.push(resolve)));
  }
}
