// The folder as a directory: what all directories promise, and what only files can do wrong.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileDirectory } from '../../src/cluster/directories/file.ts';
import { recordText } from '../../src/cluster/directories/file-record.ts';
import { startOf } from '../../src/cluster/directories/process-life.ts';
import { until } from '../support/until.ts';
import { directoryContract, nodeOf, Watched } from './directory.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kim-members-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'members');
}

directoryContract('file', {
  isWritable: true,
  place: (t) => {
    const folder = folderFor(t);
    return Promise.resolve({
      // every handle is its own node, though all of them are one process here
      directory: () => new FileDirectory({ folder, pollMs: 50, writer: `${++handles}` }),
      wipe: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
    });
  },
});
let handles = 0;

const open = (t: TestContext, folder: string, maxMembers?: number) => new Watched(t, new FileDirectory({ folder, pollMs: 20, maxMembers }));

test('a record of a process that has died does not count, and is removed', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const pid = child.pid!;
  await until(() => startOf(pid), 'it runs');
  writeFileSync(join(folder, 'other.json'), recordText(nodeOf(1), { pid, started: startOf(pid) }));
  await watched.sees([nodeOf(1)], 'it is seen while its process lives');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await watched.sees([], 'it is gone with its process');
  await until(() => readdirSync(folder).length === 0, 'its file is removed');
});

test('a record whose process number belongs to another process by now does not count', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  writeFileSync(join(folder, 'reused.json'), recordText(nodeOf(1), { pid: process.pid, started: '1' }));
  writeFileSync(join(folder, 'good.json'), recordText(nodeOf(2), { pid: process.pid, started: startOf(process.pid) }));
  await watched.sees([nodeOf(2)], 'only the good one is seen');
});

test('half a record, no record and a huge one cost nobody anything', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  const text = recordText(nodeOf(2), { pid: process.pid, started: startOf(process.pid) });
  writeFileSync(join(folder, 'half.json'), text.slice(0, 40));
  writeFileSync(join(folder, 'empty.json'), '');
  writeFileSync(join(folder, 'huge.json'), `${text.slice(0, -3)},"more":"${'x'.repeat(100_000)}"}`);
  writeFileSync(join(folder, 'other.json'), '{"type":"gate","port":"x"}');
  writeFileSync(join(folder, 'good.json'), text);
  await watched.sees([nodeOf(1), nodeOf(2)], 'those that can be read are seen');
});

test('what a writer that crashed left half written is removed when it is old', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  const stale = join(folder, 'kim.json.3');
  writeFileSync(stale, '{"type"');
  utimesSync(stale, 1, 1);
  await until(() => !readdirSync(folder).includes('kim.json.3'), 'it is removed');
});

test('more records than the limit are left out, and the health says so', async (t) => {
  const folder = folderFor(t);
  const first = open(t, folder);
  await until(() => first.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  for (let n = 1; n <= 5; n++) writeFileSync(join(folder, `${n}.json`), recordText(nodeOf(n), writer));
  const limited = open(t, folder, 3);
  await until(() => limited.members.length === 3, 'three are seen');
  assert.match(limited.directory.health.detail, /2 records above the limit of 3 are left out/);
});

test('a folder that can not be made is down, with the reason, and is up when it can', async (t) => {
  const folder = folderFor(t);
  const parent = join(folder, '..');
  writeFileSync(folder, 'a file stands in the way');
  const watched = open(t, folder);
  await until(() => watched.directory.health.state === 'down', 'it is down');
  assert.match(watched.directory.health.detail, /EEXIST|ENOTDIR/);
  rmSync(folder);
  await watched.directory.announce(nodeOf(1));
  await until(() => watched.directory.health.state === 'up', 'it is up');
  assert.ok(readdirSync(parent).includes('members'));
});

test('two hundred nodes at once are seen, each once', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  const nodes = Array.from({ length: 200 }, (_, n) => nodeOf(n));
  for (const [n, node] of nodes.entries()) writeFileSync(join(folder, `n${n}.json`), recordText(node, writer));
  await watched.sees(nodes, 'all are seen');
});

test('a record says who wrote it, for people', async (t) => {
  const folder = folderFor(t);
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  const [name] = readdirSync(folder);
  const record = JSON.parse(readFileSync(join(folder, name!), 'utf8')) as { name: string; writer: { pid: number } };
  assert.deepEqual([record.name, record.writer.pid], ['kim-1', process.pid]);
});
