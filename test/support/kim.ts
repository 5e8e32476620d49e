// The command line as its users run it: a process of its own, from the sources.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const DEADLINE_MS = 30_000;

/** A shell of a user: nothing of the npm that runs the tests. */
function userEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_TEST_CONTEXT$|KIM_)/.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

interface KimOptions {
  env?: NodeJS.ProcessEnv | undefined;
  cwd?: string;
  /** A command that becomes the one that is given to it. */
  within?: readonly string[] | undefined;
  /** It is killed after so many milliseconds, whatever becomes of the test. */
  lifeMs?: number;
}

function start(words: readonly string[], stdio: StdioOptions, { env, cwd, within = [], lifeMs = DEADLINE_MS }: KimOptions): ChildProcess {
  const [command, ...args] = [...within, process.execPath, PROGRAM, ...words];
  return spawn(command!, args, { stdio, env: userEnv(env), cwd, timeout: lifeMs, killSignal: 'SIGKILL' });
}

/** Runs a command to its end. */
export async function kim(words: readonly string[], options: KimOptions = {}): Promise<Ran> {
  const child = start(words, ['ignore', 'pipe', 'pipe'], options);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
  return { out, err, code: code as number | null };
}

/** A folder with these files, gone after the test. */
export function folderOf(t: TestContext, files: Readonly<Record<string, string | object>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kim-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  }
  return folder;
}

/** False for a process that is gone, also when nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // the state stands behind the name, which may hold anything but a bracket at its end
    return !/\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // without /proc the signal has to be enough
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self/stat');
  }
}

/** A node of the command line; with free ports and the module "test" unless told otherwise. */
export const CONFIG = {
  server_name: 'kim-cli-test',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  admin_port: 0,
  max_clients: 100,
  modules: ['test', 'echo'],
};

interface LogLine {
  msg: string;
  [field: string]: unknown;
}

/** A running "kim node". */
export class KimNode {
  readonly child: ChildProcess;
  /** Its log. */
  readonly lines: LogLine[] = [];
  /** What it said beside its log. */
  err = '';
  /** Messages to the process that forked it. */
  readonly messages: Record<string, unknown>[] = [];
  readonly #ended: Promise<number | null>;
  #wake: () => void = () => undefined;

  /** Starts the node; it is killed after the test if it still runs then, by its own pid. */
  constructor(t: TestContext, words: readonly string[], { channel = false, ...options }: KimOptions & { channel?: boolean } = {}) {
    this.child = start(['node', ...words], ['ignore', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])], options);
    const happened = () => this.#wake();
    this.#ended = once(this.child, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
      happened();
    });
    this.child.stderr!.on('data', (piece: Buffer) => {
      this.err += piece.toString();
      happened();
    });
    this.child.on('message', (message) => {
      this.messages.push(message as Record<string, unknown>);
      happened();
    });
    this.child.on('close', happened);
    t.after(async () => {
      this.child.kill('SIGKILL');
      await this.#ended;
    });
  }

  /** Starts a node and waits until it serves. */
  static async serving(t: TestContext, words: readonly string[], options: KimOptions = {}): Promise<KimNode> {
    const node = new KimNode(t, words, options);
    await node.logged('node serves');
    return node;
  }

  /** Waits until `look` finds something in what the node said. */
  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (deadline.aborted || this.child.exitCode !== null)
        throw new Error(`the node never ${what}\n${JSON.stringify(this.lines)}\n${this.err}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** The line of the log with this message; the `n`th of them, from 1. */
  logged(message: string, n = 1): Promise<LogLine> {
    return this.until(() => this.lines.filter(({ msg }) => msg === message)[n - 1], `logged "${message}"`);
  }

  said(pattern: RegExp): Promise<string> {
    return this.until(() => pattern.exec(this.err)?.[0], `said ${pattern.source}`);
  }

  /** Waits for a message of this type to the process that forked it. */
  told(type: string): Promise<Record<string, unknown>> {
    return this.until(() => this.messages.find((message) => message['type'] === type), `told "${type}"`);
  }

  get port(): number {
    const listeners = this.lines.find(({ msg }) => msg === 'node serves')?.['listeners'] as { kind: string; port: number }[] | undefined;
    return listeners!.find(({ kind }) => kind === 'gate')!.port;
  }

  /** As HOST:PORT. */
  get admin(): string {
    return new URL(String(this.lines.find(({ msg }) => msg === 'node serves')?.['admin'])).host;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves with the exit code. */
  ended(): Promise<number | null> {
    return this.#ended;
  }
}
