// How the ZooKeeper of a cluster is: how many of its servers serve, and whether that is enough.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { managedOf } from './directories.ts';
import { nameOf } from './names.ts';
import { podsOf, timeOf, type PodView } from './pods.ts';
import { find } from './tier.ts';
import type { Manifest, Observed } from './types.ts';

/** A new ensemble has no quorum at first. */
const START_MS = 120_000;

export interface ZookeeperState {
  readonly ready: number;
  readonly servers: number;
  readonly hasQuorum: boolean;
  /** "zookeeper 3/3" */
  readonly text: string;
  /** Servers that were lost with their machines, and that nobody replaces before that is certain. */
  readonly lost: readonly PodView[];
  /** What a person should know; undefined if nothing. */
  readonly problem: string | undefined;
}

export function zookeeperSet(cluster: KimCluster, observed: Observed): Manifest | undefined {
  return find(cluster, observed, 'StatefulSet', nameOf(cluster, 'zookeeper'));
}

/** Undefined where none is run for the cluster. */
export function zookeeperState(cluster: KimCluster, observed: Observed): ZookeeperState | undefined {
  const managed = managedOf(cluster);
  if (managed === undefined) return undefined;
  const found = zookeeperSet(cluster, observed);
  const servers = managed.replicas;
  const pods = podsOf(cluster, 'zookeeper', observed);
  const ready = pods.filter(({ isReady }) => isReady).length;
  const hasQuorum = ready > servers / 2;
  const text = `zookeeper ${ready}/${servers}`;
  const age = found === undefined ? 0 : observed.now - (timeOf(found.metadata.creationTimestamp) ?? observed.now);
  const problem =
    hasQuorum || age < START_MS
      ? undefined
      : `only ${ready} of ${servers} ZooKeeper servers are ready, no quorum; see "kubectl get pods -l app.kubernetes.io/component=zookeeper"`;
  return { ready, servers, hasQuorum, text, lost: pods.filter(({ isLost }) => isLost), problem };
}
