// Whether a process of this machine still lives: the same process, not another one that was given its number later.

import { readFileSync } from 'node:fs';
import type { Writer } from './file-record.ts';

interface Life {
  /** One letter; Z and X are dead. */
  readonly state: string;
  /** In ticks since the machine was started. */
  readonly started: string;
}

/** Undefined if there is no such process, or the system does not tell. */
function lifeOf(pid: number): Life | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name, in brackets, may hold anything; what follows is numbered from 3, and the start is field 22
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** When a process was started, as the system counts it; empty if there is none, or the system does not tell. */
export function startOf(pid: number): string {
  return lifeOf(pid)?.started ?? '';
}

export function isAlive({ pid, started }: Writer): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // it lives, and belongs to somebody else
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const life = lifeOf(pid);
  // there is such a process, and that is all that can be known
  if (life === undefined) return true;
  // a dead process keeps its number and its start until its parent has waited for it
  if (life.state === 'Z' || life.state === 'X') return false;
  return started === '' || life.started === started;
}
