// One long-running program of a test cluster: started in its place, stopped, killed, frozen and started again at will.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARK, type Slot } from './slot.ts';

const STOP_MS = 10_000;

export interface DaemonOptions {
  readonly slot: Slot;
  /** For its log: NAME.log in the folder of the place. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** A network namespace to run in. */
  readonly namespace?: string;
  /** It goes on when this process ends. */
  readonly stays: boolean;
}

export class Daemon {
  readonly name: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Starts it, again if need be. It is not ready yet when this returns. */
  start(): void {
    const { slot, program, args, namespace, stays } = this.#options;
    // nsenter, since "ip netns exec" mounts a /sys of its own, and the control groups are gone
    const inside = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
    // a run that is killed takes with it what is its own
    const [first, ...rest] = [...(stays ? [] : ['setpriv', '--pdeathsig', 'KILL', '--']), ...inside, program, ...args];
    const log = openSync(this.#log, 'a');
    const child = spawn(first!, rest, {
      cwd: slot.folder,
      stdio: ['ignore', log, log],
      detached: stays,
      env: { PATH: process.env['PATH'], HOME: slot.folder, [MARK]: slot.folder },
    });
    closeSync(log);
    child.on('error', () => undefined);
    if (stays) child.unref();
    this.#child = child;
  }

  get isRunning(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what it wrote. */
  get log(): string {
    return readFileSync(this.#log, 'utf8').slice(-4000);
  }

  /** Ends it in order; after 10 s it is killed (an API server with clients takes as long as that). */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** It keeps its connections and ports but does nothing, until resume(). */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await promise;
    clearTimeout(timer);
  }

  get #log(): string {
    return join(this.#options.slot.folder, `${this.name}.log`);
  }
}
