// What differs between two configurations, and what it takes for the difference to count.

import { optionKeys, optionOf, type NodeConfig, type OptionKey } from './options.ts';
import type { Apply } from './field.ts';
import { masked } from './print.ts';

export interface Change {
  readonly key: OptionKey;
  /** Values for people: secrets are masked, so they may look the same. */
  readonly from: unknown;
  readonly to: unknown;
  readonly apply: Apply;
}

/** Every option whose value differs, in the order of the table. */
export function compareConfigs(old: NodeConfig, next: NodeConfig): Change[] {
  return optionKeys
    .filter((key) => !same(old[key], next[key]))
    .map((key) => ({ key, from: masked(key, old[key]), to: masked(key, next[key]), apply: optionOf(key).apply }));
}

/** Values are JSON; the order of keys does not matter, that of a list does. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(x);
  return keys.length === Object.keys(y).length && keys.every((key) => Object.hasOwn(y, key) && same(x[key], y[key]));
}
