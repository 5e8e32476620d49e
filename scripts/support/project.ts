// Where the project is, and how its scripts start other programs.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The project's folder, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface Ended {
  /** 0 for a program that did its work; 1 for one that could not be started, took too long or was killed. */
  code: number;
  /** What it wrote, both streams in the order of their arrival; empty when it was shown. */
  output: string;
}

export interface RunOptions {
  /** After this the program is killed. */
  timeoutMs: number;
  /** Its output goes to the terminal as it comes, instead of into the result. */
  show?: boolean;
}

/** Runs one of the programs in node_modules/.bin, or a .ts file of the project, on this Node.js and in the project's folder. */
export async function runScript(file: string, args: readonly string[], { timeoutMs, show = false }: RunOptions): Promise<Ended> {
  const child = spawn(process.execPath, [`${root}/${file}`, ...args], {
    cwd: root,
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const pieces: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr?.on('data', (piece: Buffer) => pieces.push(piece));
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on('error', (error) => {
    pieces.push(Buffer.from(`${error.message}\n`));
    resolve(1);
  });
  child.on('close', (code, signal) => {
    if (signal !== null) pieces.push(Buffer.from(`${file} was ended by ${signal}; its time is ${timeoutMs / 1000} s\n`));
    resolve(code ?? 1);
  });
  return { code: await promise, output: Buffer.concat(pieces).toString() };
}
