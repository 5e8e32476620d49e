// One worker process as its manager sees it.

import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerState } from '../ops/snapshot.ts';
import { channelOf, type Channel, type ToWorker } from './channel.ts';
import { titlePadding } from './title.ts';

/** Descriptors on their way to one worker; more than that and it is not given another one. */
const MAX_PASSING = 256;

const ENTRY = fileURLToPath(new URL(`./worker-main${extname(import.meta.url)}`, import.meta.url));

/** One process. A worker number may have two for a while: a new one that serves and an old one that leaves. */
export class WorkerProcess {
  readonly index: number;
  readonly incarnation: number;
  readonly child: ChildProcess;
  readonly channel: Channel<ToWorker>;
  state: WorkerState = 'starting';
  since = new Date();
  connections = 0;
  passing = 0;
  lastSeen: number;
  isFull = false;
  /** Why it ends, where we know before it does. */
  cause: string | undefined;
  leaveTimer: NodeJS.Timeout | undefined;

  constructor(index: number, incarnation: number, child: ChildProcess, now: number) {
    this.index = index;
    this.incarnation = incarnation;
    this.child = child;
    this.channel = channelOf(child);
    this.lastSeen = now;
  }

  become(state: WorkerState): void {
    this.state = state;
    this.since = new Date();
  }
}

/** Starts a process, which waits for its first message. */
export function launch(index: number, incarnation: number, now: number): WorkerProcess {
  const child = fork(ENTRY, [titlePadding], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  return new WorkerProcess(index, incarnation, child, now);
}

/** True if a worker can take one more connection. */
export function fits(worker: WorkerProcess): boolean {
  return worker.state === 'serving' && !worker.isFull && worker.passing < MAX_PASSING;
}
