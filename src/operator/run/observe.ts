// What a plan is made from: the operator's copies of everything, and what the nodes themselves say.

import { createHash } from 'node:crypto';
import { kindName, type KubeObject } from '../../kube/types.ts';
import type { Store } from '../engine/store.ts';
import type { KimCluster } from '../../config/cluster-schema.ts';
import { COMPONENT_LABEL } from '../plan/names.ts';
import { portsOf } from '../plan/pod-config.ts';
import type { Manifest, NodeView, Observed, OperatorFacts, Pod } from '../plan/types.ts';
import type { KimClusterStatus } from '../status-types.ts';
import { autoscalers, CLUSTER_LABEL, ownedKinds, pods as podKind, serviceMonitors } from './kinds.ts';
import type { NodeAddress, NodeClient } from './node-client.ts';

/** Nodes that are asked at the same time. */
const AT_ONCE = 16;

export interface Surroundings {
  readonly store: Store;
  readonly nodes: Pick<NodeClient, 'look'>;
  readonly facts: OperatorFacts;
  readonly hasServiceMonitors: boolean;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Asks all pods of the cluster; `statusAt` is when its status was written last, in milliseconds since 1970. */
export async function observe(
  cluster: KimCluster,
  status: KimClusterStatus | undefined,
  { store, nodes, facts, hasServiceMonitors }: Surroundings,
  { statusAt, signal }: { readonly statusAt: number; readonly signal: AbortSignal },
): Promise<Observed> {
  const { namespace, name } = cluster.metadata;
  const isOfCluster = ({ metadata }: KubeObject) => metadata.labels?.[CLUSTER_LABEL] === name;
  const kinds = hasServiceMonitors ? [...ownedKinds, serviceMonitors] : ownedKinds;
  const pods = store.list<Pod>(podKind, namespace).filter(isOfCluster);
  return {
    now: Date.now(),
    hash,
    operator: facts,
    objects: kinds.flatMap((kind) => store.list<Manifest>(kind, namespace).filter(isOfCluster)),
    pods,
    nodes: await lookAtAll(cluster, pods, nodes, signal),
    autoscalers: store.list<Manifest>(autoscalers, namespace),
    hasServiceMonitors,
    statusAt,
    status,
  };
}

async function lookAtAll(
  cluster: KimCluster,
  pods: readonly Pod[],
  nodes: Pick<NodeClient, 'look'>,
  signal: AbortSignal,
): Promise<Map<string, NodeView>> {
  const found = new Map<string, NodeView>();
  const waiting = pods.map((pod) => addressOfPod(cluster, pod)).filter((address) => address !== undefined);
  const lookOnes = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      const view = await nodes.look(node, signal);
      if (view !== undefined) found.set(node.name, view);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, lookOnes));
  return found;
}

/** Where the node of a pod is asked; undefined for one without an address, and for those of ZooKeeper. */
export function addressOfPod(cluster: KimCluster, { metadata, status }: Pod): NodeAddress | undefined {
  const tier = metadata.labels?.[COMPONENT_LABEL];
  const host = status?.podIP;
  if ((tier !== 'gate' && tier !== 'logic') || host === undefined || host === '') return undefined;
  return { name: metadata.name, host, port: portsOf(cluster, tier).admin };
}

/** Adds objects that have a wanted name and not the label: they may be somebody else's. */
export function withFound(observed: Observed, found: readonly Manifest[]): Observed {
  const known = new Set(observed.objects.map((object) => `${kindName(object)} ${object.metadata.name}`));
  return { ...observed, objects: [...observed.objects, ...found.filter((one) => !known.has(`${kindName(one)} ${one.metadata.name}`))] };
}
