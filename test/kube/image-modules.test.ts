// The Dockerfiles of docs/kubernetes.md: modules of users on top of the image, with packages of others, and in an image of their own.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../../scripts/support/project.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { builtImage, imagesFolder, type BuiltImage } from '../support/kube/build-image.ts';
import { clusterOfFile } from '../support/kube/hooks.ts';
import { NPM_CACHE, writeBase } from '../support/kube/image-base.ts';
import { kimImage, noImage } from '../support/kube/image.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { Operated, startOperator } from '../support/kube/operated.ts';
import { until } from '../support/until.ts';

const skip = noImage;
const timeout = 30 * 60_000;
const cluster = clusterOfFile();

const dockerfiles = [...readFileSync(`${root}/docs/kubernetes.md`, 'utf8').matchAll(/```dockerfile\n(.*?)```/gs)].map(([, text]) => text!);

/** It uses a package of somebody else, which comes with its image. */
const MODULE = [
  `import { defineModule } from 'kimserver';`,
  ['import { parse }', `from 'yaml';`].join(' '),
  `export default defineModule({ name: 'shop', commands: { 2001: (data): string => parse(String(data)).word } });`,
].join('\n');

interface Pod extends KubeObject {
  readonly status: { readonly phase: string };
}

test('modules on top of the image find kimserver and their own packages', { skip, timeout }, async (t) => {
  const { kube, load } = cluster();
  const image = await shopImage(await kimImage());
  await load(image.archive);
  const space = await kube.namespace(t);
  await kube.kubectl('label', 'namespace', space, 'pod-security.kubernetes.io/enforce=restricted');
  const config = { server_name: 'shop', node_type: 'logic', node_host: '127.0.0.1', node_port: 0, modules: ['/modules/shop.ts'] };
  const container = {
    name: 'list',
    image: image.name,
    imagePullPolicy: 'IfNotPresent',
    args: ['modules', 'list', '/config/node.json'],
    volumeMounts: [{ name: 'config', mountPath: '/config' }],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  const spec = {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [{ name: 'config', configMap: { name: 'config' } }],
  };
  await kube.apply(
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { 'node.json': JSON.stringify(config) } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'list' }, spec },
    ],
    space,
  );
  const [pod] = await kube.waitFor<Pod>(
    `/api/v1/namespaces/${space}/pods`,
    ([one]) => ['Succeeded', 'Failed'].includes(one?.status.phase ?? ''),
    'the program has ended',
  );
  const log = await kube.kubectl('-n', space, 'logs', 'list');
  assert.equal(pod!.status.phase, 'Succeeded', log);
  assert.match(log, /shop.*2001/s);
});

test('modules of an image of their own are copied into pods, and another version of it replaces the pods', { skip, timeout }, async (t) => {
  const { kube, load } = cluster();
  const { archive, name } = await kimImage();
  const [one, two] = [await modulesImage('first'), await modulesImage('second')];
  for (const file of [archive, one.archive, two.archive]) await load(file);
  await defineClusters(kube);
  const namespace = await kube.namespace(t);
  await kube.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
  const operator = await startOperator(kube, { image: name, namespace, namespaces: [namespace] });
  t.after(() => operator.stop());
  const operated = new Operated(cluster(), namespace);
  await operated.apply('shop', {
    modules: { image: one.name },
    gate: { listeners: [{ port: 3355 }], modules: ['./shop.ts'], service: { type: 'NodePort' }, drain: { seconds: 5 } },
    discovery: { kubernetes: {} },
  });
  await operated.ready('shop');
  assert.equal(await answer(), 'first');
  await operated.patch('shop', { modules: { image: two.name } });
  await until(async () => (await answer()) === 'second', 'the other version answers', 90_000);

  async function answer(): Promise<string> {
    // the machine learns of new pods a moment later
    const client = await until(() => operated.client(t, 'shop', { reconnect: false }), 'the port of the machine leads to a gate');
    try {
      return (await client.request(2001)).text();
    } finally {
      await client.close();
    }
  }
});

/** Built from the second Dockerfile of the document, on busybox of this machine. */
async function modulesImage(word: string): Promise<BuiltImage> {
  const base = 'localhost/kim-busybox-base:1';
  const dockerfile = dockerfiles[1]!.replace(/^FROM busybox:\S+/m, `FROM ${base}`);
  const code = `import { defineModule } from 'kimserver';\nexport default defineModule({ name: 'shop', commands: { 2001: () => '${word}' } });\n`;
  const tag = createHash('sha256')
    .update(JSON.stringify([dockerfile, code]))
    .digest('hex')
    .slice(0, 12);
  return builtImage('kim-shop-modules', tag, async (buildah, work, image) => {
    const files = join(work, 'base/bin');
    mkdirSync(files, { recursive: true });
    copyFileSync('/bin/busybox', join(files, 'busybox'));
    chmodSync(join(files, 'busybox'), 0o755);
    symlinkSync('busybox', join(files, 'cp'));
    writeFileSync(join(work, 'base/Dockerfile'), 'FROM scratch\nCOPY bin /bin\nENV PATH=/bin\n');
    await buildah('bud', '--isolation', 'chroot', '--tag', base, join(work, 'base'));
    const context = join(work, 'shop');
    mkdirSync(join(context, 'modules'), { recursive: true });
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    writeFileSync(join(context, 'modules/shop.ts'), code);
    await buildah('bud', '--isolation', 'chroot', '--pull-never', '--tag', image, context);
  });
}

/** Built from the Dockerfile of the document; only the names of the images that it begins with are those of the test. */
async function shopImage({ archive, name }: BuiltImage): Promise<BuiltImage> {
  const base = 'localhost/kim-node-base:1';
  const dockerfile = dockerfiles[0]!.replace(/^FROM node:\S+/m, `FROM ${base}`).replace(/^FROM kimserver:\S+/m, `FROM ${name}`);
  assert.equal(dockerfile.match(/^FROM localhost/gm)?.length, 2);
  const tag = createHash('sha256')
    .update(JSON.stringify([dockerfile, MODULE, name]))
    .digest('hex')
    .slice(0, 12);
  return builtImage('kim-shop', tag, async (buildah, work, shop) => {
    const packages = join(imagesFolder(), 'npm');
    mkdirSync(packages, { recursive: true });
    await writeBase(join(work, 'base'));
    await buildah('bud', '--isolation', 'chroot', '--tag', base, join(work, 'base'));
    await buildah('pull', `docker-archive:${archive}`);
    const context = join(work, 'shop');
    mkdirSync(join(context, 'modules'), { recursive: true });
    const write = (file: string, content: string) => writeFileSync(join(context, file), content);
    write('Dockerfile', dockerfile);
    write('modules/shop.ts', MODULE);
    const dependencies = { yaml: locked('yaml').version };
    const head = { name: 'shop', version: '1.0.0', type: 'module', dependencies };
    write('package.json', JSON.stringify(head));
    write(
      'package-lock.json',
      JSON.stringify({ ...head, lockfileVersion: 3, packages: { '': head, 'node_modules/yaml': locked('yaml') } }),
    );
    await buildah(...['bud', '--isolation', 'chroot', '--pull-never', '--volume', `${packages}:${NPM_CACHE}`, '--tag', shop, context]);
  });
}

function locked(name: string): { readonly version: string } {
  const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')) as {
    packages: Record<string, { readonly version: string }>;
  };
  return packages[`node_modules/${name}`]!;
}
