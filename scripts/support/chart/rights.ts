// What the operator may do, each right with its reason: the rules of the chart and the tables of the documents come from here.

import { markdownTable } from '../../../src/config/markdown.ts';

export interface Right {
  /** API group; empty is that of pods and Services. */
  readonly group: string;
  readonly resources: readonly string[];
  /** Only the one of this name, in the words of the chart. */
  readonly only?: string;
  readonly verbs: readonly string[];
  readonly why: string;
}

const look = ['get', 'list', 'watch'] as const;
/** Server-side apply is a patch, also where it makes an object; "create" is asked for then. */
const own = [...look, 'create', 'patch', 'delete'] as const;

/** Where it looks after KimClusters: in the whole cluster, or in each namespace of the list. */
export const rights: readonly Right[] = [
  {
    group: 'kimserver.io',
    resources: ['kimclusters'],
    verbs: [...look, 'patch'],
    why: 'to read what is wanted; to patch is for its finalizer, where `deletionPolicy: Drain` asks for one',
  },
  { group: 'kimserver.io', resources: ['kimclusters/status'], verbs: ['get', 'patch'], why: 'to say how the cluster is' },
  {
    group: 'kimserver.io',
    resources: ['kimclusters/finalizers'],
    verbs: ['update'],
    why: 'to be named as the owner of what it makes, where the API server asks for that right (OwnerReferencesPermissionEnforcement)',
  },
  {
    group: 'apps',
    resources: ['deployments', 'statefulsets'],
    verbs: own,
    why: 'gates and logic nodes, and the ZooKeeper that it runs for them',
  },
  {
    group: '',
    resources: ['services', 'configmaps', 'serviceaccounts'],
    verbs: own,
    why: 'where clients connect and nodes find each other; what nodes read; as whom they run',
  },
  {
    group: 'rbac.authorization.k8s.io',
    resources: ['roles', 'rolebindings'],
    verbs: own,
    why: 'with Kubernetes discovery its pods may read EndpointSlices. It can give no right that it has not itself: it has neither `bind` nor `escalate`',
  },
  {
    group: 'policy',
    resources: ['poddisruptionbudgets'],
    verbs: own,
    why: 'how many pods may be away while machines are drained',
  },
  { group: 'networking.k8s.io', resources: ['networkpolicies'], verbs: own, why: 'who may reach which port of the pods' },
  {
    group: 'monitoring.coreos.com',
    resources: ['servicemonitors'],
    verbs: own,
    why: 'where the cluster knows them and `spec.monitoring` asks for one',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: [...look, 'patch', 'delete'],
    why: 'to see them, to mark the one that is to go (annotations), and to remove one that has drained',
  },
  {
    group: 'discovery.k8s.io',
    resources: ['endpointslices'],
    verbs: look,
    why: 'not for itself: nobody can give what he does not have, and pods get it for discovery',
  },
  {
    group: 'autoscaling',
    resources: ['horizontalpodautoscalers'],
    verbs: look,
    why: 'to say so when one aims at a Deployment instead of the KimCluster',
  },
  {
    group: 'events.k8s.io',
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'to tell what happens; a patch counts what happens again',
  },
];

/** In its own namespace. */
export const rightsAtHome: readonly Right[] = [
  { group: 'coordination.k8s.io', resources: ['leases'], verbs: ['create'], why: 'leader election: what is to be made can not be named' },
  {
    group: 'coordination.k8s.io',
    resources: ['leases'],
    only: 'its own',
    verbs: ['get', 'update', 'patch'],
    why: 'leader election: of several operators one works',
  },
  {
    group: '',
    resources: ['secrets'],
    only: 'that of its key',
    verbs: ['get', 'patch'],
    why: 'the private key that signs what nodes are told; it reads no other Secret',
  },
];

/** In the whole cluster, also where it looks after some namespaces only (`rbac.crdReader`). */
export const rightsOfCluster: readonly Right[] = [
  {
    group: 'apiextensions.k8s.io',
    resources: ['customresourcedefinitions'],
    only: 'kimclusters.kimserver.io',
    verbs: ['get'],
    why: 'whether the definition is as new as the operator; without this right it goes on and says so in its log',
  },
];

/** Three tables in Markdown, by where the rights hold. */
export function rightsTables(): string {
  return [
    'Where it looks after KimClusters (a ClusterRole, or a Role in each of `namespaces`):',
    table(rights),
    'In its own namespace:',
    table(rightsAtHome),
    'In the whole cluster:',
    table(rightsOfCluster),
  ].join('\n\n');
}

function table(rows: readonly Right[]): string {
  return markdownTable(
    ['API group', 'what', 'may', 'why'],
    rows.map(({ group, resources, only, verbs, why }) => [
      group === '' ? '(core)' : group,
      `${resources.join(', ')}${only === undefined ? '' : `: ${only}`}`,
      verbs.join(', '),
      why,
    ]),
  );
}

/** templates/_rules.tpl, after its first line. */
export function rulesTemplate(): string {
  const lines = rights.map(({ group, resources, verbs }) =>
    [`- apiGroups: [${group === '' ? "''" : group}]`, `  resources: [${resources.join(', ')}]`, `  verbs: [${verbs.join(', ')}]`].join(
      '\n',
    ),
  );
  return [
    '{{- define "kimserver.rules" -}}',
    ...lines,
    '{{- with .Values.rbac.extraRules }}',
    '{{ toYaml . }}',
    '{{- end }}',
    '{{- end -}}',
    '',
  ].join('\n');
}
