// Lays out the files of the image: what the Dockerfile copies into an empty one. The package must be built and pruned before.
// usage: node scripts/image.ts FOLDER

import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './support/project.ts';

/** Where the image has the package. */
const APP = '/app';
const NODE = '/usr/local/bin/node';
const USER = 10001;
const PARTS = ['dist', 'node_modules', 'manifests', 'crds', 'package.json', 'LICENSE'];
/** Of the packages we depend on: what only people and compilers read. */
const UNUSED = /\.(map|d\.[cm]?ts|md|markdown|tsbuildinfo)$|\/node_modules\/\.bin(\/|$)/;

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0 || existsSync(join(folder, APP))) {
  console.error('scripts/image.ts takes one argument, a folder that holds no image yet');
  process.exit(2);
}

for (const part of PARTS.filter((name) => existsSync(`${root}/${name}`))) {
  const target = place(`${APP}/${part}`);
  cpSync(`${root}/${part}`, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => part !== 'node_modules' || !UNUSED.test(file) || /licen[cs]e|notice/i.test(file),
  });
}

copyProgram(process.execPath, NODE);
for (const library of sharedLibraries()) copyProgram(library, library);

// there is neither a shell nor env, so the first line of dist/cli/main.js leads nowhere
writeFileSync(place('/usr/local/bin/kim'), `#!${NODE}\nimport('${APP}/dist/cli/main.js');\n`, { mode: 0o755 });

// modules anywhere in the image import 'kimserver', and get the one that runs
mkdirSync(place('/modules'));
mkdirSync(place('/node_modules'));
symlinkSync(APP, place('/node_modules/kimserver'));

mkdirSync(place('/tmp'));
chmodSync(place('/tmp'), 0o1777);
writeFileSync(place('/etc/passwd'), `root:x:0:0:root:/:\nkimserver:x:${USER}:${USER}:kimserver:/tmp:\n`);
writeFileSync(place('/etc/group'), `root:x:0:\nkimserver:x:${USER}:\n`);
writeFileSync(place('/etc/nsswitch.conf'), 'hosts: files dns\n');

function place(path: string): string {
  const file = join(folder!, path);
  mkdirSync(dirname(file), { recursive: true });
  return file;
}

/** Under the name by which it is loaded, whatever links lead there. */
function copyProgram(from: string, to: string): void {
  copyFileSync(realpathSync(from), place(to));
  chmodSync(place(to), 0o755);
}

/** What the dynamic linker brought to this Node.js, the linker included; the kernel's own part has no file. */
function sharedLibraries(): string[] {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects.filter((file) => file.startsWith('/') && existsSync(file));
}
