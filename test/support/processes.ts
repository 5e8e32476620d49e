// What the system knows of processes.

import { readdirSync, readFileSync } from 'node:fs';

/** The title of a process as ps shows it. */
export function titleOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]!.trim();
}

/** Resident memory in bytes. */
export function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** Seconds of processor time that a process has used; the system counts in hundredths. */
export function cpuOf(pid: number): number {
  const [user, kernel] = statOf(pid)?.slice(11) ?? [];
  return (Number(user) + Number(kernel)) / 100;
}

/** The processes that a process started and that still run. */
export function childrenOf(pid: number): number[] {
  const isChild = (name: string) => {
    const [state, parent] = (/^\d+$/.test(name) ? statOf(Number(name)) : undefined) ?? [];
    return state !== 'Z' && Number(parent) === pid;
  };
  return readdirSync('/proc').filter(isChild).map(Number);
}

/** What stands behind the name, which may hold anything: state, parent, and so on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
