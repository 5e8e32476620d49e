// From the names of a configuration to modules: shipped ones, users' files, the original's .so names, and what is said about all others.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { shipped } from '../../../src/modules/index.ts';
import { findModule, loadModules, moduleFiles } from '../../../src/route/load.ts';

/** A folder with these files, gone at the end of the test. */
function folderWith(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kim-load-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const empty = (name: string) => `export default { name: '${name}' };\n`;

test('shipped modules are found by name, and by what the original calls them', () => {
  for (const [name, found] of [
    ['test', 'test'],
    ['echo', 'echo'],
    ['module_test.so', 'test'],
  ] as const) {
    assert.deepEqual(findModule(name, '/nowhere', shipped), { kind: 'shipped', name: found });
  }
});

test('any other .so is refused with what there is instead', () => {
  assert.throws(
    () => findModule('module_chat.so', '/nowhere', shipped),
    /^Error: module "module_chat\.so" is a C\+\+ library, which this server can not load; write it in TypeScript \(docs\/modules\.md\), or use one of: module_test\.so, test, echo$/,
  );
  assert.throws(() => findModule('./lib/mine.so', '/nowhere', shipped), /C\+\+ library/);
});

test('a file is found with its ending or without, in a folder as index, and beside the configuration in modules', (t) => {
  const folder = folderWith(t, {
    'chat.ts': empty('chat'),
    'plain.mjs': empty('plain'),
    'lib/index.ts': empty('lib'),
    'modules/own.ts': empty('own'),
  });
  for (const [name, file] of [
    ['./chat.ts', 'chat.ts'],
    ['./chat', 'chat.ts'],
    ['chat', 'chat.ts'],
    ['./plain', 'plain.mjs'],
    ['./lib', 'lib/index.ts'],
    ['own', 'modules/own.ts'],
    [join(folder, 'chat'), 'chat.ts'],
  ] as const) {
    assert.deepEqual(findModule(name, folder, shipped), { kind: 'file', file: join(folder, file) }, name);
  }
  assert.deepEqual(moduleFiles(['test', './chat', 'own'], folder, shipped), [join(folder, 'chat.ts'), join(folder, 'modules/own.ts')]);
});

test('a shipped name wins over a file of the same name, unless the file is named as one', (t) => {
  const folder = folderWith(t, { 'echo.ts': empty('mine') });
  assert.equal(findModule('echo', folder, shipped).kind, 'shipped');
  assert.equal(findModule('./echo', folder, shipped).kind, 'file');
});

test('an unknown name is answered with those that are installed', (t) => {
  const folder = folderWith(t, { 'chat.ts': empty('chat'), 'modules/own.js': empty('own'), 'notes.txt': '' });
  assert.throws(
    () => findModule('chatt', folder, shipped),
    (error: Error) => {
      assert.equal(
        error.message,
        `unknown module "chatt" in modules; installed: test, echo, chat.ts, own.js; looked for the file ${join(folder, 'chatt')} and ${join(folder, 'modules/chatt')}`,
      );
      return true;
    },
  );
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.throws(() => findModule(name, folder, shipped), new RegExp(`^Error: unknown module "${name}" in modules; installed: `));
  }
});

test('modules are loaded in the order of the configuration', async (t) => {
  const folder = folderWith(t, { 'a.ts': empty('a'), 'b.ts': empty('b') });
  const modules = await loadModules(['b', 'test', 'a'], folder, shipped);
  assert.deepEqual(
    modules.map(({ name }) => name),
    ['b', 'test', 'a'],
  );
});

test('a file that can not be loaded is named with the reason', async (t) => {
  const folder = folderWith(t, {
    'broken.ts': 'export default {',
    'throws.ts': "throw new Error('no license');\n",
    'missing.ts': "import './nothing.ts';\n",
  });
  await assert.rejects(loadModules(['./broken'], folder, shipped), /^Error: module "\.\/broken" \(.*broken\.ts\) can not be loaded: /);
  await assert.rejects(
    loadModules(['./throws'], folder, shipped),
    /^Error: module "\.\/throws" \(.*throws\.ts\) can not be loaded: no license$/,
  );
  await assert.rejects(loadModules(['./missing'], folder, shipped), /can not be loaded: Cannot find module .*nothing\.ts/);
});

test('a file that throws something odd is named as well', async (t) => {
  const folder = folderWith(t, { 'odd.ts': "throw 'just text';\n" });
  await assert.rejects(loadModules(['./odd'], folder, shipped), /^Error: module "\.\/odd" \(.*odd\.ts\) can not be loaded: just text$/);
});

test('a file that exports no module is named with what it lacks', async (t) => {
  const folder = folderWith(t, {
    'none.ts': 'export const name = 1;\n',
    'odd.ts': "export default { name: 'odd', commands: { 1001: 5 } };\n",
  });
  await assert.rejects(
    loadModules(['./none'], folder, shipped),
    /none\.ts is not a module: its default export is not what defineModule returns; see docs\/modules\.md$/,
  );
  await assert.rejects(
    loadModules(['./odd'], folder, shipped),
    /odd\.ts is not a module: command 1001 must be a handler or \{ handler, \.\.\. \}; see docs\/modules\.md$/,
  );
});

test('the shipped modules are modules', async () => {
  const modules = await loadModules(Object.keys(shipped), '/nowhere', shipped);
  assert.deepEqual(
    modules.map(({ name }) => name),
    Object.keys(shipped),
  );
});
