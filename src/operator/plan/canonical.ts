// One text for one value: what stands for it in a hash, wherever its keys came from.

/** JSON with the keys of all objects in order, and without what is undefined. */
export function canonical(value: unknown): string {
  return JSON.stringify(ordered(value)) ?? 'null';
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, ordered(inner)]));
}

/** Whether two values are the same JSON, whatever the order of their keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** Whether all that `wanted` says is so in `found`, which may say more: as the API server completes what was applied. */
export function isWithin(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(found ?? []) &&
      ((found ?? []) as unknown[]).length === wanted.length &&
      wanted.every((value, i) => isWithin(value, (found as unknown[])[i]))
    );
  }
  // the API server leaves out what says nothing
  if (found === undefined && [undefined, null, false, 0, ''].some((nothing) => nothing === wanted)) return true;
  if (typeof wanted !== 'object' || wanted === null) return wanted === undefined || isSame(wanted, found);
  if (typeof found !== 'object' || found === null) return Object.keys(wanted).length === 0;
  return Object.entries(wanted).every(([key, value]) => isWithin(value, (found as Record<string, unknown>)[key]));
}
