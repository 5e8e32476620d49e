// One node of a cluster on this machine: a manager process that is told what to do over its channel, and ends when we do.

import { fork, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileOf } from '../../config/print.ts';
import type { Port, Workload } from '../plan/workloads.ts';
import type { GivenPort } from './local-ports.ts';

/** A node that has not begun to serve by then is given up. */
const START_MS = 60_000;
/** How long a node may take to try a configuration; workers are rolled one after another meanwhile. */
const APPLY_MS = 120_000;

/** What a node tells the one who started it. */
export type FromNode =
  | { type: 'started'; listeners: { kind: 'gate' | 'node'; host: string; port: number }[]; adminUrl?: string; workers: number }
  | { type: 'failed'; message: string }
  | { type: 'applied' }
  | { type: 'refused'; message: string }
  /** It accepts no clients any more, or nobody; connections may still be served. */
  | { type: 'draining' };

export type ToNode =
  /** The handle that comes with it is open already. As many come as PORTS_VARIABLE says. */
  | { type: 'port'; kind: Port['kind']; host: string; port: number }
  | { type: 'reload' }
  /** A new process has its place already, or it leaves for good and other nodes reach it until it has ended. */
  | { type: 'drain'; isReplaced: boolean }
  /** Its place is taken again, while it still drains. */
  | { type: 'freePorts' };

/** Tells a node process how many ports it is given before it starts. */
export const PORTS_VARIABLE = 'KIM_PORTS';

export type Started = Extract<FromNode, { type: 'started' }>;

export interface NodeProcessOptions {
  workload: Workload;
  ports: readonly GivenPort[];
  /** Folder for its configuration and log. */
  folder: string;
  /** The program of "kim". */
  program: string;
  ended(process: NodeProcess, how: string): void;
}

export class NodeProcess {
  workload: Workload;
  started: Started | undefined;
  /** True once it was told to end. */
  leaving = false;
  readonly logFile: string;
  readonly #file: string;
  readonly #options: NodeProcessOptions;
  #child: ChildProcess | undefined;
  #waiting: { types: FromNode['type'][]; end(message: FromNode | undefined): void } | undefined;

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    this.workload = options.workload;
    this.#file = join(options.folder, `${options.workload.name}.json`);
    this.logFile = join(options.folder, `${options.workload.name}.log`);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it serves; throws the sentence with which it gave up. */
  async start(): Promise<void> {
    this.#write(this.workload);
    // its log goes to a file; what it prints beside that is an accident worth seeing
    const { program, ports } = this.#options;
    const env = { ...process.env, [PORTS_VARIABLE]: String(ports.length) };
    const child = fork(program, ['node', this.#file], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [], env });
    this.#child = child;
    let reason: string | undefined;
    child.on('message', (message: FromNode) => {
      if (message.type === 'failed') reason = message.message;
      if (message.type === 'started') this.started = message;
      if (this.#waiting?.types.includes(message.type)) this.#waiting.end(message);
    });
    child.on('error', () => undefined); // a message to one that has just ended
    for (const { handle, ...port } of ports) child.send({ type: 'port', ...port } satisfies ToNode, handle);
    child.on('exit', (code, signal) => {
      const how = reason ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
      this.#waiting?.end(undefined);
      this.#child = undefined;
      this.#options.ended(this, how);
    });
    const answer = await this.#answer(['started', 'failed'], START_MS);
    if (answer?.type === 'started') return;
    child.kill('SIGKILL');
    throw new Error(reason ?? `${this.workload.name} did not start; its log is ${this.logFile}`);
  }

  /** Gives it another configuration. Throws what it says if it can not take it; it goes on with the old one then. */
  async change(workload: Workload): Promise<void> {
    this.#write(workload);
    this.#child?.send({ type: 'reload' } satisfies ToNode);
    const answer = await this.#answer(['applied', 'refused'], APPLY_MS);
    if (answer?.type === 'applied') {
      this.workload = workload;
      return;
    }
    this.#write(this.workload);
    throw new Error(answer?.type === 'refused' ? answer.message : `${workload.name} did not answer`);
  }

  /** Begins to drain; resolves when no client is accepted any more, and with `isReplaced` nobody else either. */
  async drain(isReplaced: boolean): Promise<void> {
    this.leaving = true;
    await this.#tell({ type: 'drain', isReplaced });
  }

  /** While it drains: resolves when it accepts nobody any more. */
  freePorts(): Promise<void> {
    return this.#tell({ type: 'freePorts' });
  }

  async #tell(message: ToNode): Promise<void> {
    if (this.#child === undefined) return;
    this.#child.send(message);
    await this.#answer(['draining'], START_MS);
  }

  kill(): void {
    this.leaving = true;
    this.#child?.kill('SIGKILL');
  }

  #write({ config }: Workload): void {
    // the file may hold passwords of stores
    writeFileSync(this.#file, JSON.stringify({ ...nodeFileOf(config), log_path: this.logFile }, undefined, 2) + '\n', { mode: 0o600 });
  }

  #answer(types: FromNode['type'][], ms: number): Promise<FromNode | undefined> {
    this.#waiting?.end(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(undefined), ms);
      const end = (message: FromNode | undefined) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(message);
      };
      this.#waiting = { types, end };
    });
  }
}
