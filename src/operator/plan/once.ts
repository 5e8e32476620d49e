// What of a plan depends on nothing but the KimCluster and the operator: made once. Plans without a change are made all day.

import type { KimCluster } from '../../config/cluster-schema.ts';
import type { OperatorFacts } from './types.ts';

interface Made {
  readonly operator: object;
  readonly parts: Map<string, unknown>;
}

const made = new WeakMap<KimCluster, Made>();

/**
 * What `make` made of these two objects before under this name, or makes now. What it returns is shared: do not change it. That it is the
 * same object as the last time tells others, too, that nothing of it has changed.
 */
export function once<T>(cluster: KimCluster, operator: Partial<OperatorFacts>, name: string, make: () => T): T {
  let known = made.get(cluster);
  if (known?.operator !== operator) {
    known = { operator, parts: new Map() };
    made.set(cluster, known);
  }
  if (!known.parts.has(name)) known.parts.set(name, make());
  return known.parts.get(name) as T;
}
