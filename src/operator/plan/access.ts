// As whom the pods run and what they may do in Kubernetes: nothing, or to look where the others are.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { hasKubernetesDiscovery } from './directories.ts';
import { metaOf, nameOf, namespaceOf, type Component } from './names.ts';
import type { Manifest } from './types.ts';

const RBAC = 'rbac.authorization.k8s.io';

export function accessOf(cluster: KimCluster, component: Component): Manifest[] {
  const name = nameOf(cluster, component);
  const metadata = metaOf(cluster, component, name);
  const account: Manifest = { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false };
  if (component === 'zookeeper' || !hasKubernetesDiscovery(cluster)) return [account];
  return [
    account,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: namespaceOf(cluster) }],
    },
  ];
}
