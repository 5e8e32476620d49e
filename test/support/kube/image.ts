// The image of the project for tests: built from its Dockerfile on a base of this machine, once for each state of the sources.

import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { provide } from '../../../scripts/support/debian.ts';
import { root } from '../../../scripts/support/project.ts';
import { NPM_CACHE, npmFolder, writeBase } from './image-base.ts';
import { lock } from './lock.ts';
import { givenKubeconfig, noCluster } from './needs.ts';
import { cacheFolder } from './programs.ts';
import { attempt, run } from './run.ts';

/** An archive as "docker save" writes it, for `cluster.load`, and the name that pods say. */
export interface KimImage {
  readonly archive: string;
  readonly name: string;
}

/** Everything that .dockerignore lets through, and what says how it is built. */
const SOURCES = [
  '{src,scripts,manifests,crds}/**/*',
  '{Dockerfile,.dockerignore,.npmrc,package.json,package-lock.json,LICENSE,tsconfig*.json}',
];
/** Raise it when the base changes. */
const BASE_VERSION = 1;
const BUILD_MS = 15 * 60_000;
/** Older ones go: each is as big as the image. */
const KEPT = 3;

/** Why tests that run the image can not run here, or false: for the option `skip` of a test. */
export const noImage: string | false = noCluster === false ? whyNoBuild() : noCluster;

let made: Promise<KimImage> | undefined;

/** Builds the image unless the cache has it, which takes about a minute. Throws with the end of what the build wrote. */
export function kimImage(): Promise<KimImage> {
  made ??= make();
  return made;
}

async function make(): Promise<KimImage> {
  const folder = join(cacheFolder(), 'images');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const tag = `${version}-${hashOfSources()}`;
  const image = { archive: join(folder, `kimserver-${tag}.tar`), name: `localhost/kimserver:${tag}` };
  if (existsSync(image.archive)) return image;
  mkdirSync(folder, { recursive: true });
  await using _one = await lock(`image-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`, { maxMs: 2 * BUILD_MS });
  // whoever had the lock before may have built the same
  if (existsSync(image.archive)) return image;
  await build(folder, image);
  removeOld(folder);
  return image;
}

async function build(folder: string, { archive, name }: KimImage): Promise<void> {
  process.stderr.write(`kube: building ${name} (once for each state of the sources)\n`);
  const work = join(folder, 'building');
  const store = ['--root', join(work, 'store'), '--runroot', join(work, 'run')];
  const buildah = (...args: string[]) => run('buildah', [...store, ...args], { maxMs: BUILD_MS });
  // a run that was killed has left its mounts
  const clear = async () => {
    if (existsSync(work)) await attempt('buildah', [...store, 'rm', '--all']);
    rmSync(work, { recursive: true, force: true });
  };
  await clear();
  const packages = join(folder, 'npm');
  mkdirSync(packages, { recursive: true });
  try {
    const base = 'localhost/kim-node-base:1';
    await writeBase(join(work, 'base'));
    await buildah('bud', '--isolation', 'chroot', '--tag', base, join(work, 'base'));
    await buildah(
      ...['bud', '--isolation', 'chroot', '--pull-never', '--volume', `${packages}:${NPM_CACHE}`],
      ...['--build-arg', `BASE=${base}`, '--build-arg', 'REVISION=test', '--tag', name, root],
    );
    await buildah('push', name, `docker-archive:${join(work, 'image.tar')}:${name}`);
    renameSync(join(work, 'image.tar'), archive);
  } finally {
    await clear();
  }
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

function removeOld(folder: string): void {
  const archives = readdirSync(folder).filter((name) => name.endsWith('.tar'));
  const age = (name: string) => statSync(join(folder, name)).mtimeMs;
  for (const name of archives.sort((a, b) => age(b) - age(a)).slice(KEPT)) rmSync(join(folder, name), { force: true });
}

function whyNoBuild(): string | false {
  if (npmFolder() === undefined) return 'npm is not on the PATH; install it to build the image';
  if (givenKubeconfig !== undefined && process.getuid?.() !== 0) return 'building the image needs root; run the tests as root';
  return provide({ files: ['buildah', '/bin/busybox'], packages: ['buildah', 'busybox-static'] }) ?? false;
}
