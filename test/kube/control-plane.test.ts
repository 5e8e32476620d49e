// The control plane that tests of the operator run on: real rules, real controllers, nothing shared, nothing lost when its API server goes.

import assert from 'node:assert/strict';
import test from 'node:test';
import { startControlPlane } from '../support/kube/control-plane.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { noControlPlane } from '../support/kube/needs.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();

const kettles = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'kettles.test.kimserver.io' },
  spec: {
    group: 'test.kimserver.io',
    scope: 'Namespaced',
    names: { kind: 'Kettle', plural: 'kettles', singular: 'kettle' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { litres: { type: 'integer' }, cups: { type: 'integer', default: 4 } },
                'x-kubernetes-validations': [{ rule: 'self.cups <= self.litres * 4', message: 'a litre fills four cups' }],
              },
            },
          },
        },
      },
    ],
  },
};

test('objects of new kinds get their defaults, and what breaks a rule is refused with its sentence', { skip }, async (t) => {
  const { kube } = plane();
  const space = await kube.namespace(t);
  await kube.apply([kettles]);
  await kube.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/kettles.test.kimserver.io');
  const kettle = (name: string, spec: object) => [{ apiVersion: 'test.kimserver.io/v1', kind: 'Kettle', metadata: { name }, spec }];
  await kube.apply(kettle('small', { litres: 1 }), space);
  const { spec } = await kube.get<KubeObject & { spec: object }>(`/apis/test.kimserver.io/v1/namespaces/${space}/kettles/small`);
  assert.deepEqual(spec, { litres: 1, cups: 4 });
  await assert.rejects(kube.apply(kettle('leaky', { litres: 1, cups: 9 }), space), /a litre fills four cups/);
});

test('a Deployment gets its pods, which wait for a node, and what is owned goes with its owner', { skip }, async (t) => {
  const { kube } = plane();
  const space = await kube.namespace(t);
  const pods = `/api/v1/namespaces/${space}/pods`;
  await kube.kubectl('create', 'deployment', '-n', space, 'web', '--image=localhost/nothing:1', '--replicas=3');
  const made = await kube.waitFor<KubeObject & { status: { phase: string } }>(pods, (all) => all.length === 3, 'there are three pods');
  assert.deepEqual(
    made.map(({ status }) => status.phase),
    ['Pending', 'Pending', 'Pending'],
  );
  await kube.kubectl('delete', 'deployment', '-n', space, 'web');
  await kube.waitFor(pods, (all) => all.length === 0, 'all pods are gone');
});

test('an API server that was killed or frozen goes on with all that it knew', { skip }, async (t) => {
  const { kube, apiserver } = plane();
  const space = await kube.namespace(t);
  const isThere = async () => (await kube.tryKubectl(['get', 'namespace', space, '--request-timeout=2s'])).code === 0;
  await apiserver.kill();
  assert.equal(await isThere(), false);
  apiserver.start();
  await plane().ready();
  assert.equal(await isThere(), true);
  apiserver.pause();
  assert.equal(await isThere(), false);
  apiserver.resume();
  assert.equal(await isThere(), true);
});

test('control planes stand side by side and know nothing of each other', { skip, timeout: 120_000 }, async (t) => {
  const other = await startControlPlane();
  t.after(() => other[Symbol.asyncDispose]());
  assert.notEqual(other.url, plane().url);
  const space = await plane().kube.namespace(t);
  const { code, stderr } = await other.kube.tryKubectl(['get', 'namespace', space]);
  assert.equal(code, 1);
  assert.match(stderr, /not found/);
});
