// Where the nodes of a cluster find each other in Kubernetes: which directories it has, and what its own ZooKeeper is like.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { directoriesOf, type ClusterDirectory } from '../../config/cluster-discovery.ts';
import { nameOf, namespaceOf } from './names.ts';

export const ZOOKEEPER_PORT = 2181;
const DEFAULT_SERVERS = 3;

type Given = NonNullable<NonNullable<KimCluster['spec']['discovery']>['zookeeper']>;
export type ManagedZookeeper = NonNullable<Given['managed']>;

/** Those that count in Kubernetes, the preferred one first: a folder of one machine is none. Without any there is a managed ZooKeeper. */
export function podDirectories({ spec: { discovery } }: KimCluster): readonly Exclude<ClusterDirectory, 'file'>[] {
  const names = directoriesOf(discovery).filter((name) => name !== 'file');
  return names.length > 0 ? names : ['zookeeper'];
}

export function hasKubernetesDiscovery(cluster: KimCluster): boolean {
  return podDirectories(cluster).includes('kubernetes');
}

/** The ZooKeeper that is run for the cluster, if one is. */
export function managedOf(cluster: KimCluster): ManagedZookeeper | undefined {
  const { zookeeper } = cluster.spec.discovery ?? {};
  if (zookeeper !== undefined) return zookeeper.managed;
  return podDirectories(cluster).includes('zookeeper') ? { replicas: DEFAULT_SERVERS } : undefined;
}

/** Names of its servers: they stay when their pods are replaced. */
export function serversOf(cluster: KimCluster, { replicas }: ManagedZookeeper): string[] {
  const set = nameOf(cluster, 'zookeeper');
  return Array.from({ length: replicas }, (_, i) => `${set}-${i}.${set}.${namespaceOf(cluster)}.svc`);
}

/** What nodes connect to, as the option zookeeper.servers takes it. */
export function connectString(cluster: KimCluster): string {
  const managed = managedOf(cluster);
  if (managed === undefined) return cluster.spec.discovery?.zookeeper?.hosts ?? '';
  return serversOf(cluster, managed)
    .map((server) => `${server}:${ZOOKEEPER_PORT}`)
    .join(',');
}
