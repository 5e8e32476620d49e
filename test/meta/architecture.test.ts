// The picture of docs/architecture.md stays true: who may import whom, where packages come in, and how large files are.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import test from 'node:test';
import { root, sources } from './support.ts';

/** The server from the ground up; what stands on one line knows nothing of each other. */
const storeys = [
  ['errors', 'version'],
  ['wire', 'config'],
  ['ops'],
  ['net', 'kube'],
  ['session'],
  ['route'],
  ['cluster', 'store'],
  ['modules'],
  ['node'],
] as const;
const server = storeys.flat();
const ground = storeys[0];

/** What each folder of src (or file in it) may import besides itself. A folder that is not here may not exist. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(storeys.flatMap((names, height) => names.map((name) => [name, storeys.slice(0, height).flat()]))),
  client: [...ground, 'wire', 'net'],
  operator: [...ground, 'config', 'ops', 'kube'],
  console: [...ground, 'config', 'ops', 'kube'],
  bench: [...server, 'client'],
  cli: [...server, 'client', 'operator', 'console', 'bench'],
  index: [...server, 'client'],
};

/** Third-party packages come in through one file each, which says what we need of them. */
const doors: Readonly<Record<string, string>> = {
  zod: 'src/config/z.ts',
  yaml: 'src/config/yaml.ts',
  pino: 'src/ops/log.ts',
  'pino-pretty': 'src/ops/log.ts',
  'prom-client': 'src/ops/metrics.ts',
  protobufjs: 'src/wire/protobuf.ts',
  commander: 'src/cli/program.ts',
  '@kubernetes/client-node': 'src/kube/config.ts',
  'node-zookeeper-client': 'src/cluster/directories/zookeeper-client.ts',
  'fast-check': 'test/support/property.ts',
  'playwright-core': 'test/support/browser.ts',
};

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 200;

const all = sources('src', 'test', 'scripts').map((file) => ({ file, text: readFileSync(`${root}/${file}`, 'utf8') }));
const src = all.filter(({ file }) => file.startsWith('src/'));
const imports = new Map(all.map(({ file, text }) => [file, importsOf(text)]));
/** Without types, which are gone when the program runs. */
const loaded = new Map(all.map(({ file, text }) => [file, importsOf(text.replace(/^(import|export) type\b[^;]*;/gm, ''))]));

test('folders import only what stands below them', () => {
  const wrong = src.flatMap(({ file }) => {
    const from = partOf(file);
    const may = allowed[from];
    if (may === undefined) return [`${file}: there is no folder "${from}" in the house; give it a place in ${import.meta.filename}`];
    return oursOf(file)
      .map((target) => ({ target, to: partOf(target) }))
      .filter(({ target, to }) => !target.startsWith('src/') || (to !== from && !may.includes(to)))
      .map(({ target }) => `${file} imports ${target}; ${from} may import ${may.join(', ') || 'nothing'}`);
  });
  assert.deepEqual(wrong, []);
});

test('imports make no circle', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(' > '));
    if (at >= 0 || done.has(file)) return;
    for (const target of oursOf(file, loaded)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const { file } of all) visit(file, []);
  assert.deepEqual(circles, []);
});

test('each third-party package comes in through one file', () => {
  const wrong = all.flatMap(({ file }) =>
    packagesOf(file).flatMap((name) =>
      doors[name] === file ? [] : [`${file} imports ${name}; its place is ${doors[name] ?? 'not decided'}`],
    ),
  );
  assert.deepEqual(wrong, []);
});

test('every dependency has its one file, and development packages stay out of src', () => {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Record<string, Record<string, string>>;
  const shipped = Object.keys(manifest['dependencies'] ?? {});
  const inSrc = Object.keys(doors).filter((name) => doors[name]!.startsWith('src/'));
  assert.deepEqual(shipped.toSorted(), inSrc.toSorted());
});

test('wire and operator/plan are pure: no sockets, no clock, no chance', () => {
  const impure = /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|setImmediate|Math\.random|process\.(env|hrtime))\b/;
  const wrong = src.flatMap(({ file, text }) => {
    const plan = file.startsWith('src/operator/plan/');
    if (!plan && !file.startsWith('src/wire/')) return [];
    const nodes = (imports.get(file) ?? []).filter((name) =>
      plan ? isBuiltin(name) : /^node:(net|tls|http|dgram|child_process|timers)/.test(name),
    );
    const found = impure.exec(withoutComments(text))?.[0];
    return [...nodes.map((name) => `${file} imports ${name}`), ...(found === undefined ? [] : [`${file} uses ${found}`])];
  });
  assert.deepEqual(wrong, []);
});

test('the client needs Node.js only in its transport', () => {
  const wrong = src
    .filter(({ file }) => file.startsWith('src/client/') && !file.includes('/transport-'))
    .flatMap(({ file }) => (imports.get(file) ?? []).filter(isBuiltin).map((name) => `${file} imports ${name}`));
  assert.deepEqual(wrong, []);
});

test('modules of Node.js are imported with their prefix', () => {
  const wrong = all.flatMap(({ file }) =>
    (imports.get(file) ?? [])
      .filter((name) => builtinModules.includes(name) && !name.startsWith('node:'))
      .map((name) => `${file}: ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('each file says in its first line what it is for', () => {
  const wrong = all.filter(({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text)).map(({ file }) => file);
  assert.deepEqual(wrong, []);
});

test('files are small: each tells one story', () => {
  const lengths = src.map(({ file, text }) => ({ file, lines: text.trimEnd().split('\n').length })).sort((a, b) => a.lines - b.lines);
  const long = lengths
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ file, lines }) => `${file} has ${lines} lines, ${MAX_LINES} at most`);
  assert.deepEqual(long, []);
  const median = lengths[Math.floor(lengths.length / 2)]!.lines;
  assert.ok(median < MAX_MEDIAN_LINES, `the median is ${median} lines`);
});

/** src/node/serve.ts is of "node", src/errors.ts of "errors". */
function partOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

function oursOf(file: string, from = imports): string[] {
  return (from.get(file) ?? []).filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(file), name));
}

/** Packages by name: "@scope/name/part" is of "@scope/name". */
function packagesOf(file: string): string[] {
  const names = (imports.get(file) ?? []).filter((name) => !name.startsWith('.') && !isBuiltin(name) && name !== 'kimserver');
  return [
    ...new Set(
      names.map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    ),
  ];
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** What a file imports, types and import() included. */
function importsOf(text: string): string[] {
  const pattern = /^(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)|\brequire\('([^']+)'\)/gm;
  return [...withoutComments(text).matchAll(pattern)].map((match) => match.slice(1).find((name) => name !== undefined)!);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
