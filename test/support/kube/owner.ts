// Who a test cluster belongs to: a process that still runs, one that is gone, or nobody because it was started to stay.

import { readFileSync } from 'node:fs';

export interface Owner {
  readonly pid: number;
  /** In ticks since the machine's start: a pid alone may have been given to somebody else since. */
  readonly since: string;
}

export type Owned = Owner | 'stays';

export function thisProcess(): Owner {
  return { pid: process.pid, since: startOf(process.pid)! };
}

export function isAlive(owner: Owner): boolean {
  return startOf(owner.pid) === owner.since;
}

/** When a process began; undefined when there is none, or only its exit code waits for somebody. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name stands in brackets and may hold anything
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
