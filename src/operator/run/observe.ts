// What a plan is made from: the operator's copies of everything, and what the nodes themselves say.

import { createHash } from 'node:crypto';
import { controllerOf, keyOf, kindName, type KubeObject } from '../../kube/types.ts';
import type { Store } from '../engine/store.ts';
import type { KimCluster } from '../../config/cluster-schema.ts';
import { COMPONENT_LABEL, nameOf } from '../plan/names.ts';
import { CONTAINER } from '../plan/pod.ts';
import { portsOf } from '../plan/pod-config.ts';
import type { Manifest, NodeView, Observed, OperatorFacts, Pod } from '../plan/types.ts';
import type { KimClusterStatus } from '../status-types.ts';
import { autoscalers, ownedKinds, pods as podKind, serviceMonitors } from './kinds.ts';
import type { NodeAddress, NodeClient } from './node-client.ts';

/** Nodes that are asked at the same time: their answers are short, but they might not be. */
const AT_ONCE = 4;
/** For all nodes of a cluster together: many that do not answer shall not hold up other clusters. */
const LOOK_MS = 10_000;

export interface Surroundings {
  readonly store: Store;
  readonly nodes: Pick<NodeClient, 'look'>;
  readonly facts: OperatorFacts;
  readonly hasServiceMonitors: boolean;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Known {
  /** When the status was written last, in milliseconds since 1970. */
  readonly statusAt: number;
  /** How the nodes were seen the last time. */
  readonly nodes?: Observed['nodes'] | undefined;
  readonly signal: AbortSignal;
}

/** Asks all pods of the cluster. */
export async function observe(
  cluster: KimCluster,
  status: KimClusterStatus | undefined,
  { store, nodes, facts, hasServiceMonitors }: Surroundings,
  { statusAt, nodes: before, signal }: Known,
): Promise<Observed> {
  const key = keyOf(cluster);
  const kinds = hasServiceMonitors ? [...ownedKinds, serviceMonitors] : ownedKinds;
  const pods = store.of<Pod>(podKind, key).filter((pod) => isMadeFor(cluster, pod));
  return {
    now: Date.now(),
    hash,
    operator: facts,
    objects: kinds.flatMap((kind) => store.of<Manifest>(kind, key)),
    pods,
    nodes: await lookAtAll(cluster, pods, { nodes, before, signal }),
    autoscalers: store.list<Manifest>(autoscalers, cluster.metadata.namespace),
    hasServiceMonitors,
    statusAt,
    status,
  };
}

/** Whether a pod was made by a workload of the cluster. Others may bear its labels, copies to look into for example: they are none of our business. */
export function isMadeFor(cluster: KimCluster, pod: KubeObject): boolean {
  const controller = controllerOf(pod);
  if (controller?.kind === 'StatefulSet') return controller.name === nameOf(cluster, 'zookeeper');
  const isOf = (tier: 'gate' | 'logic') => controller?.name.startsWith(`${nameOf(cluster, tier)}-`) === true;
  return controller?.kind === 'ReplicaSet' && (isOf('gate') || isOf('logic'));
}

async function lookAtAll(
  cluster: KimCluster,
  pods: readonly Pod[],
  { nodes, before, signal }: Pick<Surroundings, 'nodes'> & { readonly before: Known['nodes']; readonly signal: AbortSignal },
): Promise<Map<string, NodeView>> {
  const found = new Map<string, NodeView>();
  const waiting = pods.map((pod) => addressOfPod(cluster, pod)).filter((address) => address !== undefined);
  const within = AbortSignal.any([AbortSignal.timeout(LOOK_MS), signal]);
  const lookOnes = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      const view = await nodes.look(node, { before: before?.get(node.name), signal: within });
      if (view !== undefined) found.set(node.name, view);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, lookOnes));
  return found;
}

interface WithPorts {
  readonly containers?: readonly {
    readonly name: string;
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  }[];
}

/** Where the node of a pod is asked; undefined for one without an address or that has ended, and for those of ZooKeeper. */
export function addressOfPod(cluster: KimCluster, { metadata, spec, status }: Pod): NodeAddress | undefined {
  const tier = metadata.labels?.[COMPONENT_LABEL];
  const host = status?.podIP;
  if ((tier !== 'gate' && tier !== 'logic') || host === undefined || host === '') return undefined;
  // its address may be another one's by now
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  return { name: metadata.name, host, port: adminPortOf(spec) ?? portsOf(cluster, tier).admin };
}

/** A pod of an earlier revision has the ports that the spec had then. */
export function adminPortOf(spec: Pod['spec']): number | undefined {
  const { containers = [] } = (spec ?? {}) as WithPorts;
  const ports = containers.find(({ name }) => name === CONTAINER)?.ports ?? [];
  return ports.find(({ name }) => name === 'admin')?.containerPort;
}

/** Adds objects that have a wanted name and not the label: they may be somebody else's. */
export function withFound(observed: Observed, found: readonly Manifest[]): Observed {
  const known = new Set(observed.objects.map((object) => `${kindName(object)} ${object.metadata.name}`));
  return { ...observed, objects: [...observed.objects, ...found.filter((one) => !known.has(`${kindName(one)} ${one.metadata.name}`))] };
}
