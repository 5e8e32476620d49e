// The CustomResourceDefinition of KimClusters on a real API server: what it takes, what it refuses and why, and what it shows.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { clusterOf, parseCluster } from '../../src/config/cluster.ts';
import { CRD_NAME, customResourceDefinition } from '../../src/operator/crd/crd.ts';
import type { KimClusterStatus } from '../../src/operator/status-types.ts';
import { bad, badChanges, goodChanges } from '../support/bad-clusters.ts';
import { defineClusters, definition } from '../support/cluster-definition.ts';
import { clusterObject, good, type Part } from '../support/cluster-objects.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import type { Kube } from '../support/kube/kube.ts';
import { noControlPlane } from '../support/kube/needs.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();
const root = new URL('../../', import.meta.url);
const collection = (space: string) => `/apis/kimserver.io/v1alpha1/namespaces/${space}/kimclusters`;

let defined: Promise<void> | undefined;

/** The API server, which knows KimClusters. */
async function server(): Promise<Kube> {
  const { kube } = plane();
  await (defined ??= defineClusters(kube));
  return kube;
}

interface Rule {
  readonly rule: string;
}

interface Judged {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: Part;
  readonly status?: Part;
}

/** What the API server would make of it. */
async function created(object: object): Promise<Judged> {
  const kube = await server();
  const { code, stdout, stderr } = await kube.tryKubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(object));
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Judged;
}

async function refusal(verb: 'create' | 'replace', object: object): Promise<string> {
  const kube = await server();
  const { code, stderr } = await kube.tryKubectl([verb, '--dry-run=server', '-f', '-'], JSON.stringify(object));
  return code === 0 ? '' : stderr;
}

test('the definition is taken as structural, with nothing to complain about', { skip }, async () => {
  const crd = await (
    await server()
  ).get<{ metadata: { name: string }; status: { conditions: { type: string; status: string }[] } }>(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD_NAME}`,
  );
  const conditions = Object.fromEntries(crd.status.conditions.map(({ type, status }) => [type, status]));
  assert.deepEqual(conditions, { NamesAccepted: 'True', Established: 'True' });
  const { code, stderr } = await (await server()).tryKubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], definition);
  assert.deepEqual([code, stderr], [0, '']);
});

test('the rules cost at most a quarter of what the API server lets them cost', { skip }, async () => {
  const kube = await server();
  // the same rules under the name of another kind, each four times; spaces make them different
  const dear = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(dear);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      key === 'x-kubernetes-validations'
        ? [0, 1, 2, 3].flatMap((i) => (inner as Rule[]).map((one) => ({ ...one, rule: one.rule + ' '.repeat(i) })))
        : dear(inner),
    ]);
    return Object.fromEntries(entries);
  };
  const other = JSON.stringify(dear(customResourceDefinition()))
    .replaceAll('kimcluster', 'dearcluster')
    .replaceAll('KimCluster', 'DearCluster');
  const { code, stderr } = await kube.tryKubectl(['create', '--dry-run=server', '-f', '-'], other);
  assert.deepEqual([code, stderr], [0, '']);
});

test('every KimCluster of manifests is taken', { skip }, async () => {
  const folder = new URL('manifests/', root);
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  assert.ok(files.includes('quickstart.yaml'));
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    if (!/^kind: KimCluster$/m.test(text)) continue;
    const { code, stderr } = await (await server()).tryKubectl(['create', '--dry-run=server', '-f', '-'], text);
    assert.deepEqual([code, stderr], [0, ''], file);
  }
});

test('what is not said is filled in, with what files get too', { skip }, async () => {
  const { spec } = await created(
    clusterObject({ discovery: { zookeeper: { managed: {} } }, gate: { routes: [{ commands: '1000-', to: 'logic' }] } }),
  );
  const update = { maxSurge: 1, maxUnavailable: 0, minReadySeconds: 0, progressDeadlineSeconds: 600, paused: false, pauseOnTrouble: true };
  const tier = { replicas: 1, workers: 1, modules: [], update, disruptionBudget: { enabled: true, maxUnavailable: 1 } };
  assert.deepEqual(spec, {
    gate: {
      ...tier,
      listeners: [{ name: 'client', port: 3355, codec: 'protobuf' }],
      routes: [{ commands: '1000-', to: 'logic', key: 'session', retry: 'ifNotSent', rate: 0 }],
      service: { type: 'ClusterIP' },
    },
    logic: tier,
    discovery: { zookeeper: { managed: { replicas: 3 } } },
    networkPolicy: { enabled: true },
    monitoring: { enabled: true },
    deletionPolicy: 'Delete',
  });
  for (const [what, object] of Object.entries(good)) {
    const { apiVersion, kind, metadata } = object;
    const filled = await created(object);
    assert.deepEqual(
      clusterOf({ apiVersion, kind, metadata, spec: filled.spec }, what).cluster.spec,
      parseCluster(JSON.stringify(object), what, 'kubernetes').cluster.spec,
      what,
    );
  }
});

test('what files may not hold is refused, with the field and the reason', { skip }, async () => {
  for (const [what, spec, field, reason] of bad) {
    const said = await refusal('create', clusterObject(spec));
    assert.notEqual(said, '', `${what} was not refused`);
    assert.ok(said.includes(field), `${what}: ${field} is not named in ${said}`);
    assert.match(said, reason, what);
  }
});

test('names that what is made of a cluster could not have are refused', { skip }, async () => {
  for (const name of ['a'.repeat(41), '1a', 'a.b']) {
    assert.match(
      await refusal('create', clusterObject({}, name)),
      /metadata\.name has more than 40 characters, does not begin with a letter/,
    );
    assert.throws(() => clusterOf(clusterObject({}, name), name));
  }
  assert.equal(await refusal('create', clusterObject({}, 'a'.repeat(40))), '');
});

test('what is fixed when a cluster is made can not be changed, and everything else can', { skip }, async (t) => {
  const kube = await server();
  const space = await kube.namespace(t);
  const inSpace = (spec: Part, name: string) => {
    const object = clusterObject(spec, name);
    return { ...object, metadata: { name, namespace: space } };
  };
  const names = [...badChanges, ...goodChanges].map((_, i) => `c${i}`);
  await kube.apply(
    [...badChanges, ...goodChanges].map(([, from], i) => inSpace(from, names[i]!)),
    space,
  );
  for (const [i, [what, , to, reason]] of badChanges.entries()) {
    assert.match(await refusal('replace', inSpace(to, names[i]!)), reason, what);
  }
  for (const [i, [what, , to]] of goodChanges.entries()) {
    assert.equal(await refusal('replace', inSpace(to, names[badChanges.length + i]!)), '', what);
  }
});

const now = '2026-01-02T03:04:05Z';
const tierStatus = {
  replicas: 3,
  ready: 3,
  updated: 3,
  workers: 6,
  connections: 1200,
  draining: [],
  selector: 'app.kubernetes.io/component=gate',
};
const status: KimClusterStatus = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'LogicNotReady',
      message: '4 of 5 logic nodes are ready',
      lastTransitionTime: now,
      observedGeneration: 1,
    },
    { type: 'Degraded', status: 'False', reason: 'AsExpected', message: '', lastTransitionTime: now },
  ],
  summary: { gates: '3/3', logics: '4/5', workers: '6+5', connections: 1200, draining: 1, discovery: 'zookeeper 3/3' },
  selector: tierStatus.selector,
  endpoint: 'demo-gate.default.svc:3355',
  gate: {
    ...tierStatus,
    revision: 'demo-gate-abc',
    draining: [{ pod: 'demo-gate-abc-1', cause: 'ScaleDown', connections: 17, startedAt: now }],
  },
  logic: { ...tierStatus, connections: 0 },
  versions: { current: '0.1.0', target: '0.1.0', operator: '0.1.0' },
  lastDrain: { pod: 'demo-gate-abc-2', moved: 300, closed: 2, forced: 0, seconds: 9, endedAt: now },
  discovery: { primary: { name: 'zookeeper', healthy: true }, active: 'zookeeper' },
  plan: { generation: 1, changes: ['Deployment demo-gate: replicas 3 -> 4'], connections: 0 },
};

test('the status is written beside the spec, and is what people see', { skip }, async (t) => {
  const kube = await server();
  const space = await kube.namespace(t);
  const path = `${collection(space)}/demo`;
  await kube.apply([clusterObject({ gate: { replicas: 3 } })], space);
  const before = await kube.get<Judged>(path);
  assert.equal(before.status, undefined);
  const meant = { ...before, status, spec: { gate: { listeners: [{ port: 1 }] } } };
  const { code, stderr } = await kube.tryKubectl(['replace', '--raw', `${path}/status`, '-f', '-'], JSON.stringify(meant));
  assert.deepEqual([code, stderr], [0, '']);
  const after = await kube.get<Judged>(path);
  assert.deepEqual([after.spec, after.metadata.generation], [before.spec, before.metadata.generation], 'the spec stays');
  assert.deepEqual(after.status, status, 'nothing of the status is lost');
  const shown = (await kube.kubectl('get', 'kim', '--namespace', space))
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));
  assert.deepEqual(shown[0], [
    'NAME',
    'GATES',
    'LOGICS',
    'WORKERS',
    'CONNECTIONS',
    'DRAINING',
    'DISCOVERY',
    'READY',
    'REASON',
    'VERSION',
    'AGE',
  ]);
  assert.deepEqual(shown[1]?.slice(0, -1), ['demo', '3/3', '4/5', '6+5', '1200', '1', 'zookeeper 3/3', 'False', 'LogicNotReady', '0.1.0']);
  assert.match(await kube.kubectl('get', 'kimserver', '--namespace', space), /demo/, 'all of its category');
  assert.match(await kube.kubectl('get', 'kim', '-o', 'wide', '--namespace', space), /demo-gate\.default\.svc:3355/);
  await kube.kubectl('wait', 'kim/demo', '--for=condition=Degraded=False', '--timeout=10s', '--namespace', space);
});

test('the number of gates can be read and set where autoscalers do', { skip }, async (t) => {
  const kube = await server();
  const space = await kube.namespace(t);
  const path = `${collection(space)}/demo`;
  await kube.apply([clusterObject({ gate: { replicas: 3 } })], space);
  const written = JSON.stringify({ ...(await kube.get<Judged>(path)), status });
  assert.equal((await kube.tryKubectl(['replace', '--raw', `${path}/status`, '-f', '-'], written)).code, 0);
  const scale = await kube.get<Judged>(`${path}/scale`);
  assert.deepEqual([scale.spec, scale.status], [{ replicas: 3 }, { replicas: 3, selector: status.selector }]);
  await kube.kubectl('scale', 'kim/demo', '--replicas=7', '--namespace', space);
  assert.equal(((await kube.get<Judged>(path)).spec['gate'] as { replicas: number }).replicas, 7);
  const { stderr } = await kube.tryKubectl(['scale', 'kim/demo', '--replicas=101', '--namespace', space]);
  assert.match(stderr, /spec\.gate\.replicas.*less than or equal to 100/);
});

test('kubectl explains every field', { skip }, async () => {
  const gate = await (await server()).kubectl('explain', 'kimcluster.spec.gate');
  assert.match(gate, /The gates, which clients connect to\./);
  assert.match(gate, /workers\s+<integer>\n\s+Worker processes, which serve the connections/);
  const all = await (await server()).kubectl('explain', 'kimcluster', '--recursive');
  for (const field of ['storage', 'loadBalancerSourceRanges', 'estimatedEnd', 'observedGeneration']) assert.ok(all.includes(field), field);
  assert.doesNotMatch(gate, /<empty>/);
});

test('a second version of an object does not lose what others own in its lists', { skip }, async (t) => {
  const kube = await server();
  const space = await kube.namespace(t);
  const variables = (...names: string[]) => clusterObject({ gate: { template: { env: names.map((name) => ({ name, value: name })) } } });
  const apply = (manager: string, object: Part) =>
    kube.tryKubectl(['apply', '--server-side', `--field-manager=${manager}`, '--namespace', space, '-f', '-'], JSON.stringify(object));
  assert.equal((await apply('one', variables('A'))).code, 0);
  const { apiVersion, kind, metadata } = clusterObject();
  const more = { apiVersion, kind, metadata, spec: { gate: { template: { env: [{ name: 'B', value: 'B' }] } } } };
  const { code, stderr } = await apply('two', more);
  assert.equal(code, 0, stderr);
  const { spec } = await kube.get<{ metadata: { name: string }; spec: { gate: { template: { env: unknown[] } } } }>(
    `${collection(space)}/demo`,
  );
  assert.equal(spec.gate.template.env.length, 2);
});
