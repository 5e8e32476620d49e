// What everything that is made of a KimCluster is called and how it is marked. Never rename: what runs is found by these.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import type { KubeMeta, OwnerReference } from '../../kube/types.ts';

export type Component = Tier | 'zookeeper';

const CLUSTER_LABEL = 'kimserver.io/cluster';
export const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** What the operator writes on objects and pods. */
export const marks = {
  /** On pod templates, pods and Deployments: the pod template, as a hash. */
  revision: 'kimserver.io/revision',
  /** On a pod: since when it drains, why, and when its node had started: "2026-11-21T08:00:00.000Z ScaleDown 2026-11-20T23:15:01.000Z". */
  draining: 'kimserver.io/draining',
  /** On a Deployment that was lowered: the pod that is meant to go. */
  leaving: 'kimserver.io/leaving',
  /** On a Deployment: a revision whose rollout paused itself, and why. */
  stalled: 'kimserver.io/stalled-revision',
  stalledReason: 'kimserver.io/stalled-reason',
  /** Kubernetes' own: what is cheaper goes first. */
  deletionCost: 'controller.kubernetes.io/pod-deletion-cost',
} as const;

/** What people write on a KimCluster. */
export const wishes = {
  pause: 'kimserver.io/pause',
  adopt: 'kimserver.io/adopt',
  forceScale: 'kimserver.io/force-scale',
  forceDelete: 'kimserver.io/force-delete',
  dryRun: 'kimserver.io/dry-run',
  /** The revision whose rollout goes on although it paused itself. */
  resume: 'kimserver.io/resume-rollout',
} as const;

export const FINALIZER = 'kimserver.io/drain';

/** Whether an annotation of the KimCluster is set, to anything but "false". */
export function isWished(cluster: KimCluster, wish: keyof typeof wishes): boolean {
  const value = cluster.metadata.annotations?.[wishes[wish]];
  return value !== undefined && value !== 'false' && value !== '';
}

/** "demo-gate", "demo-gate-nodes". */
export function nameOf(cluster: KimCluster, component: Component, suffix?: string): string {
  return [cluster.metadata.name, component, ...(suffix === undefined ? [] : [suffix])].join('-');
}

export function namespaceOf({ metadata }: KimCluster): string {
  return metadata.namespace ?? 'default';
}

/** Labels that pods are found by; they never change. */
export function selectorOf(cluster: KimCluster, component?: Component): Record<string, string> {
  return { [CLUSTER_LABEL]: cluster.metadata.name, ...(component && { [COMPONENT_LABEL]: component }) };
}

/** Slices of the Services of the cluster; those of nodes among them have a port "node". */
export const nodesSelector = ({ metadata }: KimCluster): string => `${CLUSTER_LABEL}=${metadata.name}`;

/** As a text: for the scale subresource. */
export function selectorText(cluster: KimCluster, component: Component): string {
  return Object.entries(selectorOf(cluster, component))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

export function labelsOf(cluster: KimCluster, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': component === 'zookeeper' ? 'zookeeper' : 'kimserver',
    'app.kubernetes.io/instance': cluster.metadata.name,
    'app.kubernetes.io/part-of': 'kimserver',
    'app.kubernetes.io/managed-by': 'kimserver-operator',
    ...selectorOf(cluster, component),
  };
}

/** That the object goes with its KimCluster, and that the operator decides about it. */
function ownerOf({ apiVersion, kind, metadata }: KimCluster): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

interface More {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Metadata of an object of the cluster; `more` can not take the place of what the operator needs. */
export function metaOf(cluster: KimCluster, component: Component, name: string, { labels, annotations }: More = {}): KubeMeta {
  return {
    name,
    namespace: namespaceOf(cluster),
    labels: { ...labels, ...labelsOf(cluster, component) },
    ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
    ownerReferences: [ownerOf(cluster)],
  };
}

/** Whether an object is ours to apply: it obeys this KimCluster, or nobody and may be taken over. */
export function isOursOrFree(cluster: KimCluster, object: { readonly metadata: KubeMeta }): boolean {
  const isFree = !(object.metadata.ownerReferences ?? []).some(({ controller }) => controller === true);
  return isOurs(cluster, object) || (isFree && isWished(cluster, 'adopt'));
}

/** Whether an object obeys this KimCluster and no other, nor an earlier one of its name. */
export function isOurs(cluster: KimCluster, { metadata }: { readonly metadata: KubeMeta }): boolean {
  const { uid } = cluster.metadata;
  return (
    uid !== undefined && uid !== '' && (metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
  );
}
