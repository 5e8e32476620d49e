// Images that tests build themselves: each once for each state of what it is made from, kept as an archive in the cache.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from './lock.ts';
import { cacheFolder } from './programs.ts';
import { attempt, run } from './run.ts';

/** An archive as "docker save" writes it, for `cluster.load`, and the name that pods say. */
export interface BuiltImage {
  readonly archive: string;
  readonly name: string;
}

/** Runs buildah on a store that goes when the image is made. */
export type Buildah = (...args: string[]) => Promise<string>;

const BUILD_MS = 15 * 60_000;
/** Older ones go: each takes some hundred megabytes. */
const KEPT = 3;

/** Where archives are kept, and what builds want to find again. */
export function imagesFolder(): string {
  return join(cacheFolder(), 'images');
}

/**
 * The image localhost/NAME:TAG from the cache, or built: `build` is given a folder for its files and has to leave an image of that name.
 * Throws with the end of what the build wrote.
 */
export async function builtImage(
  name: string,
  tag: string,
  build: (buildah: Buildah, work: string, image: string) => Promise<void>,
): Promise<BuiltImage> {
  const folder = imagesFolder();
  const image = { archive: join(folder, `${name}-${tag}.tar`), name: `localhost/${name}:${tag}` };
  if (existsSync(image.archive)) return image;
  mkdirSync(folder, { recursive: true });
  const place = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  await using _one = await lock(`image-${name}-${place}`, { maxMs: 2 * BUILD_MS });
  // whoever had the lock before may have built the same
  if (existsSync(image.archive)) return image;
  process.stderr.write(`kube: building ${image.name} (once for each state of what it is made from)\n`);
  const work = join(folder, `building-${name}`);
  const store = ['--root', join(work, 'store'), '--runroot', join(work, 'run')];
  const buildah: Buildah = (...args) => run('buildah', [...store, ...args], { maxMs: BUILD_MS });
  // a run that was killed has left its mounts
  const clear = async () => {
    if (existsSync(work)) await attempt('buildah', [...store, 'rm', '--all']);
    rmSync(work, { recursive: true, force: true });
  };
  await clear();
  mkdirSync(work);
  try {
    await build(buildah, work, image.name);
    await buildah('push', image.name, `docker-archive:${join(work, 'image.tar')}:${image.name}`);
    renameSync(join(work, 'image.tar'), image.archive);
  } finally {
    await clear();
  }
  removeOld(folder, name);
  return image;
}

function removeOld(folder: string, name: string): void {
  const archives = readdirSync(folder).filter((file) => file.startsWith(`${name}-`) && file.endsWith('.tar'));
  const age = (file: string) => statSync(join(folder, file)).mtimeMs;
  for (const file of archives.sort((a, b) => age(b) - age(a)).slice(KEPT)) rmSync(join(folder, file), { force: true });
}
