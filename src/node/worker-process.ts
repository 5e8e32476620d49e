// One worker process as its manager sees it.

import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Handle } from '../net/handle.ts';
import type { WorkerState } from '../ops/snapshot.ts';
import { channelOf, type Channel, type ToWorker } from './channel.ts';
import { Passes } from './passes.ts';
import { tether } from './tether.ts';
import { titlePadding } from './title.ts';

/** Descriptors on their way to one worker. A storm is accepted faster than it can be passed; accept_rate limits storms, this what nobody foresaw. */
const MAX_PASSING = 16_384;

const ENTRY = fileURLToPath(new URL(`./worker-main${extname(import.meta.url)}`, import.meta.url));

/** One process. A worker number may have two for a while: a new one that serves and an old one that leaves. */
export class WorkerProcess {
  readonly index: number;
  readonly incarnation: number;
  readonly child: ChildProcess;
  readonly channel: Channel<ToWorker>;
  readonly startedAt: number;
  /** Resolves when the process has ended and everything that it said has been heard. */
  readonly gone: Promise<void>;
  state: WorkerState = 'starting';
  since = new Date();
  connections = 0;
  lastSeen: number;
  isFull = false;
  /** Why it ends, where we know before it does. */
  cause: string | undefined;
  leaveTimer: NodeJS.Timeout | undefined;
  readonly #passes: Passes;
  #resolveGone: () => void = () => undefined;

  constructor(index: number, incarnation: number, child: ChildProcess, now: number) {
    this.index = index;
    this.incarnation = incarnation;
    this.child = child;
    this.channel = channelOf(child);
    this.#passes = new Passes(this.channel, () => child.connected);
    this.startedAt = now;
    this.lastSeen = now;
    this.gone = new Promise((resolve) => (this.#resolveGone = resolve));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Descriptors that have not left this process yet. */
  get passing(): number {
    return this.#passes.size;
  }

  /** True if it can take one more connection. */
  get hasRoom(): boolean {
    return this.state === 'serving' && this.child.connected && !this.isFull && this.passing < MAX_PASSING;
  }

  become(state: WorkerState): void {
    this.state = state;
    this.since = new Date();
  }

  /** Sends a message with a descriptor. `failed` gets the descriptor back if this process leaves or ends before it has been sent. */
  pass(message: ToWorker, handle: Handle, failed: (handle: Handle) => void): void {
    this.connections++;
    this.#passes.add(message, handle, (back) => {
      this.connections--;
      failed(back);
    });
  }

  /** Tells it to leave; descriptors that were not sent before go back. */
  leave(message: ToWorker): void {
    this.become('leaving');
    this.#passes.takeBack();
    this.channel.send(message);
  }

  /** The process has ended: descriptors that were still on their way here go back. */
  ended(): void {
    clearTimeout(this.leaveTimer);
    this.#passes.end();
    this.#resolveGone();
  }
}

/** Starts a process, which waits for its first message. */
export function launch(index: number, incarnation: number, now: number): WorkerProcess {
  const { options, args } = tether();
  const child = fork(ENTRY, [titlePadding, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...options });
  return new WorkerProcess(index, incarnation, child, now);
}
