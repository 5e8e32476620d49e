// Images without a registry: a few files packed in the form that docker save writes.

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

/** What holds the namespaces of a pod while its containers come and go. */
export const PAUSE = 'localhost/kim-pause:1';
/** A shell and the usual small programs (nc, nslookup, httpd), for pods of tests. */
export const BUSYBOX = 'localhost/kim-busybox:1';

/** It collects whatever ends in a pod whose containers share their processes, and goes at once when it is told to. */
const PAUSE_PROGRAM = ['/bin/busybox', 'sh', '-c', 'trap "exit 0" TERM INT; while :; do sleep 1000000 & wait; done'];

/** Writes an archive with both images into this folder and returns its path. */
export async function packImages(folder: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'kim-images-'));
  try {
    const files = join(work, 'files');
    for (const name of ['bin', 'tmp']) mkdirSync(join(files, name), { recursive: true });
    copyFileSync('/bin/busybox', join(files, 'bin/busybox'));
    for (const applet of (await run('/bin/busybox', ['--list'])).trim().split('\n')) {
      // Debian's wget of this kind crashes; nc asks as well
      if (!['busybox', 'wget'].includes(applet)) symlinkSync('busybox', join(files, 'bin', applet));
    }
    await pack(join(work, 'layer.tar'), files, ['.']);
    const layer = createHash('sha256')
      .update(readFileSync(join(work, 'layer.tar')))
      .digest('hex');
    writeFileSync(join(work, 'pause.json'), JSON.stringify(configOf(layer, PAUSE_PROGRAM)));
    writeFileSync(join(work, 'busybox.json'), JSON.stringify(configOf(layer, ['/bin/sh'])));
    const entry = (Config: string, name: string) => ({ Config, RepoTags: [name], Layers: ['layer.tar'] });
    writeFileSync(join(work, 'manifest.json'), JSON.stringify([entry('pause.json', PAUSE), entry('busybox.json', BUSYBOX)]));
    const archive = join(folder, 'images.tar');
    await pack(archive, work, ['manifest.json', 'pause.json', 'busybox.json', 'layer.tar']);
    return archive;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function configOf(layer: string, program: readonly string[]) {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = { Cmd: program, Env: ['PATH=/bin'] };
  return { architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] } };
}

async function pack(archive: string, folder: string, names: readonly string[]): Promise<void> {
  await run('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', folder, '-cf', archive, ...names]);
}
