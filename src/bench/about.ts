// Where and with what the benchmark ran: without it figures mean nothing.

import { execFileSync } from 'node:child_process';
import { cpus, release, type } from 'node:os';
import type { About } from './results.ts';
import type { Settings } from './settings.ts';

export function about({ seconds, rounds, connections, loads, awake }: Settings): About {
  const models = cpus().map(({ model }) => model.trim());
  return {
    commit: commit(),
    node: process.version,
    cpu: `${models.length} x ${models[0] ?? 'unknown processor'}`,
    kernel: `${type()} ${release().split('-')[0]}`,
    date: new Date().toISOString().slice(0, 10),
    seconds,
    rounds,
    connections,
    loads,
    awake,
  };
}

/** A package that was installed has no history. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, {
        encoding: 'utf8',
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 10_000,
      }).trim();
    const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', ':/src') !== '';
    return git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : '');
  } catch {
    return 'unknown';
  }
}
