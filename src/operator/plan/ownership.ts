// Whose objects are whose: what belongs to others is left alone and named, what is ours and no longer wanted goes.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { controllerOf } from '../../kube/types.ts';
import { isLasting } from './config-maps.ts';
import { isOurs, isOursOrFree } from './names.ts';
import { isRolling } from './rollout.ts';
import type { Manifest, Observed, Removal } from './types.ts';
import type { TierDecisions } from './verdicts.ts';

/** Configurations that no pod needs any more are kept for a return to an earlier spec. */
const KEPT_CONFIGS = 2;
/** What a plan makes, and so may remove; never volumes or Secrets. */
const MANAGED = [
  ...['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'Service', 'Deployment', 'StatefulSet'],
  ...['NetworkPolicy', 'PodDisruptionBudget', 'ServiceMonitor'],
];
/** Old pods may still look into the directory that new ones do not know any more, and relay to the nodes that shall go. */
const USED_BY_PODS = MANAGED.slice(0, 7);

export interface Claimed {
  readonly apply: readonly Manifest[];
  /** Objects that have a name that we need and obey somebody else: sentences. */
  readonly conflicts: readonly string[];
}

/** Leaves out what is somebody else's. */
export function claim(cluster: KimCluster, wanted: readonly Manifest[], { objects }: Observed): Claimed {
  const conflicts: string[] = [];
  const apply = wanted.filter((object) => {
    const found = objects.find((one) => isSameObject(one, object));
    const conflict = found === undefined || isOursOrFree(cluster, found) ? undefined : conflictOf(cluster, found);
    if (conflict !== undefined) conflicts.push(conflict);
    return conflict === undefined;
  });
  return { apply, conflicts };
}

function conflictOf(cluster: KimCluster, found: Manifest): string {
  const what = `the ${found.kind} ${found.metadata.name}`;
  const controller = controllerOf(found);
  if (controller?.kind === cluster.kind && controller.name === cluster.metadata.name) {
    return `${what} belongs to an earlier KimCluster of this name and will be removed by Kubernetes; until then it is left alone`;
  }
  if (controller !== undefined) return `${what} obeys the ${controller.kind} ${controller.name}; rename one of the two`;
  return `${what} is there already and obeys nobody; remove it, or set the annotation kimserver.io/adopt to have it taken over`;
}

/** Ours, and no longer wanted. Configurations are kept while a pod may need them, and most else until all pods are of the new revision. */
export function removals(
  cluster: KimCluster,
  wanted: readonly Manifest[],
  { objects, pods }: Observed,
  tiers: readonly TierDecisions[],
): Removal[] {
  const surplus = objects.filter(
    (object) => MANAGED.includes(object.kind) && isOurs(cluster, object) && !wanted.some((one) => isSameObject(one, object)),
  );
  if (surplus.length === 0) return [];
  const isMoving = tiers.some(({ state, changes }) => isRolling(state) || changes.length > 0);
  const inUse = JSON.stringify([pods.map(({ spec }) => spec), tiers.map(({ state }) => state.found?.spec)]);
  const idle = surplus.filter((object) => isLasting(object) && !inUse.includes(`"${object.metadata.name}"`));
  const kept = [...Map.groupBy(idle, componentOf).values()].flatMap((group) => group.toSorted(byAge).slice(0, KEPT_CONFIGS));
  return surplus
    .filter((object) => !isLasting(object) || (idle.includes(object) && !kept.includes(object)))
    .filter(({ kind, metadata }) => metadata.deletionTimestamp === undefined && !(isMoving && USED_BY_PODS.includes(kind)))
    .map(({ apiVersion, kind, metadata: { name, uid = '' } }) => ({ apiVersion, kind, name, uid }));
}

function componentOf({ metadata }: Manifest): string {
  return metadata.labels?.['app.kubernetes.io/component'] ?? '';
}

/** The youngest first. */
function byAge(a: Manifest, b: Manifest): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x < y ? 1 : -1;
}

/** Group and version may differ: the server gives what it was asked for. */
export function isSameObject(a: Manifest, b: Manifest): boolean {
  return a.kind === b.kind && a.metadata.name === b.metadata.name && groupOf(a) === groupOf(b);
}

function groupOf({ apiVersion }: Manifest): string {
  return apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
}
