// The image of the project for tests: built from its Dockerfile on a base of this machine, once for each state of the sources.

import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provide } from '../../../scripts/support/debian.ts';
import { root } from '../../../scripts/support/project.ts';
import { builtImage, imagesFolder, type BuiltImage } from './build-image.ts';
import { NPM_CACHE, npmFolder, writeBase } from './image-base.ts';
import { givenKubeconfig, noCluster } from './needs.ts';

export type KimImage = BuiltImage;

/** Everything that .dockerignore lets through, and what says how it is built. */
const SOURCES = [
  '{src,scripts,manifests,crds}/**/*',
  '{Dockerfile,.dockerignore,.npmrc,package.json,package-lock.json,LICENSE,tsconfig*.json}',
];
/** Raise it when the base changes. */
const BASE_VERSION = 1;

/** Why tests that run the image can not run here, or false: for the option `skip` of a test. */
export const noImage: string | false = noCluster === false ? whyNoBuild() : noCluster;

let made: Promise<KimImage> | undefined;

/** Builds the image unless the cache has it, which takes about a minute. Throws with the end of what the build wrote. */
export function kimImage(): Promise<KimImage> {
  made ??= make();
  return made;
}

function make(): Promise<KimImage> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return builtImage('kimserver', `${version}-${hashOfSources()}`, async (buildah, work, name) => {
    const packages = join(imagesFolder(), 'npm');
    mkdirSync(packages, { recursive: true });
    const base = 'localhost/kim-node-base:1';
    await writeBase(join(work, 'base'));
    await buildah('bud', '--isolation', 'chroot', '--tag', base, join(work, 'base'));
    await buildah(
      ...['bud', '--isolation', 'chroot', '--pull-never', '--volume', `${packages}:${NPM_CACHE}`],
      ...['--build-arg', `BASE=${base}`, '--build-arg', 'REVISION=test', '--tag', name, root],
    );
  });
}

function hashOfSources(): string {
  const hash = createHash('sha256').update(JSON.stringify([BASE_VERSION, process.version, process.arch]));
  const files = globSync(SOURCES, { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

function whyNoBuild(): string | false {
  if (npmFolder() === undefined) return 'npm is not on the PATH; install it to build the image';
  if (givenKubeconfig !== undefined && process.getuid?.() !== 0) return 'building the image needs root; run the tests as root';
  return provide({ files: ['buildah', '/bin/busybox'], packages: ['buildah', 'busybox-static'] }) ?? false;
}
