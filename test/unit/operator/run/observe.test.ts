// Which pods the operator takes for those of a KimCluster, and where it asks them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindName } from '../../../../src/kube/types.ts';
import { Store } from '../../../../src/operator/engine/store.ts';
import type { NodeView, Pod } from '../../../../src/operator/plan/types.ts';
import { keysOfLabel, pods as podKind } from '../../../../src/operator/run/kinds.ts';
import type { NodeAddress } from '../../../../src/operator/run/node-client.ts';
import { addressOfPod, observe } from '../../../../src/operator/run/observe.ts';
import { kim, operator, SMALL } from '../plan/support.ts';

const cluster = kim(SMALL);
const byReplicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'demo-gate-6bf9', uid: 'u-rs', controller: true };

interface Shape {
  readonly owner?: object | undefined;
  readonly tier?: string;
  readonly phase?: string;
  readonly ports?: readonly object[];
  readonly host?: string;
}

function pod(name: string, { owner = byReplicaSet, tier = 'gate', phase = 'Running', ports = [], host = '10.0.0.7' }: Shape = {}): Pod {
  const labels = { 'kimserver.io/cluster': 'demo', 'app.kubernetes.io/instance': 'demo', 'app.kubernetes.io/component': tier };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `u-${name}`, labels, ownerReferences: [owner] } as Pod['metadata'],
    spec: { containers: [{ name: 'kimserver', ports }] } as unknown as NonNullable<Pod['spec']>,
    status: { phase, podIP: host },
  };
}

async function seen(...all: readonly Pod[]): Promise<{ pods: string[]; asked: NodeAddress[] }> {
  const store = new Store(new Map([[kindName(podKind), keysOfLabel]]));
  const changes = all.map((after) => ({ key: `shop/${after.metadata.name}`, before: undefined, after }));
  store.take(podKind, changes);
  const asked: NodeAddress[] = [];
  const nodes = {
    look: (node: NodeAddress): Promise<NodeView | undefined> => {
      asked.push(node);
      return Promise.resolve(undefined);
    },
  };
  const surroundings = { store, nodes, facts: operator, hasServiceMonitors: false };
  const { pods } = await observe(cluster, undefined, surroundings, { statusAt: 0, signal: new AbortController().signal });
  return { pods: pods.map(({ metadata }) => metadata.name), asked };
}

test('pods that bear the labels and were not made for the cluster are none of its business, and are not asked', async () => {
  const other = { ...byReplicaSet, name: 'shop-6bf9' };
  const { pods, asked } = await seen(
    pod('mine'),
    pod('somebody-elses', { owner: other }),
    pod('a-copy-to-look-into', { owner: { ...byReplicaSet, controller: false } }),
    pod('of-a-job', { owner: { ...byReplicaSet, kind: 'Job' } }),
    pod('demo-zookeeper-0', { tier: 'zookeeper', owner: { ...byReplicaSet, kind: 'StatefulSet', name: 'demo-zookeeper' } }),
  );
  assert.deepEqual(pods, ['mine', 'demo-zookeeper-0']);
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['mine'],
  );
});

test('a pod of an earlier revision is asked on the port that it has', () => {
  const ports = [
    { name: 'client', containerPort: 4000 },
    { name: 'admin', containerPort: 10_000 },
  ];
  assert.equal(addressOfPod(cluster, pod('old', { ports }))?.port, 10_000);
  assert.equal(addressOfPod(cluster, pod('unknown'))?.port, 9355);
});

test('a pod that has ended is not asked: its address may be another one by now', () => {
  for (const phase of ['Succeeded', 'Failed']) assert.equal(addressOfPod(cluster, pod('ended', { phase })), undefined);
  assert.equal(addressOfPod(cluster, pod('pending', { phase: 'Pending', host: '' })), undefined);
  assert.equal(addressOfPod(cluster, pod('zookeeper', { tier: 'zookeeper' })), undefined);
});
