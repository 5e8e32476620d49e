// The engine on a real API server that is killed, frozen and flooded, and among other operators that are stopped in the middle.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '../../src/kube/client.ts';
import { findKube } from '../../src/kube/config.ts';
import { isGone, KubeError } from '../../src/kube/error.ts';
import { Reflector, type ReflectorOptions } from '../../src/kube/reflector.ts';
import { pathOf, type KubeObject } from '../../src/kube/types.ts';
import { silentLogger } from '../../src/ops/log.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { configMaps, gardenKind, gardens, toyController, type Bed } from '../support/toy-controller.ts';
import { toyLease, writeName } from '../support/toy-names.ts';
import { until } from '../support/until.ts';

const TOY = fileURLToPath(new URL('../support/toy-main.ts', import.meta.url));
const skip = noControlPlane;
const plane = controlPlaneOfFile();

async function space(t: TestContext, own?: string) {
  const { kube, kubeconfig } = plane();
  const namespace = own ?? (await kube.namespace(t));
  await kube.apply([gardenKind]);
  await kube.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/gardens.test.kimserver.io');
  const access = await findKube({ kubeconfig });
  const garden = (name: string, spec: object) =>
    kube.apply([{ apiVersion: 'test.kimserver.io/v1', kind: 'Garden', metadata: { name }, spec }], namespace);
  const plants = (...expected: string[]) =>
    until(async () => {
      const { items } = await kube.get<{ items: Bed[] }>(
        `/api/v1/namespaces/${namespace}/configmaps?labelSelector=test.kimserver.io/garden`,
      );
      return items.map(({ data }) => data['plant']).join() === expected.join();
    }, `the beds are ${expected.join()}`);
  return { kube, kubeconfig, namespace, access, garden, plants };
}

async function client(t: TestContext): Promise<KubeClient> {
  const made = new KubeClient({ access: await findKube({ kubeconfig: plane().kubeconfig }) });
  t.after(() => made.close());
  return made;
}

/** Silence is noticed soon here: bookmarks come once a minute, and a frozen server must not take that long. */
const quick = { reflector: { silenceMs: 1500, backoff: { minMs: 200, maxMs: 2000 } } };

test('an API server that is killed or frozen is followed again as soon as it is back', { skip, timeout: 150_000 }, async (t) => {
  const { apiserver } = plane();
  const { namespace, access, garden, plants } = await space(t);
  const { controller } = toyController(access, { namespaces: [namespace], rules: quick });
  t.after(() => controller.stop());
  controller.start();
  await garden('g', { beds: 1 });
  await plants('fern');
  await apiserver.kill();
  await until(() => /watch_last_event_seconds\{.*\} (?!0)/.test(controller.metrics.meter.text()), 'it is missed');
  apiserver.start();
  await plane().ready();
  await garden('g', { beds: 2, plant: 'rose' });
  await plants('rose', 'rose');
  apiserver.pause();
  await until(
    () => controller.health.liveProblems.length === 0 && /watch_last_event_seconds\{.*\} [2-9]/.test(controller.metrics.meter.text()),
    'it is silent',
  );
  apiserver.resume();
  await garden('g', { beds: 1, plant: 'moss' });
  await plants('moss');
  assert.deepEqual(controller.health.liveProblems, []);
});

test('a leader that stood still until another took over writes nothing more when it goes on', { skip, timeout: 120_000 }, async (t) => {
  const { kube, kubeconfig, namespace, access } = await space(t);
  const child = spawn(process.execPath, [TOY, kubeconfig, namespace, 'one'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.includes('leads'), 'the process leads and has written');
  child.kill('SIGSTOP');

  const { controller } = toyController(access, { namespaces: [namespace], identity: 'two', lease: toyLease(namespace) });
  t.after(() => controller.stop());
  controller.start();
  await controller.lease?.acquired;
  await writeName(controller, namespace, 'two');
  const exit = once(child, 'exit');
  child.kill('SIGCONT');
  assert.deepEqual(await exit, [3, null]);
  assert.match(lines.at(-1)!, /^it could not be renewed for \d+ ms$|^two holds it now$/);
  const writer = await kube.get<Bed>(`/api/v1/namespaces/${namespace}/configmaps/writer`);
  assert.equal(writer.data['by'], 'two');
});

test('a leader that is told to stop hands over at once', { skip, timeout: 120_000 }, async (t) => {
  const { kubeconfig, namespace, access } = await space(t);
  const child = spawn(process.execPath, [TOY, kubeconfig, namespace, 'one'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.includes('leads'), 'the process leads');
  const lease = { ...toyLease(namespace), rules: { durationMs: 600_000, renewDeadlineMs: 500_000, retryMs: 100 } };
  const { controller } = toyController(access, { namespaces: [namespace], identity: 'two', lease });
  t.after(() => controller.stop());
  controller.start();
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [3, null]);
  await controller.lease?.acquired;
  assert.equal(lines.at(-1), 'it was given back');
});

function reflect(t: TestContext, options: Pick<ReflectorOptions<Bed>, 'client' | 'path'> & Partial<ReflectorOptions<Bed>>): Reflector<Bed> {
  const reflector = new Reflector<Bed>({ log: silentLogger(), ...options });
  t.after(() => reflector.stop());
  reflector.start();
  return reflector;
}

const map = (name: string, data: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

test('lists come in pages, watches are renewed without a list, and nothing is missed', { skip, timeout: 120_000 }, async (t) => {
  const { kube, namespace } = await space(t);
  await kube.apply(
    Array.from({ length: 7 }, (_, index) => map(`m-${index}`)),
    namespace,
  );
  const path = pathOf(configMaps, { namespace });
  const reflector = reflect(t, { client: await client(t), path, rules: { streams: false, pageSize: 2, watchMs: 1000, goodMs: 500 } });
  await reflector.synced;
  assert.ok(reflector.items.size >= 7);
  assert.equal(reflector.items.get(`${namespace}/m-3`)?.kind, 'ConfigMap');
  await until(() => reflector.state.watches >= 4, 'the server has ended a few watches');
  await kube.apply([map('m-3', { a: '1' }), map('late')], namespace);
  await until(
    () => reflector.items.get(`${namespace}/m-3`)?.data?.['a'] === '1' && reflector.items.has(`${namespace}/late`),
    'the changes are there',
  );
  assert.equal(reflector.state.lists, 1);
  assert.equal(reflector.state.failures, 0);
});

test('a list comes as the beginning of its watch, and nothing is missed', { skip }, async (t) => {
  const { kube, kubeconfig, namespace } = await space(t);
  await kube.apply(
    Array.from({ length: 7 }, (_, index) => map(`m-${index}`)),
    namespace,
  );
  const asked: string[] = [];
  const api = new KubeClient({ access: await findKube({ kubeconfig }), observe: ({ method, code }) => asked.push(`${method} ${code}`) });
  t.after(() => api.close());
  for (const path of [pathOf(configMaps, { namespace }), pathOf(gardens, { namespace })]) {
    asked.length = 0;
    const reflector = reflect(t, { client: api, path });
    await reflector.synced;
    assert.deepEqual(asked, ['GET 200'], path);
    assert.equal(reflector.state.lists, 1);
  }
  const reflector = reflect(t, { client: api, path: pathOf(configMaps, { namespace }) });
  await reflector.synced;
  assert.ok(reflector.items.size >= 7);
  assert.equal(reflector.items.get(`${namespace}/m-3`)?.kind, 'ConfigMap');
  await kube.apply([map('m-3', { a: '1' }), map('late')], namespace);
  await kube.kubectl('delete', 'configmap', 'm-4', '-n', namespace);
  await until(
    () =>
      reflector.items.get(`${namespace}/m-3`)?.data?.['a'] === '1' &&
      reflector.items.has(`${namespace}/late`) &&
      !reflector.items.has(`${namespace}/m-4`),
    'the changes are there',
  );
  assert.deepEqual([reflector.state.lists, reflector.state.failures], [1, 0]);
});

test('positions that are too old, broken rules and unknown fields are told as they are', { skip }, async (t) => {
  const { namespace } = await space(t);
  const api = await client(t);
  const path = pathOf(configMaps, { namespace });
  const watch = api.watch<KubeObject>(path, { query: { resourceVersion: 1 }, signal: AbortSignal.timeout(20_000), silenceMs: 10_000 });
  await assert.rejects(watch.next(), (error) => isGone(error));
  const apply = (body: object) =>
    api.request('PATCH', `${path}/bad`, {
      body,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'me', fieldValidation: 'Strict' },
    });
  // the server takes this for an error of its own (500)
  await assert.rejects(apply({ ...map('bad'), colour: 'red' }), /\.colour: field not declared in schema/);
  await assert.rejects(apply(map('Bad Name')), (error) => error instanceof KubeError && error.status >= 400 && error.status < 500);
});

test('fifty objects at once are done in few requests, and then nothing is asked', { skip, timeout: 120_000 }, async (t) => {
  const { kube, namespace, access } = await space(t);
  const all = Array.from({ length: 50 }, (_, index) => ({
    apiVersion: 'test.kimserver.io/v1',
    kind: 'Garden',
    metadata: { name: `g-${index}` },
    spec: { beds: 2 },
  }));
  await kube.apply(all, namespace);
  const { controller } = toyController(access, { namespaces: [namespace] });
  t.after(() => controller.stop());
  controller.start();
  const page = () => controller.metrics.meter.text();
  const count = (method: string) =>
    [...page().matchAll(new RegExp(`rest_client_requests_total\\{.*method="${method}".*\\} (\\d+)`, 'g'))].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  await until(
    () => count('PATCH') >= 200 && /workqueue_depth\{.*\} 0/.test(page()) && /active_workers\{.*\} 0/.test(page()),
    'all is done',
  );
  // two beds, a Deployment and a status each; the Deployments' own controller may have been in between
  assert.ok(count('PATCH') <= 250, `${count('PATCH')} writes`);
  assert.ok(count('GET') <= 150 + 20, `${count('GET')} reads`);
});

test('a namespace that goes in the middle leaves nothing that is tried for ever', { skip, timeout: 120_000 }, async (t) => {
  const namespace = 'doomed';
  await plane().kube.kubectl('create', 'namespace', namespace);
  const { kube, access, garden, plants } = await space(t, namespace);
  const { controller, reconciled } = toyController(access, { namespaces: [namespace] });
  t.after(() => controller.stop());
  controller.start();
  await garden('g', { beds: 1 });
  await plants('fern');
  await kube.kubectl('delete', 'namespace', namespace, '--wait=false');
  await until(() => controller.store.list(gardens).length === 0, 'the garden is gone');
  await until(() => /workqueue_depth\{.*\} 0/.test(controller.metrics.meter.text()), 'nothing waits');
  assert.ok(reconciled.length < 100);
});
