// NetworkPolicies: clients reach the client port, nodes of the cluster each other, and the admin ports are for the operator and for metrics.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { ZOOKEEPER_PORT } from './directories.ts';
import { metaOf, nameOf, selectorOf, type Component } from './names.ts';
import { CLIENT_PORT } from './pod-config.ts';
import type { Manifest, OperatorFacts } from './types.ts';

/** Between the servers of a ZooKeeper: the leader, and its election. */
export const PEER_PORTS = [2888, 3888] as const;

interface Ingress {
  readonly ports: readonly object[];
  /** Left out: everybody. */
  readonly from?: readonly object[] | undefined;
}

function policy(cluster: KimCluster, component: Component, ingress: readonly Ingress[]): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(cluster, component, nameOf(cluster, component)),
    spec: {
      podSelector: { matchLabels: selectorOf(cluster, component) },
      // modules may ask whatever they need
      policyTypes: ['Ingress'],
      ingress: ingress.map(({ ports, from }) => ({ ports, ...(from && { from }) })),
    },
  };
}

/** By name it is the right one of pods of every revision. */
const port = (which: number | string) => ({ protocol: 'TCP', port: which });

function operatorPods({ namespace, podLabels }: OperatorFacts): object {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    ...(Object.keys(podLabels).length > 0 && { podSelector: { matchLabels: podLabels } }),
  };
}

const everyPod = { namespaceSelector: {} };

export function tierPolicy(cluster: KimCluster, tier: Tier, operator: OperatorFacts): Manifest {
  const { from, metricsFrom } = cluster.spec.networkPolicy;
  const nodes = { podSelector: { matchLabels: selectorOf(cluster) } };
  return policy(cluster, tier, [
    ...(tier === 'gate' ? [{ ports: [port(CLIENT_PORT)], from }] : []),
    { ports: [port('node')], from: [nodes] },
    { ports: [port('admin')], from: metricsFrom === undefined ? [everyPod] : [operatorPods(operator), ...metricsFrom] },
  ]);
}

export function zookeeperPolicy(cluster: KimCluster, operator: OperatorFacts): Manifest {
  const servers = { podSelector: { matchLabels: selectorOf(cluster, 'zookeeper') } };
  const nodes = { podSelector: { matchLabels: selectorOf(cluster) } };
  return policy(cluster, 'zookeeper', [
    { ports: [port(ZOOKEEPER_PORT)], from: [nodes, operatorPods(operator)] },
    { ports: PEER_PORTS.map(port), from: [servers] },
  ]);
}
