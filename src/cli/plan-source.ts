// What a plan is made from when people ask for it: what a cluster has, read once, or nothing at all.

import { createHash } from 'node:crypto';
import { changeProblems } from '../config/cluster-changes.ts';
import { clusterOf } from '../config/cluster.ts';
import type { KimCluster } from '../config/cluster-schema.ts';
import { ConfigError } from '../config/error.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/error.ts';
import { pathOf, type Kind, type KubeList, type KubeObject } from '../kube/types.ts';
import type { NodeStatus } from '../ops/snapshot.ts';
import { COMPONENT_LABEL } from '../operator/plan/names.ts';
import { portsOf } from '../operator/plan/pod-config.ts';
import type { Manifest, NodeView, Observed, OperatorFacts, Pod } from '../operator/plan/types.ts';
import { autoscalers, CLUSTER_LABEL, kimClusters, ownedKinds, pods as podKind, serviceMonitors } from '../operator/run/kinds.ts';
import { adminPortOf, isMadeFor } from '../operator/run/observe.ts';
import type { KimClusterStatus } from '../operator/status-types.ts';
import { version } from '../version.ts';

const ASK_MS = 3000;
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** An operator that has just been installed. */
const newOperator: OperatorFacts = {
  version,
  namespace: 'kimserver-system',
  podLabels: {},
  image: `kimserver:${version}`,
  zookeeperImage: 'zookeeper:3.9',
  publicKey: '',
  imageVolumes: false,
};

/** A cluster that has nothing yet. `now` is in milliseconds since 1970. */
export function nothing(now: number): Observed {
  const none = { objects: [], pods: [], nodes: new Map<string, NodeView>(), autoscalers: [] };
  return { now, hash, operator: newOperator, ...none, hasServiceMonitors: false, statusAt: 0, status: undefined };
}

export interface Found {
  /** The KimCluster of the file with what Kubernetes knows of it. */
  readonly cluster: KimCluster;
  readonly observed: Observed;
  /** Why the API server would not take the file in place of what is there: sentences. */
  readonly refused: readonly string[];
  /** Gates whose connections nobody could ask; their shares are guessed. */
  readonly unasked: readonly string[];
}

type Client = Pick<KubeClient, 'get'>;
type Live = KubeObject & { readonly status?: KimClusterStatus };

/** Reads what there is of a cluster. Throws a KubeError. */
export async function lookAt(file: KimCluster, namespace: string, client: Client, now: number): Promise<Found> {
  const { name } = file.metadata;
  const live = await getOr<Live | undefined>(client, pathOf(kimClusters, { namespace, name }), undefined);
  const cluster = {
    ...file,
    metadata: { ...file.metadata, namespace, ...(live && { uid: live.metadata.uid, generation: live.metadata.generation }) },
  };
  const listed = <T>(kind: Kind, labelSelector?: string) => list<T>(client, kind, namespace, labelSelector);
  const ours = `${CLUSTER_LABEL}=${name}`;
  const [monitors, scalers, labelled, ...owned] = await Promise.all([
    listed<Manifest>(serviceMonitors, ours),
    listed<Manifest>(autoscalers),
    listed<Pod>(podKind, ours),
    ...ownedKinds.map((kind) => listed<Manifest>(kind, ours)),
  ]);
  const objects = [...owned.flatMap((items) => items ?? []), ...(monitors ?? [])];
  const pods = (labelled ?? []).filter((pod) => isMadeFor(cluster, pod));
  const { nodes, unasked } = await askNodes(cluster, pods, live?.status, client);
  const observed: Observed = {
    ...nothing(now),
    operator: factsFrom(objects),
    objects,
    pods,
    nodes,
    autoscalers: scalers ?? [],
    hasServiceMonitors: monitors !== undefined,
    status: live?.status,
  };
  return { cluster, observed, unasked, refused: live === undefined ? [] : refusedChanges(live, file) };
}

function refusedChanges(live: Live, file: KimCluster): string[] {
  try {
    return changeProblems(clusterOf(live, live.metadata.name).cluster, file);
  } catch (error) {
    // what is there can not be understood, so anything may come in its place
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** Undefined where the API server does not know the kind. */
async function list<T>(
  client: Client,
  { apiVersion, kind, ...more }: Kind,
  namespace: string,
  labelSelector?: string,
): Promise<T[] | undefined> {
  const path = pathOf({ apiVersion, kind, ...more }, { namespace });
  const found = await getOr<KubeList<T> | undefined>(client, path, undefined, labelSelector);
  // items of a list do not say what they are
  return found && (found.items ?? []).map((item) => ({ apiVersion, kind, ...item }));
}

async function getOr<T>(client: Client, path: string, otherwise: T, labelSelector?: string): Promise<T> {
  try {
    return await client.get<T>(path, { query: { labelSelector } });
  } catch (error) {
    if (isNotFound(error)) return otherwise;
    throw error;
  }
}

/** Through the API server, which not everybody may ask; of those that do not answer the status of the cluster knows the sum. */
async function askNodes(
  cluster: KimCluster,
  pods: readonly Pod[],
  status: KimClusterStatus | undefined,
  client: Client,
): Promise<{ nodes: Map<string, NodeView>; unasked: string[] }> {
  const nodes = new Map<string, NodeView>();
  const asked = pods.flatMap(({ metadata: { name, labels = {} }, spec }) => {
    const tier = labels[COMPONENT_LABEL];
    if (tier !== 'gate' && tier !== 'logic') return [];
    // pods that are there may have another port than new ones would
    return [{ name, tier, port: adminPortOf(spec) ?? portsOf(cluster, tier).admin }];
  });
  await Promise.all(
    asked.map(async ({ name, port }) => {
      const { namespace } = cluster.metadata;
      const path = pathOf(podKind, { namespace, name: `${name}:${port}`, part: 'proxy' });
      try {
        const { state, version: runs, totals, cluster: links } = await client.get<NodeStatus>(`${path}/status`, { timeoutMs: ASK_MS });
        nodes.set(name, viewOf(state, totals.connections - links.links.incoming, runs));
      } catch {
        // whoever asks may not be let through, or the node does not run yet
      }
    }),
  );
  const unasked = asked.filter(({ name, tier }) => tier === 'gate' && !nodes.has(name)).map(({ name }) => name);
  const known = [...nodes.values()].reduce((sum, { connections }) => sum + connections, 0);
  const share = Math.ceil(Math.max(0, (status?.gate?.connections ?? 0) - known) / Math.max(1, unasked.length));
  for (const name of unasked) nodes.set(name, viewOf('serving', share, ''));
  return { nodes, unasked };
}

/** What changes in running nodes is told from their ConfigMap, so nothing is said of their options. */
function viewOf(state: NodeView['state'], connections: number, runs: string): NodeView {
  return {
    state,
    connections,
    workers: 0,
    version: runs,
    config: {},
    replies: 0,
    failures: 0,
    accepted: 0,
    broken: 0,
    lostDirectories: [],
  };
}

interface Policy {
  readonly ingress?: readonly {
    readonly from?: readonly {
      readonly namespaceSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
      readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    }[];
  }[];
}

interface Pods {
  readonly template?: { readonly spec?: { readonly volumes?: readonly { readonly name: string; readonly image?: object }[] } };
}

/** How the operator was installed, as far as it shows in what it made. */
function factsFrom(objects: readonly Manifest[]): OperatorFacts {
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const keys = ofKind('ConfigMap').map(({ data }) => (data as Readonly<Record<string, string>> | undefined)?.['KIM_ADMIN_PUBLIC_KEY']);
  const peers = ofKind('NetworkPolicy').flatMap(({ spec }) => ((spec as Policy).ingress ?? []).flatMap(({ from = [] }) => from));
  const namespaceIn = ({ namespaceSelector }: (typeof peers)[number]) => namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
  const operator = peers.find((peer) => namespaceIn(peer) !== undefined);
  const volumes = ofKind('Deployment').flatMap(({ spec }) => (spec as Pods).template?.spec?.volumes ?? []);
  return {
    ...newOperator,
    publicKey: keys.find((key) => key !== undefined) ?? '',
    ...(operator && { namespace: namespaceIn(operator)!, podLabels: operator.podSelector?.matchLabels ?? {} }),
    imageVolumes: volumes.some(({ name, image }) => name === 'kimserver-modules' && image !== undefined),
  };
}
