// An operator that is newer than the pods leaves them alone: the pod templates of every release are kept, and made again by this version.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import type { Manifest } from '../../../../src/operator/plan/types.ts';
import { parseYaml } from '../../../../src/config/yaml-text.ts';
import { version } from '../../../../src/version.ts';
import { assertGolden } from '../../../support/golden.ts';
import { yaml } from './situations.ts';
import { kim, operator, World } from './support.ts';

const FOLDER = 'test/golden/releases';
const root = new URL('../../../../', import.meta.url);

/** KimClusters whose pods are kept from each release on; never changed, only added to. */
const specs: Readonly<Record<string, string>> = {
  quickstart: '{ gate: { replicas: 2, workers: 2, listeners: [{ port: 3355 }] }, logic: { replicas: 2, modules: [test, echo] } }',
  kubernetes: '{ gate: { listeners: [{ port: 3355 }] }, logic: { modules: [test] }, discovery: { kubernetes: {} } }',
  elsewhere:
    '{ gate: { listeners: [{ port: 3355 }] }, discovery: { zookeeper: { hosts: "zk:2181", root: /shop, authSecret: { name: zk } }, kubernetes: {} }, stores: { redis: { secretRef: { name: redis } } } }',
  production: `
modules: { image: "shop-modules:7" }
imagePullSecrets: [{ name: registry }]
gate:
  replicas: 3
  workers: 4
  listeners: [{ port: 4000 }]
  modules: [./shop.ts]
  drain: { seconds: 120 }
  limits: { maxClients: 20000 }
  resources: { requests: { cpu: 2, memory: 512Mi }, limits: { memory: 1Gi } }
  template: { tolerations: [{ key: gates, operator: Exists }], env: [{ name: SHOP, value: "1" }], containers: [{ name: proxy, image: "proxy:1" }] }
discovery: { zookeeper: { managed: { replicas: 5, storage: { size: 1Gi }, resources: { limits: { memory: 1Gi } } } } }
`,
};

interface Kept {
  readonly spec: string;
  /** By "Deployment demo-gate". */
  readonly templates: Readonly<Record<string, object>>;
}

function templatesOf(apply: readonly Manifest[]): Record<string, object> {
  const withPods = apply.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  return Object.fromEntries(
    withPods.map(({ kind, metadata, spec }) => [`${kind} ${metadata.name}`, (spec as { template: object }).template]),
  );
}

for (const [name, spec] of Object.entries(specs)) {
  test(`the pods of this release are kept: ${name}`, () => {
    const templates = templatesOf(new World(kim(spec)).plan().apply);
    assertGolden(`${FOLDER}/${version}/${name}.yaml`, yaml({ spec, templates }));
  });
}

for (const release of readdirSync(new URL(FOLDER, root))) {
  for (const file of readdirSync(new URL(`${FOLDER}/${release}`, root))) {
    test(`this operator replaces no pod of release ${release}: ${file}`, () => {
      const { spec, templates } = parseYaml(readFileSync(new URL(`${FOLDER}/${release}/${file}`, root), 'utf8')).value as Kept;
      const cluster = kim(spec);
      const world = World.of(cluster);
      for (const [title, template] of Object.entries(templates)) {
        const [kind = '', name = ''] = title.split(' ');
        world.change(kind, name, (object) => ({ ...object, spec: { ...(object['spec'] as object), template } }));
      }
      world.more = { operator: { ...operator, version: '99.0.0', image: 'kimserver:99.0.0', zookeeperImage: 'zookeeper:99' } };
      assert.deepEqual(templatesOf(world.plan().apply), templates);
    });
  }
}
