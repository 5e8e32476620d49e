// The package as users get it: packed, installed into an empty folder, and used from there with plain Node.js.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { runProgram, startNode, temporaryFolder } from './programs.ts';
import { root } from './support.ts';

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
}

type Packages = Readonly<Record<string, Locked>>;

const packagesOf = (file: string): Packages => (JSON.parse(readFileSync(file, 'utf8')) as { packages: Packages }).packages;
const { '': ours, ...others } = packagesOf(`${root}/package-lock.json`);
/** What the server needs when it runs, in the versions that were tested. */
const needed = Object.entries(others).filter(([, { dev }]) => dev !== true);

const HELLO = `// A module as a user writes it.
import { defineModule } from 'kimserver';

export default defineModule({
  name: 'hello',
  commands: { 2001: (data) => \`hello, \${data.toString()}\` },
});
`;

const CLIENT = `// A program of a user that asks the module.
import { createClient } from 'kimserver';

const [host = '', port = ''] = (process.argv[2] ?? '').split(':');
const client = createClient({ host, port: Number(port) });
const answer = await client.request(2001, 'client', { timeoutMs: 10_000 });
console.log(answer.code, answer.text());
await client.close();
`;

const CONFIG = {
  server_name: 'packed',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  admin_port: 0,
  worker_cnt: 1,
  modules: ['./hello.ts'],
};

const TYPES = {
  compilerOptions: { strict: true, noEmit: true, target: 'es2024', module: 'nodenext', types: ['node'], erasableSyntaxOnly: true },
  include: ['*.ts'],
};

test('packed and installed into an empty folder, it runs a module in TypeScript and answers', { timeout: 240_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const write = (file: string, content: unknown) =>
    writeFileSync(`${folder}/${file}`, typeof content === 'string' ? content : JSON.stringify(content));

  // dist, types and manifests are in it, and no sources
  await runProgram(root, 'npm', 'pack', '--pack-destination', folder);
  const files = (await runProgram(folder, 'tar', '-tzf', tarball())).trim().split('\n');
  for (const file of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/wire/proto/nodes.proto',
    'crds/kimclusters.kimserver.io.yaml',
    'manifests/quickstart.yaml',
    'LICENSE',
    'README.md',
  ])
    assert.ok(files.includes(`package/${file}`), `${file} is not in the package`);
  assert.deepEqual(
    files.filter((file) => /(?<!\.d)\.ts$|^package\/(src|test|scripts)\//.test(file)),
    [],
  );

  // it brings what it needs to run, in the versions of the lock file, and nothing more
  const dependencies = { kimserver: `file:${tarball()}` };
  const { devDependencies: _tools, ...kimserver } = ours as Locked & { devDependencies: unknown };
  const packages = {
    '': { dependencies },
    'node_modules/kimserver': { ...kimserver, resolved: dependencies.kimserver },
    ...Object.fromEntries(needed),
  };
  write('package.json', { private: true, type: 'module', dependencies });
  write('package-lock.json', { lockfileVersion: 3, requires: true, packages });
  await runProgram(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  const installed = packagesOf(`${folder}/node_modules/.package-lock.json`);
  assert.deepEqual(versions(Object.entries(installed)), versions([...needed, ['node_modules/kimserver', ours!]]));

  // a module and a client are checked against its types
  write('hello.ts', HELLO);
  write('client.ts', CLIENT);
  write('node.json', CONFIG);
  write('tsconfig.json', TYPES);
  // The types of Node.js are the user's own development package.
  const types = 'node_modules/@types/node';
  mkdirSync(`${folder}/node_modules/@types`, { recursive: true });
  if (!existsSync(`${folder}/${types}`)) symlinkSync(`${root}/${types}`, `${folder}/${types}`);
  await runProgram(folder, process.execPath, `${root}/node_modules/.bin/tsc`, '-p', '.');

  // the node runs the module; kim call and the client get its answer
  const kim = 'node_modules/.bin/kim';
  const node = await startNode(t, folder, kim, 'node', 'node.json');
  assert.match(await runProgram(folder, kim, 'call', node.address, '2001', 'world'), /hello, world/);
  assert.equal(await runProgram(folder, process.execPath, 'client.ts', node.address), '0 hello, client\n');
  assert.equal(await node.end(), 0);

  // kubectl finds its part of the program by the name
  assert.match(await runProgram(folder, 'node_modules/.bin/kubectl-kim', '--help'), /^Usage: kubectl kim .*drain <pod>/s);

  function tarball(): string {
    const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
    assert.ok(name !== undefined, 'npm pack made no file');
    return name;
  }
});

function versions(packages: readonly (readonly [string, Locked])[]): string[] {
  return packages.map(([path, { version }]) => `${path} ${version}`).toSorted();
}
