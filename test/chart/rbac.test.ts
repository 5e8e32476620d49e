// What the operator may do: the chart gives exactly what this table says, in the whole cluster or in the namespaces that are listed.

import assert from 'node:assert/strict';
import test from 'node:test';
import { rights, rightsAtHome, rightsOfCluster, type Right } from '../../scripts/support/chart/rights.ts';
import { parseDocument } from '../../src/config/yaml.ts';
import { template } from '../support/kube/helm.ts';
import { noHelm } from '../support/kube/needs.ts';

const timeout = 15 * 60_000;
const skip = noHelm;

const look = ['get', 'list', 'watch'];
const own = [...look, 'create', 'patch', 'delete'];

/** Group, resource (with the only name, where there is one), verbs. */
const inNamespaces: readonly (readonly [string, string, readonly string[]])[] = [
  ['', 'configmaps', own],
  ['', 'pods', [...look, 'patch', 'delete']],
  ['', 'serviceaccounts', own],
  ['', 'services', own],
  ['apps', 'deployments', own],
  ['apps', 'statefulsets', own],
  ['autoscaling', 'horizontalpodautoscalers', look],
  ['discovery.k8s.io', 'endpointslices', look],
  ['events.k8s.io', 'events', ['create', 'patch']],
  ['kimserver.io', 'kimclusters', [...look, 'patch']],
  ['kimserver.io', 'kimclusters/finalizers', ['update']],
  ['kimserver.io', 'kimclusters/status', ['get', 'patch']],
  ['monitoring.coreos.com', 'servicemonitors', own],
  ['networking.k8s.io', 'networkpolicies', own],
  ['policy', 'poddisruptionbudgets', own],
  ['rbac.authorization.k8s.io', 'rolebindings', own],
  ['rbac.authorization.k8s.io', 'roles', own],
];
const onItsOwn: typeof inNamespaces = [
  ['', 'secrets=kim-kimserver-operator-key', ['get', 'patch']],
  ['coordination.k8s.io', 'leases', ['create']],
  ['coordination.k8s.io', 'leases=kim-kimserver-operator', ['get', 'update', 'patch']],
];
const ofCluster: typeof inNamespaces = [['apiextensions.k8s.io', 'customresourcedefinitions=kimclusters.kimserver.io', ['get']]];

test('the operator of a whole cluster has a ClusterRole with this, and Roles for its own things', { skip, timeout }, async () => {
  const given = rightsOf(await objects());
  assert.deepEqual(
    given,
    new Map([
      ['*', [...inNamespaces, ...ofCluster].map(line).sort()],
      ['kimserver', onItsOwn.map(line).sort()],
    ]),
  );
});

test('the operator of some namespaces has the same in each of them, and nothing elsewhere', { skip, timeout }, async () => {
  const given = rightsOf(await objects('--set=namespaces={a,b},rbac.crdReader=false'));
  assert.deepEqual(
    given,
    new Map([
      ['a', inNamespaces.map(line).sort()],
      ['b', inNamespaces.map(line).sort()],
      ['kimserver', onItsOwn.map(line).sort()],
    ]),
  );
});

test('the documents give a reason for each of these rights, and for no other', () => {
  const said = (all: readonly Right[]) =>
    all.flatMap(({ group, resources, only, verbs }) => resources.map((resource) => line([group, only ? `${resource}=` : resource, verbs])));
  const given = (all: typeof inNamespaces) => all.map(([group, resource, verbs]) => line([group, resource.replace(/=.*/, '='), verbs]));
  assert.deepEqual(said(rights).sort(), given(inNamespaces).sort());
  assert.deepEqual(said(rightsAtHome).sort(), given(onItsOwn).sort());
  assert.deepEqual(said(rightsOfCluster).sort(), given(ofCluster).sort());
});

test('no right is without a limit', { skip, timeout }, async () => {
  for (const { rules = [] } of await objects()) {
    for (const { apiGroups, resources, verbs } of rules) {
      const words = [...apiGroups, ...resources, ...verbs];
      for (const word of ['*', 'bind', 'escalate', 'impersonate']) assert.ok(!words.includes(word), JSON.stringify(words));
    }
  }
});

test('people who may view or edit a namespace may do so with its KimClusters', { skip, timeout }, async () => {
  const roles = (await objects()).filter(({ metadata }) =>
    Object.keys(metadata.labels ?? {}).some((label) => label.includes('aggregate-to')),
  );
  const rights = roles.map(({ metadata, rules = [] }) => [
    metadata.name,
    Object.keys(metadata.labels ?? {})
      .flatMap((label) => /aggregate-to-(\w+)/.exec(label)?.[1] ?? [])
      .sort()
      .join(' '),
    [...new Set(rules.flatMap(({ verbs }) => verbs))].join(' '),
  ]);
  assert.deepEqual(
    rights.sort(([a = ''], [b = '']) => a.localeCompare(b)),
    [
      ['kimserver-kim-kimserver-operator-edit', 'admin edit', 'get list watch create update patch delete deletecollection'],
      ['kimserver-kim-kimserver-operator-view', 'admin edit view', 'get list watch'],
    ],
  );
});

test('those who may only view ask pods where that was chosen, and change nothing even then', { skip, timeout }, async () => {
  const rulesOf = async (...args: readonly string[]) =>
    (await objects(...args)).find(({ metadata }) => metadata.name.endsWith('-operator-view'))?.rules?.flatMap(lines);
  const usual = ['kimclusters', 'kimclusters/status', 'kimclusters/scale'].map((name) => `kimserver.io/${name}: get list watch`);
  assert.deepEqual(await rulesOf(), usual);
  assert.deepEqual(await rulesOf('--set=rbac.viewersAskPods=true'), [...usual, '/pods/proxy: get']);
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

async function objects(...args: readonly string[]): Promise<Rendered[]> {
  const text = await template('helm', ['--set=crds.install=false,tests.enabled=false', ...args]);
  return text.split(/^---\n/m).flatMap((document) => (parseDocument(document).toJS() as Rendered | null) ?? []);
}

/** What the service account of the operator may do, by namespace; `*` is everywhere. */
function rightsOf(all: readonly Rendered[]): Map<string, string[]> {
  const rights = new Map<string, string[]>();
  for (const { roleRef, subjects, metadata } of all) {
    if (roleRef === undefined) continue;
    assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name: 'kim-kimserver-operator', namespace: 'kimserver' }]);
    const role = all.find(
      (one) => one.kind === roleRef.kind && one.metadata.name === roleRef.name && one.metadata.namespace === metadata.namespace,
    );
    const place = metadata.namespace ?? '*';
    rights.set(place, [...(rights.get(place) ?? []), ...(role?.rules ?? []).flatMap(lines)].sort());
  }
  return new Map([...rights].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lines({ apiGroups, resources, resourceNames, verbs }: Rule): string[] {
  const names = resourceNames === undefined ? '' : `=${resourceNames.join('+')}`;
  return apiGroups.flatMap((apiGroup) => resources.map((resource) => line([apiGroup, `${resource}${names}`, verbs])));
}

function line([apiGroup, resource, verbs]: readonly [string, string, readonly string[]]): string {
  return `${apiGroup}/${resource}: ${verbs.join(' ')}`;
}
