// Runs programs as a user does, in a folder and with an environment of their own.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const COMMAND_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 30_000;

/** What a user's shell has: nothing of the npm that runs the tests, and the Node.js that runs them first in the path. */
function userEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local)_|INIT_CWD$|NODE_TEST_CONTEXT$)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
}

/** A new folder that is gone after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kimserver-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program to its end and returns what it printed. Throws with that, too, when it fails. */
export async function runProgram(cwd: string, program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env: userEnv(),
      timeout: COMMAND_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return stdout;
  } catch (cause) {
    const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed\n${stdout ?? ''}${stderr ?? ''}`, { cause });
  }
}

export interface RunningNode {
  /** Its gate, as HOST:PORT. */
  readonly address: string;
  /** Tells it to end; resolves with its exit code. */
  end(): Promise<number | null>;
}

interface ServesLine {
  readonly msg?: string;
  readonly listeners?: readonly { kind: string; host: string; port: number }[];
}

/** Starts `program`, which runs a node with "gate_port": 0, and waits for the line of its log that has the port. */
export async function startNode(t: TestContext, cwd: string, program: string, ...args: readonly string[]): Promise<RunningNode> {
  const child = spawn(program, args, { cwd, env: userEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let errors = '';
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  const log = createInterface({ input: child.stdout });
  const lines: string[] = [];
  const serves = new Promise<ServesLine>((resolve, reject) => {
    log.on('line', (line) => {
      lines.push(line);
      const entry = (line.startsWith('{') ? JSON.parse(line) : {}) as ServesLine;
      if (entry.msg === 'node serves') resolve(entry);
    });
    const told = () => `${program} ${args.join(' ')} did not say that it serves\n${lines.join('\n')}\n${errors}`;
    log.on('close', () => reject(new Error(told())));
    const deadline = setTimeout(() => reject(new Error(told())), START_TIMEOUT_MS);
    t.after(() => clearTimeout(deadline));
  });
  const gate = (await serves).listeners?.find(({ kind }) => kind === 'gate');
  if (gate === undefined) throw new Error(`no gate among the listeners: ${lines.join('\n')}`);
  return {
    address: `${gate.host}:${gate.port}`,
    end() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
