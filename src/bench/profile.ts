// Reads a CPU profile of Node.js: which functions cost most by themselves.

/** The part of a .cpuprofile that is looked at. */
export interface CpuProfile {
  nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples?: readonly number[];
  timeDeltas?: readonly number[];
}

/** The `limit` functions with the largest share of the time in which the process was busy, the largest first. */
export function topFunctions(profile: CpuProfile, limit: number): { what: string; share: number }[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  for (const [i, sample] of (profile.samples ?? []).entries()) {
    const name = names.get(sample) ?? '(unknown)';
    if (name === '(idle)') continue;
    // what a sample found has run until the next one
    const us = Math.max(0, profile.timeDeltas?.[i + 1] ?? 0);
    busy += us;
    times.set(name, (times.get(name) ?? 0) + us);
  }
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, limit)
    .map(([what, us]) => ({ what, share: busy === 0 ? 0 : us / busy }));
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('node:') ? url : url.slice(url.lastIndexOf('/src/') + 1);
  return `${name} ${file}:${lineNumber + 1}`;
}
