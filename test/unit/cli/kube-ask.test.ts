// How kubectl kim asks pods and waits for one that drains: whatever becomes of one of them, the others are shown, and it is said why.

import assert from 'node:assert/strict';
import test from 'node:test';
import { adminPath, lookAtPods } from '../../../src/cli/kube/ask.ts';
import { watchDrain } from '../../../src/cli/kube/drain-watch.ts';
import type { PodObject } from '../../../src/cli/kube/objects.ts';
import { eachOf, type KubeSession } from '../../../src/cli/kube/session.ts';
import { KubeError } from '../../../src/kube/error.ts';
import { nodeStatus } from './status.ts';

const SLACK_MS = 60_000;

function pod(name: string, more: Partial<PodObject['metadata']> = {}, component = 'gate'): PodObject {
  const labels = { 'app.kubernetes.io/component': component, 'kimserver.io/cluster': 'demo' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name, labels, ...more },
    spec: { containers: [{ name: 'kimserver', ports: [{ name: 'admin', containerPort: 9400 }] }] },
    status: { podIP: '10.0.0.7' },
  };
}

const refusal = (status: number, reason = 'Unknown') => new KubeError('cannot get it', { status, reason });
const gone = () => Promise.reject(refusal(404, 'NotFound'));

/** Answers by path; what is missing is not there. */
function session(answers: (path: string) => Promise<unknown> | undefined): Pick<KubeSession, 'client'> {
  const get = (path: string) => answers(path) ?? gone();
  return { client: { get, text: get } as unknown as KubeSession['client'] };
}

test('each pod is asked by its admin port, and why one does not answer is told in a few words', async () => {
  const failing: Readonly<Record<string, () => Promise<unknown>>> = {
    good: () => Promise.resolve(nodeStatus()),
    forbidden: () => Promise.reject(refusal(403)),
    gone: () => gone(),
    late: () => Promise.reject(KubeError.own('Timeout', 'late')),
    cut: () => Promise.reject(refusal(503)),
    other: () => Promise.resolve({ name: 'something else' }),
    broken: () => Promise.reject(new Error('the network is down')),
  };
  const asked: string[] = [];
  const { client } = session((path) => {
    asked.push(path);
    return failing[/pods\/(\w+)%3A/.exec(path)![1]!]!();
  });
  const pods = [...Object.keys(failing).map((name) => pod(name)), pod('zookeeper', {}, 'zookeeper')];
  const looks = await lookAtPods(client, pods);
  assert.deepEqual(
    looks.map(({ pod: { metadata }, look, problem }) => [metadata.name, look?.status.name, problem?.split(';')[0]]),
    [
      ['good', 'demo-gate-0', undefined],
      ['forbidden', undefined, 'you may not ask pods'],
      ['gone', undefined, 'it is gone'],
      ['late', undefined, 'no answer within 5 s'],
      ['cut', undefined, 'the API server does not reach it'],
      ['other', undefined, 'it answers, but not with a status that this version of kubectl kim knows'],
      ['broken', undefined, 'the network is down'],
      ['zookeeper', undefined, undefined],
    ],
  );
  assert.equal(asked.length, 7);
  assert.equal(adminPath(pod('good'), '/status'), '/api/v1/namespaces/shop/pods/good%3A9400/proxy/status');
});

test('so many are asked at a time and no more, and answers stand in the order of the questions', async () => {
  let open = 0;
  let most = 0;
  const answers = await eachOf([3, 1, 2, 5, 4], 2, async (n) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return n * 10;
  });
  assert.deepEqual(answers, [30, 10, 20, 50, 40]);
  assert.equal(most, 2);
});

const watching = { say: () => undefined, signal: new AbortController().signal, lookMs: 0 };

/** A pod that is there for so many looks, with as many clients as they say; a newer one after it. */
function leaving(counts: readonly number[], endsAt: number): Pick<KubeSession, 'client'> {
  const left = [...counts];
  const own = pod('a', { deletionTimestamp: new Date(endsAt).toISOString() });
  return session((path) => {
    if (path.endsWith('/pods')) return Promise.resolve({ items: [pod('b', { creationTimestamp: new Date().toISOString() })] });
    if (path.endsWith('/status')) return Promise.resolve(nodeStatus({ connections: left.shift()! }));
    return left.length === 0 ? undefined : Promise.resolve(own);
  });
}

test('a drain ends when its pod is gone, with what became of its clients and who came', async () => {
  const result = await watchDrain(leaving([20, 10, 0], Date.now() + SLACK_MS), pod('a'), watching);
  assert.deepEqual(result, { pod: 'a', clients: 20, forced: 0, seconds: 0, came: ['b'] });
});

test('who looks on at a drain later is told of all of it', async () => {
  const told = { deletionTimestamp: new Date(Date.now() + 10_000).toISOString() };
  const late = { ...pod('a', told), spec: { containers: [], terminationGracePeriodSeconds: 40 } };
  const { seconds } = await watchDrain(leaving([0], Date.now() + SLACK_MS), late, watching);
  assert.ok(seconds >= 29, `${seconds}`);
});

test('clients that a pod still had when its time was over were cut off', async () => {
  const result = await watchDrain(leaving([20, 7], Date.now() - 1), pod('a'), watching);
  assert.equal(result.forced, 7);
});

test('an API server that is away for a moment ends no drain', async () => {
  const own = leaving([20, 10, 0], Date.now() + SLACK_MS);
  let looks = 0;
  const said: string[] = [];
  const flaky = session((path) => {
    if (path.endsWith('/pods/a') && ++looks === 2) return Promise.reject(KubeError.own('Unreachable', 'connection refused'));
    return own.client.get(path);
  });
  const result = await watchDrain(flaky, pod('a'), { ...watching, say: (line) => void said.push(line) });
  assert.equal(result.clients, 20);
  assert.deepEqual(
    said.slice(0, 2).map((line) => line.slice(0, 42)),
    ['a drains: 20 of 20 clients left, over in a', 'a drains; the API server does not answer'],
  );
  const refused = session(() => Promise.reject(refusal(403)));
  await assert.rejects(watchDrain(refused, pod('a'), watching), /cannot get it/);
});

test('a pod that does not go though its time is over is given up, and where to look is said', async () => {
  const work = watchDrain(leaving([20, 20], Date.now() - SLACK_MS), pod('a'), watching);
  await assert.rejects(work, /pod "a" has not ended though its time is over; its machine may be lost: kubectl describe pod a/);
});
