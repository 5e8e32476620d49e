// The cache of programs that the test cluster is made of. A stand-in for Go writes what it is asked for, and tells that it was asked.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { until } from '../support/until.ts';

const skip = process.platform === 'linux' ? false : 'the test cluster needs Linux';
const SUPPORT = join(import.meta.dirname, '../support/kube');

/** Go with this as its end; before that it has written one file for each package, and a line with its arguments. */
function place(t: TestContext, end: string): { folder: string; asked: () => string[]; programs: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'kim-programs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  mkdirSync(join(folder, 'bin'));
  const script = `#!/bin/sh
[ "$1" = build ] || exit 0
echo "$*" >>${folder}/asked
while [ "$1" != -o ]; do shift; done
out=$2; shift 2
for package in "$@"; do echo half >"$out\${package##*/}"; done
echo 'this is what Go says' >&2
${end}
`;
  writeFileSync(join(folder, 'bin/go'), script);
  chmodSync(join(folder, 'bin/go'), 0o755);
  const lines = () => (existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : []);
  return {
    folder,
    asked: lines,
    programs: () => globSync('cache/kube/*/*', { cwd: folder }).filter((path) => !path.includes('building-')),
  };
}

/** Another process that wants programs. */
function want(t: TestContext, folder: string, programs: readonly string[]): ChildProcess {
  const program = `
    const { providePrograms } = await import(${JSON.stringify(join(SUPPORT, 'programs.ts'))});
    await providePrograms(${JSON.stringify(programs)}).catch((error) => { console.error(error.message); process.exitCode = 1; });
  `;
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, KIM_CACHE: join(folder, 'cache') };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function said(child: ChildProcess): Promise<string> {
  let text = '';
  child.stderr!.on('data', (piece: Buffer) => (text += piece.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return `${text}code ${code}`;
}

test('programs are built once, however many ask for them at the same time', { skip }, async (t) => {
  const { folder, asked, programs } = place(t, '');
  const answers = await Promise.all([1, 2, 3].map(() => said(want(t, folder, ['kubectl', 'kubelet']))));
  for (const answer of answers) assert.match(answer, /code 0$/);
  assert.equal(asked().length, 1);
  assert.deepEqual(new Set(programs().map((path) => path.split('/').at(-1))), new Set(['kubectl', 'kubelet']));
  assert.match(await said(want(t, folder, ['kubectl'])), /^code 0$/);
  assert.equal(asked().length, 1);
});

test('a build that is killed leaves nothing that could be taken for a program, and the next one builds anew', { skip }, async (t) => {
  const { folder, asked, programs } = place(t, `[ "$(wc -l <${'$'}{0%/bin/go}/asked)" -gt 1 ] || exec sleep 60`);
  const first = want(t, folder, ['kubectl']);
  await until(() => globSync('cache/kube/building-*/out/kubectl', { cwd: folder }).length === 1, 'half of it is written');
  first.kill('SIGKILL');
  await once(first, 'exit');
  assert.deepEqual(programs(), []);
  assert.match(await said(want(t, folder, ['kubectl'])), /built kubernetes.*code 0$/s);
  assert.equal(asked().length, 2);
  assert.equal(programs().length, 1);
  assert.deepEqual(globSync('cache/kube/building-*', { cwd: folder }), []);
});

test('a build that fails says what Go said', { skip }, async (t) => {
  const { folder, programs } = place(t, 'exit 3');
  assert.match(await said(want(t, folder, ['etcd'])), /go build of etcd v[\d.]+ ended with 3 after \d+ s:\nthis is what Go says\ncode 1$/);
  assert.deepEqual(programs(), []);
});

test('without Go and without programs in the cache, the reason for skipping names both cures', { skip }, async (t) => {
  const { folder } = place(t, '');
  const program = `console.log((await import(${JSON.stringify(join(SUPPORT, 'needs.ts'))})).noControlPlane)`;
  const env = { PATH: '/nowhere', KIM_CACHE: join(folder, 'cache') };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  await once(child, 'close');
  assert.match(text, /^go .* is missing; install it, or set KIM_CACHE to a folder with programs that were built elsewhere$/m);
});
