// The kinds of objects that the operator watches and writes.

import type { Kind, KubeObject } from '../../kube/types.ts';

export const kimClusters: Kind = { apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', plural: 'kimclusters' };
export const pods: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
export const secrets: Kind = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' };
export const autoscalers: Kind = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers' };
export const serviceMonitors: Kind = { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', plural: 'servicemonitors' };

/** What a KimCluster becomes, apart from its pods. */
export const ownedKinds: readonly Kind[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' },
  { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' },
  { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings' },
];

/** Everything with it belongs to the KimCluster of that name in the same namespace. */
export const CLUSTER_LABEL = 'kimserver.io/cluster';

/** The KimCluster that an object belongs to by its label, if any. */
export function keysOfLabel({ metadata: { namespace = '', labels } }: KubeObject): string[] {
  const name = labels?.[CLUSTER_LABEL];
  return name === undefined ? [] : [`${namespace}/${name}`];
}
