// Changes of a KimCluster that can not be made. The API server refuses them by the rules of the schema; this is for whoever compares two files.

import type { KimCluster } from './cluster-schema.ts';
import { switchProblem } from './cluster-switch.ts';

interface Fixed {
  readonly path: string;
  readonly of: (cluster: KimCluster) => unknown;
  /** What has to be there before and after for the rule to count. */
  readonly within: (cluster: KimCluster) => unknown;
  readonly cure: string;
}

const ANOTHER = 'make another KimCluster';
const managedOf = ({ spec }: KimCluster) => spec.discovery?.zookeeper?.managed;
const storageOf = (cluster: KimCluster) => managedOf(cluster)?.storage;
const balancerOf = ({ spec }: KimCluster) => (spec.gate.service.type === 'LoadBalancer' ? spec.gate.service : undefined);
const MANAGED = 'spec.discovery.zookeeper.managed';

const fixed: readonly Fixed[] = [
  { path: `${MANAGED}.replicas`, within: managedOf, of: (cluster) => managedOf(cluster)?.replicas, cure: `${ANOTHER}, or name hosts` },
  { path: `${MANAGED}.storage`, within: managedOf, of: (cluster) => storageOf(cluster) !== undefined, cure: ANOTHER },
  { path: `${MANAGED}.storage.size`, within: storageOf, of: (cluster) => storageOf(cluster)?.size, cure: ANOTHER },
  { path: `${MANAGED}.storage.className`, within: storageOf, of: (cluster) => storageOf(cluster)?.className, cure: ANOTHER },
  {
    path: 'spec.gate.service.loadBalancerClass',
    within: balancerOf,
    of: (cluster) => balancerOf(cluster)?.loadBalancerClass,
    cure: 'set another type of Service first',
  },
];

/** What can not become of a cluster, as sentences; none if all of it can. */
export function changeProblems(before: KimCluster, after: KimCluster): string[] {
  const found = fixed
    .filter(({ within }) => within(before) !== undefined && within(after) !== undefined)
    .filter(({ of }) => of(before) !== of(after))
    .map(({ path, cure }) => `${path} can not be changed once it is there; ${cure}`);
  return [...found, switchProblem(before, after)].filter((problem) => problem !== undefined);
}
