// Whether a process of this machine still lives: the same process, not another one that was given its number later.

import { readFileSync } from 'node:fs';
import type { Writer } from './file-record.ts';

/** When a process was started, in ticks since the machine was; empty if there is none, or the system does not tell. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name, in brackets, may hold anything; what follows is numbered from 3, and the start is field 22
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

export function isAlive({ pid, started }: Writer): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // it lives, and belongs to somebody else
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started === '' || startOf(pid) === started;
}
