// KimClusters and their pods as the commands of "kubectl kim" read them.

import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/error.ts';
import { pathOf, type Kind, type KubeList, type KubeObject } from '../../kube/types.ts';
import { COMPONENT_LABEL } from '../../operator/plan/names.ts';
import { CLUSTER_LABEL, kimClusters, pods as podKind } from '../../operator/run/kinds.ts';
import type { KimClusterStatus } from '../../operator/status-types.ts';
import { Failure, UsageError } from '../problem.ts';

export interface ClusterObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: KimClusterStatus;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

interface ContainerState {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

export interface PodObject extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly ContainerSpec[];
    readonly initContainers?: readonly ContainerSpec[];
    readonly terminationGracePeriodSeconds?: number;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerState[];
    readonly initContainerStatuses?: readonly ContainerState[];
  };
}

type Reader = Pick<KubeClient, 'get'>;

/** Of one namespace, or of all with `undefined`; in the order of their names. Items say what they are. */
export async function listOf<T extends KubeObject>(
  client: Reader,
  kind: Kind,
  namespace: string | undefined,
  labelSelector?: string,
): Promise<T[]> {
  const { items } = await client.get<KubeList<T>>(pathOf(kind, { namespace }), { query: { labelSelector } });
  const { apiVersion, kind: name } = kind;
  return (items ?? []).map((item) => ({ ...item, apiVersion, kind: name })).toSorted((a, b) => (nameIn(a) < nameIn(b) ? -1 : 1));
}

const nameIn = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** The one of that name, or all of a namespace, or of all namespaces. Throws a Failure where there is none. */
export async function clustersIn(client: Reader, namespace: string, name: string | undefined, all = false): Promise<ClusterObject[]> {
  if (name !== undefined && all) throw new UsageError(`-A is for all KimClusters, and "${name}" is one; give its namespace with -n`);
  if (name !== undefined) return [await clusterIn(client, namespace, name)];
  const found = await listOf<ClusterObject>(client, kimClusters, all ? undefined : namespace);
  if (found.length > 0) return found;
  const where = all ? 'any namespace' : `namespace ${namespace}; -n names another one, -A looks into all`;
  throw new Failure(`there is no KimCluster in ${where}`);
}

/** The one of that name, or the only one of the namespace. */
export async function theCluster(client: Reader, namespace: string, name: string | undefined): Promise<ClusterObject> {
  const [first, ...others] = await clustersIn(client, namespace, name);
  if (others.length === 0) return first!;
  const names = [first!, ...others].map(({ metadata }) => metadata.name).join(', ');
  throw new UsageError(`there are several KimClusters in namespace ${namespace}; name one of ${names}`);
}

async function clusterIn(client: Reader, namespace: string, name: string): Promise<ClusterObject> {
  try {
    return await client.get<ClusterObject>(pathOf(kimClusters, { namespace, name }));
  } catch (error) {
    if (!isNotFound(error) || /could not find the requested resource/.test((error as Error).message)) throw error;
    throw new Failure(`there is no KimCluster "${name}" in namespace ${namespace}; "kubectl get kim -A" lists all`, { cause: error });
  }
}

/** Pods that carry the label of a KimCluster, gates first. */
export async function podsOf(client: Reader, { metadata: { namespace, name } }: KubeObject): Promise<PodObject[]> {
  const found = await listOf<PodObject>(client, podKind, namespace, `${CLUSTER_LABEL}=${name}`);
  const order = ['gate', 'logic', 'zookeeper'];
  return found.toSorted((a, b) => order.indexOf(componentOf(a)) - order.indexOf(componentOf(b)));
}

/** gate, logic, zookeeper; empty for a pod that is none of ours. */
export function componentOf({ metadata }: KubeObject): string {
  return metadata.labels?.[COMPONENT_LABEL] ?? '';
}

/** Whether a pod runs a node, which has an admin server. */
export function isNode(pod: KubeObject): boolean {
  return ['gate', 'logic'].includes(componentOf(pod));
}
