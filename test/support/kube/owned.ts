// Everything that a KimCluster became, as far as it is the operator's, and how people who do not know that change it.

import type { KubeObject } from './kube.ts';
import type { Scene } from './scene.ts';

/** An object as a text, without what the server and its controllers write. */
export type Shape = string;

interface Whole extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly [field: string]: unknown;
}

const KINDS = 'configmaps,services,serviceaccounts,deployments,poddisruptionbudgets,networkpolicies,roles,rolebindings';

/** By kind and name. */
export async function everythingOf(scene: Scene, cluster: string): Promise<Map<string, Shape>> {
  const { items } = JSON.parse(await scene.kube.kubectl('-n', scene.namespace, 'get', KINDS, '-o', 'json')) as { items: Whole[] };
  const own = items.filter(({ metadata }) =>
    metadata.ownerReferences?.some((owner) => owner.kind === 'KimCluster' && owner.name === cluster),
  );
  return new Map(own.map((object) => [`${object.kind} ${object.metadata.name}`, shapeOf(object)]));
}

function shapeOf({ metadata, status: _status, ...rest }: Whole): Shape {
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {};
  return JSON.stringify({ ...rest, labels: metadata.labels, annotations, owners: metadata.ownerReferences });
}

/** What people change: the kind, the name, and a merge patch. */
export function handEdits(cluster: string): [kind: string, name: string, patch: object][] {
  const gate = `${cluster}-gate`;
  const logic = `${cluster}-logic`;
  return [
    ['configmap', `${gate}-live`, { data: { 'node.json': '{}' } }],
    ['service', `${logic}-nodes`, { spec: { publishNotReadyAddresses: false, selector: { 'app.kubernetes.io/component': 'nobody' } } }],
    ['serviceaccount', gate, { metadata: { labels: { 'kimserver.io/cluster': null } } }],
    ['deployment', logic, { spec: { minReadySeconds: 77, strategy: { rollingUpdate: { maxSurge: 5 } } } }],
    ['poddisruptionbudget', gate, { spec: { maxUnavailable: 0 } }],
    ['networkpolicy', logic, { spec: { ingress: [] } }],
    ['role', gate, { rules: [] }],
    ['rolebinding', logic, { subjects: [] }],
  ];
}
