// CPU time and memory of other processes, as the kernel tells them: nothing has to run in the process that is measured.

import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc/PID/stat; what Linux shows to programs is 100 a second everywhere. */
const TICK_US = 10_000;
const KIB = 1024;

/**
 * CPU time of all threads of a process so far, in microseconds. Nanosecond counters where the kernel has them, else ticks of 10 ms.
 * Throws one sentence when the process is gone or the system has no /proc.
 */
export function cpuUs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const exact = sumSchedstat(threads.map((thread) => readOr(`/proc/${pid}/task/${thread}/schedstat`, '')));
    return exact ?? parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (cause) {
    throw new Error(`cannot read the CPU time of process ${pid} from /proc; it ended, or this is not Linux`, { cause });
  }
}

/** Microseconds on a processor, summed over the schedstat texts of threads; undefined if the kernel does not count them. */
export function sumSchedstat(texts: readonly string[]): number | undefined {
  let ns = 0;
  for (const text of texts) {
    const [onCpu] = text.trim().split(' ');
    // a thread that has ended in the meantime leaves an empty text
    if (onCpu !== undefined && /^\d+$/.test(onCpu)) ns += Number(onCpu);
  }
  return ns === 0 ? undefined : ns / 1000;
}

/** Microseconds of user and system time in a /proc/PID/stat text. The name of the process, in parentheses, may hold anything. */
export function parseStat(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isFinite(user) || !Number.isFinite(system)) throw new Error('no times in the status of a process');
  return (user + system) * TICK_US;
}

/** Resident memory of a process in bytes. Throws one sentence when the process is gone. */
export function rssBytes(pid: number): number {
  const text = readOr(`/proc/${pid}/status`, '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kib === undefined) throw new Error(`cannot read the memory of process ${pid} from /proc; it ended, or this is not Linux`);
  return Number(kib) * KIB;
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
