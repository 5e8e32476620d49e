// Ties a process to the one that starts it. A worker learns from its channel that its manager is gone, unless its event loop stands still at
// that moment; the kernel, or a thread, ends it then too.

import { spawnSync, type ForkOptions } from 'node:child_process';
import { Worker } from 'node:worker_threads';

/** The argument that tells a process to watch its parent itself. */
const WATCH = '--watch-parent';
const PROBE_MS = 2000;
const WATCH_MS = 1000;

export interface Tether {
  readonly options: Pick<ForkOptions, 'execPath' | 'execArgv'>;
  readonly args: readonly string[];
}

/** The kernel does it for nothing where setpriv of util-linux can ask it to; a thread takes 10 MB of each process and up to a second. */
const byKernel: Tether = { options: { execPath: 'setpriv', execArgv: ['--pdeathsig', 'KILL', '--', process.execPath] }, args: [] };
const byThread: Tether = { options: { execArgv: [] }, args: [WATCH] };

let known: Tether | undefined;

/**
 * How to fork a process that does not outlive this one. To be forked from the main thread: the kernel means the thread that forks when it says
 * parent.
 */
export function tether(): Tether {
  known ??= canAskKernel() ? byKernel : byThread;
  return known;
}

function canAskKernel(): boolean {
  return spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore', timeout: PROBE_MS }).status === 0;
}

/** To be called first in a process that was forked so: from then on it ends with its parent. */
export function watchParent(): void {
  if (!process.argv.includes(WATCH)) return;
  const thread = new Worker(
    `const parent = process.ppid;
     setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), ${WATCH_MS});`,
    { eval: true, execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } },
  );
  // a process with nothing left to do ends
  thread.unref();
}
