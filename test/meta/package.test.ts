// The package says what the project does, and tracked files speak of the project alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { root } from './support.ts';

interface Manifest {
  version: string;
  license: string;
  engines: Record<string, string>;
  bin: Record<string, string>;
  exports: Record<string, { types: string; default: string } | string>;
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as {
  version: string;
  packages: Record<string, { version: string; hasInstallScript?: boolean }>;
};
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);

test('the scripts of the documents are there and run on the pinned Node.js', () => {
  const wanted = ['up', 'kim', 'test', 'check', 'bench', 'fuzz', 'build', 'format', 'generate'];
  assert.deepEqual(
    wanted.filter((name) => !manifest.scripts[name]?.startsWith('exec sh scripts/run ')),
    [],
  );
});

test('every script runs a file that exists', () => {
  const files = Object.values(manifest.scripts).flatMap((script) => /^exec sh scripts\/run (\S+)/.exec(script)?.[1] ?? []);
  assert.ok(files.length >= 9);
  for (const file of files) assert.ok(statSync(`${root}/${file}`).isFile(), file);
});

test('the pinned Node.js and what the package asks for fit together', () => {
  assert.equal(manifest.engines['node'], '>=22.19');
  assert.equal(lock.packages['node_modules/node']?.version, process.versions.node, 'run the tests with "npm test"');
});

test('nothing compiles or downloads when it is installed, but for Node.js itself', () => {
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  assert.deepEqual(
    scripted.map(([path]) => path),
    ['node_modules/node'],
  );
  assert.deepEqual(manifest.allowScripts, { node: true });
});

test('the program, the public entry and the types are what the build makes', () => {
  assert.deepEqual(manifest.bin, { kim: 'dist/cli/main.js', 'kubectl-kim': 'dist/cli/kubectl-kim.js' });
  assert.deepEqual(manifest.exports['.'], { types: './dist/index.d.ts', default: './dist/index.js' });
  for (const file of ['main', 'kubectl-kim']) assert.match(read(`src/cli/${file}.ts`), /^#!\/usr\/bin\/env node\n/);
  assert.ok(manifest.files.includes('dist'));
});

test('one version: in the package, its lock file and on top of the changelog', () => {
  assert.equal(lock.version, manifest.version);
  const [newest = ''] = /^## .*$/m.exec(read('CHANGELOG.md')) ?? [];
  assert.ok(newest.includes(manifest.version), `the first heading of CHANGELOG.md is "${newest}", the version is ${manifest.version}`);
});

test('the license is MIT', () => {
  assert.equal(manifest.license, 'MIT');
  assert.match(read('LICENSE'), /^MIT License\n\nCopyright \(c\) \d{4} the kimserver authors\n/);
});

test('the lock file names packages and no place to get them from', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/);
});

test("no tracked file names a folder of somebody's machine or a registry", () => {
  // Put together here, so that this file passes.
  const folders = ['work', 'root', 'farm'].join('|');
  const forbidden = [
    new RegExp(`(^|[\\s"'\`(=:,])/(${folders})/`, 'm'),
    new RegExp(`\\b${'regis'}try\\.[a-z0-9-]+\\.[a-z]{2,}`),
    ...registryHost(),
  ];
  const found = tracked
    .filter((file) => existsSync(`${root}/${file}`))
    .flatMap((file) =>
      forbidden.flatMap((pattern) => (pattern.exec(read(file)) ?? []).slice(0, 1).map((text) => `${file}: ${text.trim()}`)),
    );
  assert.deepEqual(found, []);
});

/** Where this machine gets its packages from, if it is configured: that name may not get into a file either. */
function registryHost(): RegExp[] {
  const url = process.env['npm_config_registry'] ?? '';
  return URL.canParse(url) ? [new RegExp(new URL(url).hostname.replaceAll('.', '\\.'))] : [];
}
