// What kubectl kim shows of a KimCluster: its state, its pods, what moves, what is wrong and what to do.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodLook } from '../../../src/cli/kube/ask.ts';
import { drainedLine, progressLine } from '../../../src/cli/kube/drain-watch.ts';
import { foundLine } from '../../../src/cli/kube/find.ts';
import type { ClusterObject } from '../../../src/cli/kube/objects.ts';
import { progressOn } from '../../../src/cli/kube/progress.ts';
import { statusBlock, statusJson, type ClusterView } from '../../../src/cli/kube/status-text.ts';
import { topLines } from '../../../src/cli/kube/top-text.ts';
import { painter } from '../../../src/cli/terminal.ts';
import type { Condition, KimClusterStatus } from '../../../src/operator/status-types.ts';
import { command, look, nodeStatus, STARTED } from './status.ts';

const plain = painter(false, {});
const NOW = STARTED + 100_000;

const well: readonly (readonly [string, Condition['status'], string, string])[] = [
  ['Ready', 'True', 'AllReady', 'all gates and logic nodes are ready'],
  ['Available', 'True', 'MinimumAvailable', 'clients are served'],
  ['Progressing', 'False', 'Idle', 'everything is as the spec says'],
  ['Degraded', 'False', 'AsExpected', 'nothing needs a person'],
  ['ConfigValid', 'True', 'Valid', 'the spec can be followed as it is'],
  ['Paused', 'False', 'NotPaused', 'changes are followed'],
  ['DiscoveryHealthy', 'True', 'Reached', 'kubernetes is reached by all nodes'],
];

function conditions(...changed: (readonly [string, Condition['status'], string, string])[]): Condition[] {
  return well.map((usual) => {
    const [type, status, reason, message] = changed.find(([name]) => name === usual[0]) ?? usual;
    return { type, status, reason, message, lastTransitionTime: new Date(STARTED).toISOString() };
  });
}

function cluster(more: Partial<KimClusterStatus> = {}, generation = 3): ClusterObject {
  const tier = { replicas: 1, ready: 1, updated: 1, workers: 2, connections: 12, draining: [], selector: '' };
  return {
    apiVersion: 'kimserver.io/v1alpha1',
    kind: 'KimCluster',
    metadata: { name: 'demo', namespace: 'shop', generation, creationTimestamp: new Date(STARTED).toISOString() },
    status: {
      observedGeneration: 3,
      conditions: conditions(),
      summary: { gates: '1/1', logics: '1/1', workers: '2+2', connections: 12, draining: 0, discovery: 'kubernetes ok' },
      endpoint: 'demo-gate.shop:3355',
      gate: tier,
      logic: tier,
      versions: { current: '0.1.0', operator: '0.1.0' },
      discovery: { primary: { name: 'kubernetes', healthy: true }, active: 'kubernetes' },
      ...more,
    },
  };
}

function pod(tier: 'gate' | 'logic', seconds: number | string, more: Partial<PodLook['pod']['metadata']> = {}): PodLook {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `demo-${tier}-1`,
      namespace: 'shop',
      uid: tier,
      creationTimestamp: new Date(STARTED).toISOString(),
      labels: { 'app.kubernetes.io/component': tier },
      annotations: { 'kimserver.io/revision': 'abc' },
      ...more,
    },
    spec: { nodeName: 'one' },
    status: { phase: 'Running', podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] },
  };
  if (typeof seconds === 'string') return { pod: object, problem: seconds };
  const replies = { 1001: command({ 0: 500 * seconds }) };
  return { pod: object, look: look(seconds, nodeStatus({ connections: 12, commands: replies }, { type: tier })) };
}

const view = (object: ClusterObject, pods: readonly PodLook[], before: readonly PodLook[] = []): ClusterView => ({
  cluster: object,
  pods,
  before,
});
const shown = (object: ClusterObject, pods: readonly PodLook[], before?: readonly PodLook[]): string =>
  statusBlock(view(object, pods, before), NOW, plain).join('\n');

test('a cluster that is well shows its tiers and pods, and that nothing has to be done', () => {
  const text = shown(cluster(), [pod('gate', 100), pod('logic', 100)], [pod('gate', 99), pod('logic', 99)]);
  assert.match(text, /^demo \(namespace shop\) {2}ready {2}version 0\.1\.0 {2}age 1 min$/m);
  assert.match(text, /^gates {7}1 of 1 ready, 2 workers, 12 connections$/m);
  assert.match(text, /^clients {5}connect to demo-gate\.shop:3355$/m);
  assert.match(text, /^discovery {3}kubernetes is reached by all nodes$/m);
  assert.match(text, /^gate {3}demo-gate-1 {3}one {3}serving {2}yes {10}1 {7}12 {4}500 {2}0\.1\.0 {4}abc {7}1 min$/m);
  assert.match(text, /^now {9}nothing moves$/m);
  assert.match(text, /^next {8}nothing has to be done$/m);
  assert.doesNotMatch(text, /wrong|not asked/);
});

test('what is wrong is said once, with what a person does about it, for this very cluster', () => {
  const why = 'demo-gate-1: ImagePullBackOff';
  const broken = cluster({
    conditions: conditions(
      ['Degraded', 'True', 'ImagePullFailed', why],
      ['Ready', 'False', 'GateNotReady', why],
      ['Paused', 'True', 'PausedByAnnotation', 'nothing is changed'],
    ),
  });
  const text = shown(broken, []);
  assert.equal(text.split(why).length, 2, text);
  assert.match(text, /^wrong {7}ImagePullFailed: demo-gate-1: ImagePullBackOff$/m);
  assert.match(text, /^next {8}correct "spec\.image"/m);
  assert.match(text, /"kubectl annotate kimcluster demo kimserver\.io\/pause-"/);
  assert.match(text, /^no pods yet$/m);
});

test('what moves is told with the numbers of the node itself, which are newer than the status', () => {
  const draining = [
    { pod: 'demo-gate-1', cause: 'ScaleDown' as const, connections: 90, startedAt: '', estimatedEnd: new Date(NOW + 20_000).toISOString() },
  ];
  const moving = cluster(
    {
      conditions: conditions(['Progressing', 'True', 'Draining', 'gate: demo-gate-1 drains; 1 pod stays']),
      gate: { ...cluster().status!.gate!, draining },
    },
    4,
  );
  const text = shown(moving, [pod('gate', 100)]);
  assert.match(text, /the operator has not acted on generation 4 yet; it is at 3/);
  assert.match(text, /demo-gate-1 drains \(fewer replicas\): 12 connections left, over in at/);
  assert.match(text, /^gates .* 1 draining$/m);
});

test('pods that do not answer are named with the reason, those with the same one together', () => {
  const silent = [pod('gate', 'no answer within 3 s'), pod('logic', 'no answer within 3 s')];
  const text = shown(cluster(), silent);
  assert.match(text, /^not asked {3}demo-gate-1, demo-logic-1: no answer within 3 s$/m);
  assert.match(text, /^gate {3}demo-gate-1 .* yes +- +- +- /m);
});

test('a cluster that no operator has seen says where to look', () => {
  const { status: _none, ...fresh } = cluster();
  const text = shown(fresh, []);
  assert.match(text, /^next {8}no operator has looked at it yet; see "kubectl get pods -A/m);
});

test('as data it has the same, number for number', () => {
  const data = statusJson(view(cluster(), [pod('gate', 100)], [pod('gate', 98)]), NOW) as {
    ready: boolean;
    pods: { pod: string; clients: number; requestsPerSecond: number; ageSeconds: number }[];
    next: string[];
  };
  assert.equal(data.ready, true);
  assert.deepEqual(data.next, ['nothing has to be done']);
  const [first] = data.pods;
  assert.deepEqual([first?.pod, first?.clients, first?.requestsPerSecond, first?.ageSeconds], ['demo-gate-1', 12, 500, 100]);
});

test('top shows what each pod does, the sums of the gates, and fits into its terminal', () => {
  const options = { now: NOW, columns: 120, rows: 24, paint: plain, hint: 'q ends' };
  const one = topLines({ ...options, view: view(cluster(), [pod('gate', 100), pod('logic', 100)], [pod('gate', 99)]) });
  assert.match(one.join('\n'), /^demo {2}ready {2}gates 1\/1 {2}logic nodes 1\/1 {2}kubernetes ok$/m);
  assert.match(one.join('\n'), /^clients 12 {2}req\/s 500 {2}failed\/s 0 /m);
  assert.match(one.join('\n'), /^demo-gate-1 {3}serving .* 12 .* 500 /m);
  const many = Array.from({ length: 80 }, (_, i) => pod('gate', i % 2 === 0 ? 100 : 'gone', { name: `demo-gate-${i}`, uid: `${i}` }));
  const lines = topLines({ ...options, view: view(cluster(), many), problem: 'cannot get it' });
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.match(lines.join('\n'), /^\.\.\. \d+ more$/m);
  assert.match(lines.join('\n'), /^demo-gate-1 {3}serving\?|^demo-gate-1 +running\? +- /m);
  assert.equal(lines[2], 'cannot get it');
  assert.deepEqual(
    lines.filter((line) => line.length > 120),
    [],
  );
  const narrow = topLines({ ...options, columns: 60, view: view(cluster(), [pod('gate', 100)]) });
  assert.match(narrow.join('\n'), /^POD +STATE +CPU +CLIENTS +REQ\/S +P99$/m);
});

test('a drain tells how many clients are left, and when it will be over at its pace or at the latest', () => {
  const counts = [
    { at: NOW - 10_000, clients: 200 },
    { at: NOW, clients: 100 },
  ];
  assert.equal(progressLine('a', counts, NOW + 60_000, NOW), 'a drains: 100 of 200 clients left, over in about 10 s');
  assert.equal(progressLine('a', counts, NOW + 5000, NOW), 'a drains: 100 of 200 clients left, over in about 5 s');
  assert.equal(progressLine('a', counts.slice(0, 1), undefined, NOW), 'a drains: 200 of 200 clients left');
  assert.match(progressLine('a', [], NOW, NOW), /does not answer/);
  assert.equal(progressLine('a', [{ at: NOW, clients: 0 }], NOW, NOW), 'a drains: no clients left; it ends');
  const gone = { pod: 'a', clients: 200, forced: 0, seconds: 12, came: ['b'] };
  assert.equal(drainedLine(gone), 'a is gone after 12 s, and its 200 clients went elsewhere; b takes its place');
  assert.equal(drainedLine({ ...gone, forced: 3, came: [] }), 'a is gone after 12 s, 3 of its clients were cut off');
  assert.equal(drainedLine({ ...gone, clients: 0, came: [] }), 'a is gone after 12 s and had no clients');
});

test('a user is found on a pod, its machine and worker; a node that is no pod is named by its address', () => {
  const found = { user: '7', cluster: 'demo', pod: 'demo-gate-1', machine: 'one', worker: 2, node: '10.0.0.7:3344.2' };
  const since = new Date(NOW - 65_000).toISOString();
  assert.equal(
    foundLine({ ...found, since, remote: '192.0.2.1:5000' }, NOW),
    'user 7 is connected to demo-gate-1 (on one), worker 2, from 192.0.2.1:5000, for 1 min',
  );
  assert.match(foundLine({ ...found, pod: undefined }, NOW), /to the node 10\.0\.0\.7:3344\.2, which is no pod of demo, worker 2$/);
});

test('progress is one line on a terminal, and a line now and then elsewhere', () => {
  let now = 0;
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const log = progressOn({ write }, () => now);
  for (const line of ['1', '2']) log.show(line);
  now = 5000;
  for (const line of ['1', '3']) log.show(line);
  log.end();
  assert.deepEqual(written.splice(0), ['1\n', '3\n']);
  const terminal = progressOn({ write, isTTY: true, columns: 5 });
  terminal.show('123456');
  terminal.end();
  assert.deepEqual(written, ['\r\x1b[K1234', '\r\x1b[K']);
});
