// A worker number: which process has it, and how the ones before ended.

import type { NodeConfig } from '../config/node-config.ts';
import { Backoff } from './backoff.ts';
import type { WorkerProcess } from './worker-process.ts';

export class Place {
  readonly index: number;
  readonly backoff = new Backoff();
  /** The process that serves, or did until it began to leave. */
  current: WorkerProcess | undefined;
  /** One that shall take its place. */
  starting: WorkerProcess | undefined;
  replacing = false;
  restarts = 0;
  lastExit: string | undefined;
  diedAt = new Date();
  /** Set from the death that was one too many until a process serves again. */
  heldSince: Date | undefined;
  timer: NodeJS.Timeout | undefined;

  constructor(index: number) {
    this.index = index;
  }

  /** Why nobody serves here, in one sentence; undefined while somebody does. */
  problem({ held_ms }: NodeConfig): string | undefined {
    const { index, lastExit } = this;
    if (this.heldSince !== undefined) {
      const now = this.starting === undefined ? `held back for ${held_ms} ms` : 'tried again';
      return `worker ${index} is ${now} after it died ${this.backoff.deaths} times in a row: ${lastExit}`;
    }
    if (this.current?.state === 'serving') return undefined;
    return `worker ${index} is not serving yet${lastExit === undefined ? '' : `; the last one ended: ${lastExit}`}`;
  }
}
