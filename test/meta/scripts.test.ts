// scripts/run and the scripts behind npm: where programs run, and what they say when they cannot.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { runProgram, temporaryFolder } from './programs.ts';
import { root } from './support.ts';

const CONFIG = { server_name: 'here', node_type: 'gate', gate_host: '127.0.0.1', gate_port: 0, worker_cnt: 1, modules: ['test'] };

test('a file that the user names is looked for where the user stands, with npm and without', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(`${folder}/here.json`, JSON.stringify(CONFIG));
  for (const start of [
    ['sh', `${root}/scripts/run`, 'src/cli/main.ts'],
    ['npm', '--silent', '--prefix', root, 'run', 'kim', '--'],
  ] as const) {
    const [program, ...args] = start;
    assert.match(await runProgram(folder, program, ...args, 'config', 'print', 'here.json'), /"server_name": "here"/);
  }
});

test('scripts/run names what it can not run', async () => {
  await assert.rejects(runProgram(root, 'sh', 'scripts/run'), /needs a file of this project, for example: sh scripts\/run src/);
  await assert.rejects(runProgram(root, 'sh', 'scripts/run', 'elsewhere.ts'), /runs files of this project .*, got elsewhere\.ts/);
  await assert.rejects(runProgram(root, 'sh', 'scripts/run', 'src/none.ts'), /there is no file .*src\/none\.ts/);
});

test('scripts say which argument they do not know', async () => {
  await assert.rejects(
    runProgram(root, process.execPath, 'scripts/test.ts', 'no-such-test'),
    /no test file has "no-such-test" in its path/,
  );
  await assert.rejects(runProgram(root, process.execPath, 'scripts/check.ts', '--quick'), /unknown argument --quick; there is one: --fast/);
  await assert.rejects(runProgram(root, process.execPath, 'scripts/generate.ts', 'docs'), /unknown argument docs; there is one: --check/);
});
