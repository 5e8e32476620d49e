// Programs that do one thing and end: ip, mount, ctr, kubectl.

import { spawn } from 'node:child_process';

export interface RunOptions {
  /** What it reads; nothing if not given. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this it is killed; 60 s if not given. */
  readonly maxMs?: number;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_MS = 60_000;

/** Resolves with what it wrote. Throws with what it said on stderr when it ends with another code than 0. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${(stderr || stdout).trim()}`);
  return stdout;
}

/** The same, for those whose failure is an answer too. The code is 1 for a program that was killed or could not be started. */
export async function attempt(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { input, env, maxMs = MAX_MS } = options;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: maxMs,
    killSignal: 'SIGKILL',
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  // one that reads nothing may be gone before all is written
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on('error', (error) => {
    err.push(Buffer.from(error.message));
    resolve(1);
  });
  child.on('close', (code, signal) => {
    if (signal !== null) err.push(Buffer.from(`killed by ${signal}; it may take ${maxMs / 1000} s`));
    resolve(code ?? 1);
  });
  const code = await promise;
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
