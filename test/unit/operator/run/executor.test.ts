// What becomes of the actions of a plan: requests to the API server, and what pods are told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '../../../../src/kube/error.ts';
import { execute } from '../../../../src/operator/run/executor.ts';
import { NodeRefusal } from '../../../../src/operator/run/node-client.ts';
import type { Action } from '../../../../src/operator/plan/types.ts';

const cluster = {
  apiVersion: 'kimserver.io/v1alpha1',
  kind: 'KimCluster',
  metadata: { name: 'demo', namespace: 'shop', resourceVersion: '7', finalizers: ['example.com/other'] },
};
const kubeError = (status: number, reason: string) => new KubeError(reason, { status, reason });

interface World {
  readonly answer?: () => unknown;
  readonly told?: (path: string) => Error | undefined;
  readonly isLeader?: boolean;
  readonly hasAddress?: boolean;
}

/** What was asked of the API server and said to pods while the actions were done, and what went wrong. */
async function done(
  actions: readonly Action[],
  { answer = () => cluster, told = () => undefined, isLeader = true, hasAddress = true }: World = {},
) {
  const [requests, said, written]: [unknown[], unknown[], string[]] = [[], [], []];
  const client = {
    request: (method: string, path: string, { body }: { body: unknown }) => {
      requests.push([method, path, body]);
      const value = answer();
      return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
    },
  };
  const tools = {
    client,
    assertLeader: () => {
      if (!isLeader) throw new Error('the lease is lost');
    },
    guard: { wrote: (_key: string, { kind }: { kind: string }) => written.push(kind) },
  };
  const nodes = {
    tell: ({ name }: { name: string }, path: string, body: object) => {
      said.push([name, path, body]);
      const error = told(path);
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
  };
  const problem = await execute(actions, {
    key: 'shop/demo',
    tools: tools as never,
    nodes,
    cluster,
    address: (name) => (hasAddress ? { name, host: '10.0.0.7', port: 9355 } : undefined),
    signal: new AbortController().signal,
  }).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  return { requests, said, written, problem };
}

const drain: Action = { kind: 'drain', pod: 'a', cause: 'ScaleDown', seconds: 60, perSecond: 400 };

test('a pod is told how long it has to drain and how many clients the others can take, and to stay', async () => {
  const { said, problem } = await done([drain]);
  assert.deepEqual(said, [['a', '/drain', { seconds: 60, perSecond: 400, stay: true }]]);
  assert.equal(problem, undefined);
});

test('workers and settings are told with the generation that they are of', async () => {
  const { said } = await done([
    { kind: 'setWorkers', pod: 'a', count: 3, generation: 9 },
    { kind: 'setSettings', pod: 'b', config: { max_clients: 5 }, generation: 9 },
  ]);
  assert.deepEqual(said, [
    ['a', '/workers', { count: 3, generation: 9 }],
    ['b', '/settings', { config: { max_clients: 5 }, generation: 9 }],
  ]);
});

test('a pod that knows something newer, or drains already, is left alone; another refusal is told', async () => {
  const refusal = (status: number) => () => new NodeRefusal(status, `refused with ${status}`);
  assert.equal((await done([drain], { told: refusal(409) })).problem, undefined);
  assert.equal((await done([drain], { told: refusal(403) })).problem, 'refused with 403');
});

test('one pod that can not be reached holds up no other, and all that went wrong is told', async () => {
  const actions: Action[] = [drain, { ...drain, pod: 'b' }, { kind: 'annotate', pod: 'c', annotations: { x: 'y' } }];
  const { requests, said, problem } = await done(actions, { told: () => new Error('no route') });
  assert.deepEqual([requests.length, said.length, problem], [1, 2, 'no route; no route']);
});

test('who has lost the lease tells pods nothing', async () => {
  const { said, problem } = await done([drain], { isLeader: false });
  assert.deepEqual([said, problem], [[], 'the lease is lost']);
});

test('a pod without an address is told later', async () => {
  assert.deepEqual(await done([drain], { hasAddress: false }), { requests: [], said: [], written: [], problem: undefined });
});

test('annotations are merged into the pod, and waited for until they are read back', async () => {
  const { requests, written } = await done([{ kind: 'annotate', pod: 'a', annotations: { x: 'y' } }]);
  assert.deepEqual(requests, [['PATCH', '/api/v1/namespaces/shop/pods/a', { metadata: { annotations: { x: 'y' } } }]]);
  assert.deepEqual(written, ['Pod']);
});

test('a pod is deleted only if it is still the one that was meant', async () => {
  const { requests } = await done([{ kind: 'deletePod', pod: 'a', uid: 'u-1' }]);
  assert.deepEqual(requests, [
    ['DELETE', '/api/v1/namespaces/shop/pods/a', { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u-1' } }],
  ]);
});

test('the finalizer comes and goes beside those of others, of the very state that was seen', async () => {
  const { requests } = await done([{ kind: 'addFinalizer' }, { kind: 'removeFinalizer' }]);
  const path = '/apis/kimserver.io/v1alpha1/namespaces/shop/kimclusters/demo';
  assert.deepEqual(requests, [
    ['PATCH', path, { metadata: { finalizers: ['example.com/other', 'kimserver.io/drain'], resourceVersion: '7' } }],
    ['PATCH', path, { metadata: { finalizers: ['example.com/other'], resourceVersion: '7' } }],
  ]);
});

test('what is gone or has changed meanwhile is looked at again; what is forbidden is told', async () => {
  const action: Action = { kind: 'deletePod', pod: 'a', uid: 'u-1' };
  assert.equal((await done([action], { answer: () => kubeError(404, 'NotFound') })).problem, undefined);
  assert.equal((await done([action], { answer: () => kubeError(409, 'Conflict') })).problem, undefined);
  assert.equal((await done([action], { answer: () => kubeError(403, 'Forbidden') })).problem, 'Forbidden');
});
