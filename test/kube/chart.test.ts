// The chart on a real API server: what it renders is accepted, and a release is installed, upgraded, rolled back and removed.

import assert from 'node:assert/strict';
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { folderOf, kim } from '../support/kim.ts';
import { CHART, helms, runHelm, template, type Helm } from '../support/kube/helm.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import type { Kube } from '../support/kube/kube.ts';
import { noControlPlane, noHelm } from '../support/kube/needs.ts';
import { startOperator } from '../support/kube/operated.ts';
import { root } from '../../scripts/support/project.ts';

const skip = noControlPlane === false ? noHelm : noControlPlane;
/** Helm has to be built the first time. */
const timeout = 15 * 60_000;

const SPACE = 'kimserver';
const OPERATOR = 'kim-kimserver-operator';
const ACCOUNT = `system:serviceaccount:${SPACE}:${OPERATOR}`;
const KEY = `${OPERATOR}-key`;
const CRD = 'kimclusters.kimserver.io';

const controlPlane = controlPlaneOfFile();

/** Kinds of the Prometheus operator, as far as the chart makes objects of them. */
function monitoringKind(kind: string, plural: string): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

test(
  'whatever values it gets, the API server accepts all of it, and restricted pod security has nothing to say',
  { skip, timeout },
  async () => {
    const { kube } = controlPlane();
    const namespaces = [SPACE, 'team-a', 'team-b', 'monitoring'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' } },
    }));
    await kube.apply([
      ...namespaces,
      monitoringKind('ServiceMonitor', 'servicemonitors'),
      monitoringKind('PrometheusRule', 'prometheusrules'),
    ]);
    await kube.kubectl(
      'wait',
      '--for=condition=Established',
      'crd/servicemonitors.monitoring.coreos.com',
      'crd/prometheusrules.monitoring.coreos.com',
    );
    // pods need the account that they name, also on trial
    for (const [name, space] of [
      ['kim-kimserver-test', SPACE],
      ['lobby-test', SPACE],
      ['kim-kimserver-test', 'team-a'],
    ]) {
      await kube.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }], space);
    }
    for (const file of globSync(`${CHART}/ci/*-values.yaml`)) {
      const text = await template('helm', ['-f', file]);
      const { code, stderr } = await kube.tryKubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], text);
      assert.deepEqual([code, stderr], [0, ''], basename(file));
    }
    const plain = ['apply', '--server-side', '--dry-run=server', '-f', '-'];
    const { stderr } = await kube.tryKubectl(plain, readFileSync(`${root}/manifests/operator.yaml`, 'utf8'));
    assert.equal(stderr, '');
  },
);

for (const [first, second] of [
  ['helm', 'helm'],
  ['helm3', 'helm3'],
  ['helm3', 'helm'],
] as const) {
  test(
    `${first} installs a release, ${second} upgrades it, rolls it back and removes it; clusters and the key stay`,
    { skip, timeout },
    async (t) => {
      const { kube } = controlPlane();
      t.after(() => forget(kube));
      await helm(kube, first, 'install', 'kim', CHART, '--create-namespace');
      await kube.kubectl('wait', '--for=condition=Established', `crd/${CRD}`);
      await kube.apply(readFileSync(`${root}/manifests/quickstart.yaml`, 'utf8'));
      const key = Buffer.from('a key of the operator').toString('base64');
      await kube.kubectl('-n', SPACE, 'patch', 'secret', KEY, '--type=merge', '-p', JSON.stringify({ data: { key } }));
      const before = await release(kube);
      assert.deepEqual(before.budgets, []);

      await helm(kube, second, 'upgrade', 'kim', CHART, '--set=replicas=2,logLevel=debug');
      const upgraded = await release(kube);
      assert.deepEqual(upgraded, { ...before, replicas: 2, args: replaced(before.args, '--log-level=debug'), budgets: [OPERATOR] });

      await helm(kube, second, 'rollback', 'kim', '1');
      assert.deepEqual(await release(kube), before);
      assert.equal(before.key, key);

      await helm(kube, second, 'uninstall', 'kim', '--wait');
      const left = await kube.kubectl(
        '-n',
        SPACE,
        'get',
        'deployments,services,poddisruptionbudgets,serviceaccounts,roles,rolebindings',
        '--selector=app.kubernetes.io/instance=kim',
        '-o=name',
      );
      assert.equal(left, '');
      const ofCluster = await kube.kubectl('get', 'clusterroles,clusterrolebindings', '-o=name');
      assert.ok(!ofCluster.includes('kim'), ofCluster);
      assert.match(await kube.kubectl('get', 'kimcluster', 'demo', '-o=name'), /kimcluster.kimserver.io\/demo/);

      // again: what was left is taken over
      await helm(kube, second, 'install', 'kim', CHART);
      assert.deepEqual(await release(kube), before);
      // who wants it all to go says so
      await helm(kube, second, 'upgrade', 'kim', CHART, '--set=crds.keep=false');
      await helm(kube, second, 'uninstall', 'kim', '--wait');
      const { stderr } = await kube.tryKubectl(['get', 'crd', CRD]);
      assert.match(stderr, /NotFound/);
    },
  );
}

test('a release of another name takes over what an earlier one has left, when it is told to', { skip, timeout }, async (t) => {
  const { kube } = controlPlane();
  t.after(() => forget(kube));
  await helm(kube, 'helm', 'install', 'kim', CHART, '--create-namespace');
  await helm(kube, 'helm', 'uninstall', 'kim', '--wait');
  await assert.rejects(helm(kube, 'helm', 'install', 'other', CHART), /invalid ownership metadata/);
  t.after(() => runHelm('helm', ['uninstall', 'other', `--namespace=${SPACE}`, '--ignore-not-found'], kube.kubeconfig));
  await helm(kube, 'helm', 'install', 'other', CHART, '--take-ownership', `--set=signingKeySecret=${KEY}`);
  const account = `--as=system:serviceaccount:${SPACE}:other-kimserver-operator`;
  assert.match(await kube.kubectl('auth', 'can-i', 'get', `secrets/${KEY}`, '-n', SPACE, account), /^yes/);
  const secrets = await kube.kubectl('-n', SPACE, 'get', 'secrets', '--field-selector=type=Opaque', '-o=name');
  assert.equal(secrets.trim(), `secret/${KEY}`);
});

test(
  'the operator may do what its rules say on the real API server, and can not give itself or others more',
  { skip, timeout },
  async (t) => {
    const { kube } = controlPlane();
    t.after(() => forget(kube));
    await helm(kube, 'helm', 'install', 'kim', CHART, '--create-namespace');
    const can = async (...what: string[]) => (await kube.tryKubectl(['auth', 'can-i', `--as=${ACCOUNT}`, ...what])).stdout.trim();
    for (const verb of ['create', 'patch', 'delete']) assert.equal(await can(verb, 'deployments.apps', '-n', 'default'), 'yes', verb);
    assert.equal(await can('patch', 'kimclusters.kimserver.io', '--subresource=status', '-n', 'default'), 'yes');
    assert.equal(await can('get', `secrets/${KEY}`, '-n', SPACE), 'yes');
    assert.equal(await can('get', `crd/${CRD}`), 'yes');
    for (const what of [
      ['list', 'secrets'],
      ['get', 'secrets/other'],
      ['create', 'pods'],
      ['create', 'pods/exec'],
      ['delete', 'kimclusters.kimserver.io'],
      ['get', 'nodes'],
    ])
      assert.equal(await can(...what, '-n', SPACE), 'no', what.join(' '));

    const role = (resources: string[], apiGroups: string[]) => [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'demo' },
        rules: [{ apiGroups, resources, verbs: ['get', 'list', 'watch'] }],
      },
    ];
    const apply = (objects: readonly object[]) =>
      kube.tryKubectl(
        ['apply', '--server-side', `--as=${ACCOUNT}`, '-n', 'default', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      );
    const allowed = await apply(role(['endpointslices'], ['discovery.k8s.io']));
    assert.equal(allowed.code, 0, allowed.stderr);
    const refused = await apply(role(['secrets'], ['']));
    assert.match(refused.stderr, /attempting to grant RBAC permissions not currently held/);
  },
);

test(
  'an operator ends where the definition is missing or older than itself, and the commands that it names cure that',
  { skip, timeout },
  async (t) => {
    const { kube } = controlPlane();
    t.after(() => forget(kube));
    const refused = async (complaint: RegExp) => {
      const ports = ['--health-port=0', '--metrics-port=0'];
      const { code, err } = await kim(['operator', `--kubeconfig=${kube.kubeconfig}`, '--lease-namespace=default', ...ports]);
      assert.equal(code, 255, err);
      assert.match(err, complaint);
      const [, command = ''] = /kubectl (apply --server-side -f \S+)/.exec(err) ?? [];
      return { cure: () => kube.kubectl(...command.split(' ')) };
    };
    const starts = async () => {
      const operator = await startOperator(kube, { image: 'kimserver:0.1.0', namespace: 'default', namespaces: ['default'] });
      await operator.stop();
    };
    const older = (text: string) => text.replace(/(crd-revision: )"1"/, '$1"0"');
    const none = await refused(/does not know KimClusters/);
    await none.cure();
    await starts();
    await kube.kubectl('delete', 'crd', CRD);

    const text = older(readFileSync(`${root}/crds/${CRD}.yaml`, 'utf8'));
    await kube.tryKubectl(['apply', '--server-side', '-f', '-'], text);
    const old = await refused(/of revision 0, this operator writes fields of revision 1/);
    await old.cure();
    await starts();
    await kube.kubectl('delete', 'crd', CRD);

    const chart = join(folderOf(t, {}), 'kimserver');
    cpSync(CHART, chart, { recursive: true });
    const template = `${chart}/templates/crds/${CRD}.yaml`;
    writeFileSync(template, older(readFileSync(template, 'utf8')));
    await helm(kube, 'helm', 'install', 'kim', chart, '--create-namespace');
    await refused(/or upgrade the chart with crds\.install/);
    await helm(kube, 'helm', 'upgrade', 'kim', CHART);
    await starts();
  },
);

function helm(kube: Kube, which: Helm, command: string, name: string, ...args: readonly string[]): Promise<string> {
  return runHelm(which, [command, name, ...args, `--namespace=${SPACE}`], kube.kubeconfig);
}

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  };
}

/** What an upgrade changes, and what it must not change. */
async function release(kube: Kube) {
  const { spec } = await kube.get<Deployment>(`/apis/apps/v1/namespaces/${SPACE}/deployments/${OPERATOR}`);
  const { data } = await kube.get<{ data?: Record<string, string> }>(`/api/v1/namespaces/${SPACE}/secrets/${KEY}`);
  const budgets = await kube.get<{ items: { metadata: { name: string } }[] }>(`/apis/policy/v1/namespaces/${SPACE}/poddisruptionbudgets`);
  const cluster = await kube.tryKubectl(['get', 'kimcluster', 'demo', '-o=jsonpath={.metadata.uid}']);
  return {
    replicas: spec.replicas,
    args: spec.template.spec.containers[0]!.args,
    key: data?.['key'],
    budgets: budgets.items.map(({ metadata }) => metadata.name),
    cluster: cluster.stdout,
  };
}

function replaced(args: readonly string[], arg: string): string[] {
  const [name] = arg.split('=');
  return args.map((one) => (one.startsWith(`${name}=`) ? arg : one));
}

/** Takes away what a release leaves behind. */
async function forget(kube: Kube): Promise<void> {
  await kube.tryKubectl(['delete', 'kimclusters,secrets', '--all', '-A', '--wait=false']);
  for (const one of helms) await runHelm(one, ['uninstall', 'kim', `--namespace=${SPACE}`, '--ignore-not-found'], kube.kubeconfig);
  await kube.kubectl('delete', 'crd', CRD, '--ignore-not-found');
}
