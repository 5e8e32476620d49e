// The engine on a real API server, with a controller that knows nothing of gates: it makes, corrects, removes, and else keeps still.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { findKube } from '../../src/kube/config.ts';
import { FieldConflictError, ForeignObjectError } from '../../src/operator/engine/apply.ts';
import { define } from '../support/cluster-definition.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { gardenKind, gardens, toyController, type Bed, type Garden } from '../support/toy-controller.ts';
import { until } from '../support/until.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();

async function start(t: TestContext, options: Parameters<typeof toyController>[1] = {}) {
  const { kube, kubeconfig } = plane();
  const space = await kube.namespace(t);
  await define(kube, 'gardens.test.kimserver.io', [gardenKind]);
  const toy = toyController(await findKube({ kubeconfig }), { namespaces: [space], ...options });
  t.after(() => toy.controller.stop());
  const beds = `/api/v1/namespaces/${space}/configmaps?labelSelector=test.kimserver.io/garden`;
  const plants = (...expected: string[]) =>
    kube.waitFor<Bed>(
      beds,
      (all) =>
        all
          .map(({ metadata, data }) => `${metadata.name}=${data['plant']}`)
          .sort()
          .join() === expected.join(),
      `beds are ${expected.join()}`,
    );
  const garden = (spec: object, name = 'g') =>
    kube.apply([{ apiVersion: 'test.kimserver.io/v1', kind: 'Garden', metadata: { name }, spec }], space);
  /** Looks once more at everything and waits until that is over. */
  const lookAgain = async () => {
    const { reconciled, controller, results } = toy;
    const [before, from] = [reconciled.length, results.length];
    controller.look(`${space}/g`);
    await until(
      () => reconciled.length > before && /controller_runtime_active_workers\{.*\} 0/.test(controller.metrics.meter.text()),
      'it has looked',
    );
    return results.slice(from).map(({ what }) => what);
  };
  const requests = (method: string) =>
    [
      ...toy.controller.metrics.meter.text().matchAll(new RegExp(`rest_client_requests_total\\{.*method="${method}".*\\} (\\d+)`, 'g')),
    ].reduce((sum, [, n]) => sum + Number(n), 0);
  return { kube, space, ...toy, plants, garden, lookAgain, requests };
}

test('what is wanted comes and changes with what it is made from, and belongs to it', { skip }, async (t) => {
  const { kube, space, controller, plants, garden } = await start(t);
  controller.start();
  await garden({ beds: 2 });
  await plants('g-bed-0=fern', 'g-bed-1=fern');
  await garden({ beds: 1, plant: 'rose' });
  const [bed] = await plants('g-bed-0=rose');
  assert.deepEqual(bed?.data, { plant: 'rose', 'only-rose': 'yes' }, 'fields that are not wanted any more are gone');
  const [made] = await kube.waitFor<Garden & { metadata: { name: string } }>(
    `/apis/test.kimserver.io/v1/namespaces/${space}/gardens`,
    (all) => all.some(({ status }) => status?.beds === 1),
    'the status says so',
  );
  assert.equal(made?.status?.conditions?.[0]?.observedGeneration, 2);
  // what belongs to it goes with it, which is the work of the API server's own controllers
  assert.deepEqual(bed?.metadata.ownerReferences, [
    { apiVersion: 'test.kimserver.io/v1', kind: 'Garden', name: 'g', uid: made?.metadata.uid, controller: true, blockOwnerDeletion: true },
  ]);
  await kube.kubectl('delete', 'garden', 'g', '-n', space, '--wait=false');
  await until(() => controller.store.get(gardens, `${space}/g`) === undefined, 'the garden is gone');
});

test('nothing is asked and nothing written while nothing changes, also by a process that starts anew', { skip }, async (t) => {
  const { kube, space, controller, plants, garden, lookAgain, requests } = await start(t);
  controller.start();
  await garden({ beds: 3 });
  await plants('g-bed-0=fern', 'g-bed-1=fern', 'g-bed-2=fern');
  await until(async () => (await lookAgain()).every((what) => what === 'same'), 'it has settled');
  const before = [requests('GET'), requests('PATCH')];
  for (let i = 0; i < 3; i++) assert.deepEqual(await lookAgain(), ['same', 'same', 'same', 'same']);
  assert.deepEqual([requests('GET'), requests('PATCH')], before);

  const { kubeconfig } = plane();
  const next = toyController(await findKube({ kubeconfig }), { namespaces: [space] });
  t.after(() => next.controller.stop());
  next.controller.start();
  await until(() => next.results.length >= 4, 'the new one has looked');
  assert.deepEqual(
    next.results.slice(0, 3).map(({ what }) => what),
    ['same', 'same', 'same'],
  );
  const version = async () =>
    (await kube.get<Garden>(`/apis/apps/v1/namespaces/${space}/deployments/g-water`)).metadata as { generation?: number };
  assert.equal((await version()).generation, 1, 'the Deployment, which the server writes in its own way, was not changed');
});

test('what somebody changes or deletes is put right, counted and told; what is not ours is left alone', { skip }, async (t) => {
  const { kube, space, controller, plants, garden, results } = await start(t);
  controller.start();
  await garden({ beds: 1 });
  await plants('g-bed-0=fern');
  const edit = (patch: object) => kube.kubectl('patch', 'configmap', 'g-bed-0', '-n', space, '--type=merge', '-p', JSON.stringify(patch));
  await edit({ metadata: { annotations: { 'other.io/note': 'mine' } }, data: { extra: 'kept' } });
  await edit({ data: { plant: 'weed' } });
  const [bed] = await plants('g-bed-0=fern');
  assert.equal(bed?.data['extra'], 'kept');
  const corrected = await until(() => results.find(({ what }) => what === 'corrected'), 'it is told');
  assert.match(corrected.by ?? '', /^kubectl/);
  assert.match(controller.metrics.meter.text(), /kimserver_drift_corrections_total\{kind="ConfigMap"\} 1/);
  await edit({ data: { 'only-fern': null } });
  await until(async () => (await plants('g-bed-0=fern'))[0]?.data['only-fern'] === 'yes', 'what was taken out is back');
  await kube.kubectl('delete', 'configmap', 'g-bed-0', '-n', space);
  await until(
    async () =>
      (await kube.get<{ items: Bed[] }>(`/api/v1/namespaces/${space}/configmaps`)).items.some(
        ({ metadata }) => metadata.name === 'g-bed-0',
      ),
    'what was deleted is back',
  );
  const told = await kube.waitFor<{ metadata: { name: string }; reason?: string; note?: string }>(
    `/apis/events.k8s.io/v1/namespaces/${space}/events`,
    (all) => all.some(({ reason }) => reason === 'DriftCorrected'),
    'there is an event',
  );
  assert.equal(told.find(({ reason }) => reason === 'DriftCorrected')?.note, 'ConfigMap g-bed-0 was put right');
});

test('a field that another manager has applied is taken back from it, and it is said from whom', { skip }, async (t) => {
  const { kube, space, controller, plants, garden, results } = await start(t);
  controller.start();
  await garden({ beds: 1 });
  await plants('g-bed-0=fern');
  const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g-bed-0' }, data: { plant: 'moss' } };
  const applied = await kube.tryKubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager=gardener', '-n', space, '-f', '-'],
    JSON.stringify(other),
  );
  assert.equal(applied.code, 0, applied.stderr);
  const result = await until(() => results.find(({ conflicts }) => conflicts.length > 0), 'the conflict is told');
  assert.deepEqual(result.conflicts, [{ manager: 'gardener', field: '.data.plant' }]);
  await plants('g-bed-0=fern');
});

test('objects of others are not touched, and fields that may not be taken are left', { skip }, async (t) => {
  const { kube, space, controller, garden, errors } = await start(t);
  await kube.apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g-bed-0' }, data: { plant: 'oak' } }], space);
  controller.start();
  await garden({ beds: 1 });
  const error = await until(() => errors[0], 'it fails');
  assert.ok(error instanceof ForeignObjectError);
  assert.equal(error.message, `ConfigMap ${space}/g-bed-0 is there already and belongs to nobody; remove it, or allow that it is adopted`);
  const there = await kube.get<Bed>(`/api/v1/namespaces/${space}/configmaps/g-bed-0`);
  assert.deepEqual(there.data, { plant: 'oak' });
  const wanted = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g-bed-0', namespace: space }, data: { plant: 'ash' } };
  await assert.rejects(controller.applier.apply(wanted, { key: 'none', mayAdopt: () => true, mayForce: () => false }), (refused) => {
    assert.ok(refused instanceof FieldConflictError);
    assert.deepEqual(refused.conflicts, [{ manager: 'kubectl', field: '.data.plant' }]);
    return true;
  });
  const adopted = await controller.applier.apply(wanted, { key: 'none', mayAdopt: () => true });
  assert.equal(adopted.what, 'changed');
});
