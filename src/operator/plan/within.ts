// What we want beside what is there: the API server completes what was applied.

import { isSame } from '../../kube/json.ts';

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
