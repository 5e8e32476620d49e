// The folder as a directory: what all directories promise, and what only files can do wrong.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileDirectory } from '../../src/cluster/directories/file.ts';
import { recordText } from '../../src/cluster/directories/file-record.ts';
import { startOf } from '../../src/cluster/directories/process-life.ts';
import type { Announcement } from '../../src/cluster/directory.ts';
import { CombinedDirectory } from '../../src/cluster/directories/combined.ts';
import { blockFolder, folderNames, removeFolder } from '../support/folders.ts';
import { until } from '../support/until.ts';
import { directoryContract, nodeOf, Watched } from './directory.ts';

const newFolder = folderNames('kim-members');

directoryContract('file', {
  isWritable: true,
  place: (t) => {
    const folder = newFolder();
    return Promise.resolve({
      // every handle is its own node, though all of them are one process here
      directory: () => new FileDirectory({ folder, pollMs: 50, writer: `${++handles}` }),
      wipe: () => Promise.resolve(removeFolder(folder)),
      stop: () => Promise.resolve(blockFolder(folder)),
      start: () => Promise.resolve(rmSync(folder)),
      process: (announcement) => announceElsewhere(t, folder, announcement),
    });
  },
});
let handles = 0;

const FILE_DIRECTORY = new URL('../../src/cluster/directories/file.ts', import.meta.url).href;

/** A process of its own that announces a node. */
async function announceElsewhere(t: TestContext, folder: string, announcement: Announcement): Promise<{ kill(): Promise<void> }> {
  const code = `
    import { FileDirectory } from '${FILE_DIRECTORY}';
    const directory = new FileDirectory({ folder: ${JSON.stringify(folder)} });
    directory.open({ members() {}, health() {} });
    await directory.announce(${JSON.stringify(announcement)});
    console.log('announced');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Looks so seldom that only what is noticed counts. */
const NEVER_MS = 3_600_000;

const open = (t: TestContext, folder: string, maxMembers?: number) => new Watched(t, new FileDirectory({ folder, pollMs: 20, maxMembers }));

test('a record of a process that has died does not count, and is removed', async (t) => {
  const folder = newFolder();
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
  const folder = newFolder();
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  writeFileSync(join(folder, 'reused.json'), recordText(nodeOf(1), { pid: process.pid, started: '1' }));
  writeFileSync(join(folder, 'good.json'), recordText(nodeOf(2), { pid: process.pid, started: startOf(process.pid) }));
  await watched.sees([nodeOf(2)], 'only the good one is seen');
});

test('half a record, no record and a huge one cost nobody anything', async (t) => {
  const folder = newFolder();
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
  const folder = newFolder();
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  const stale = join(folder, 'kim.json.3');
  writeFileSync(stale, '{"type"');
  utimesSync(stale, 1, 1);
  await until(() => !readdirSync(folder).includes('kim.json.3'), 'it is removed');
});

test('more records than the limit are left out, and the health says so', async (t) => {
  const folder = newFolder();
  const first = open(t, folder);
  await until(() => first.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  for (let n = 1; n <= 5; n++) writeFileSync(join(folder, `${n}.json`), recordText(nodeOf(n), writer));
  const limited = open(t, folder, 3);
  await until(() => limited.members.length === 3, 'three are seen');
  assert.match(limited.directory.health.detail, /2 records above the limit of 3 are left out/);
});

test('a folder that can not be made is down, with the reason, and is up when it can', async (t) => {
  const folder = newFolder();
  const parent = join(folder, '..');
  writeFileSync(folder, 'a file stands in the way');
  const watched = open(t, folder);
  await until(() => watched.directory.health.state === 'down', 'it is down');
  assert.match(watched.directory.health.detail, /EEXIST|ENOTDIR/);
  rmSync(folder);
  await watched.directory.announce(nodeOf(1));
  await until(() => watched.directory.health.state === 'up', 'it is up');
  assert.ok(readdirSync(parent).includes(basename(folder)));
});

test('a folder that goes away in the middle of a look tells nothing less than before', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  const nodes = Array.from({ length: 100 }, (_, n) => nodeOf(n));
  for (const [n, node] of nodes.entries()) writeFileSync(join(folder, `n${n}.json`), recordText(node, writer));
  await watched.sees(nodes, 'all are seen');
  const { length } = watched.lists;
  const aside = newFolder();
  for (let i = 0; i < 20; i++) {
    // a look takes a few turns of the event loop: the folder goes away in each of them once
    writeFileSync(join(folder, 'n0.json'), recordText({ ...nodeOf(0), name: `name-${i}` }, writer));
    for (let turn = 0; turn < 5 * i; turn++) await new Promise(setImmediate);
    renameSync(folder, aside);
    writeFileSync(folder, 'a file stands in the way');
    await until(() => watched.directory.health.state === 'down', 'it is down');
    rmSync(folder);
    renameSync(aside, folder);
    await until(() => watched.directory.health.state === 'up', 'it is up');
  }
  assert.deepEqual([...new Set(watched.lists.slice(length).map((list) => list.length))], [100]);
});

test('two hundred nodes at once are seen, each once', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  const nodes = Array.from({ length: 200 }, (_, n) => nodeOf(n));
  for (const [n, node] of nodes.entries()) writeFileSync(join(folder, `n${n}.json`), recordText(node, writer));
  await watched.sees(nodes, 'all are seen');
});

test('a record says who wrote it, for people', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  const [name] = readdirSync(folder);
  const record = JSON.parse(readFileSync(join(folder, name!), 'utf8')) as { name: string; writer: { pid: number } };
  assert.deepEqual([record.name, record.writer.pid], ['kim-1', process.pid]);
});

test('a process that has died counts as dead though nobody has waited for it', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  // the shell becomes a program that does not know of its child
  const parent = spawn('sh', ['-c', 'sleep 3600 & echo $!; exec sleep 3600']);
  t.after(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  const parentStart = await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').startsWith('sleep') && startOf(pid), 'it runs');
  writeFileSync(join(folder, 'child.json'), recordText(nodeOf(1), { pid, started: parentStart }));
  await watched.sees([nodeOf(1)], 'it is seen while its process lives');
  process.kill(pid, 'SIGKILL');
  await watched.sees([], 'it is gone');
  assert.match(readFileSync(`/proc/${pid}/stat`, 'latin1'), /\) Z /, 'nobody has waited for it');
});

test('a folder that somebody deletes is made anew, and what happens in it is noticed as before', async (t) => {
  const folder = newFolder();
  const watched = new Watched(t, new FileDirectory({ folder, pollMs: NEVER_MS }));
  await watched.directory.announce(nodeOf(1));
  removeFolder(folder);
  await until(() => readdirSync(folder).some((name) => name.endsWith('.json')), 'the own record is back');
  // each only when the one before was seen: the look of one may see the next
  for (let n = 2; n <= 6; n++) {
    writeFileSync(join(folder, `${n}.json`), recordText(nodeOf(n), { pid: process.pid, started: startOf(process.pid) }));
    await watched.sees(
      Array.from({ length: n }, (_, i) => nodeOf(i + 1)),
      'the other is noticed',
    );
  }
});

test('a folder that somebody deletes is a loss, so that those who were in it stay known until they are back', async (t) => {
  const folder = newFolder();
  const [a, b] = ['a', 'b'].map((writer) => new Watched(t, new CombinedDirectory([new FileDirectory({ folder, pollMs: 20, writer })])));
  await a!.directory.announce(nodeOf(1));
  await b!.directory.announce(nodeOf(2));
  await Promise.all([a, b].map((each) => each!.sees([nodeOf(1), nodeOf(2)], 'both are seen')));
  const [toldA, toldB] = [a!.lists.length, b!.lists.length];
  for (let i = 0; i < 5; i++) {
    const { length } = b!.healths;
    removeFolder(folder);
    await until(() => b!.healths.length >= length + 2, 'it was lost and is back');
    await until(() => readdirSync(folder).filter((name) => name.endsWith('.json')).length === 2, 'both records are back');
  }
  for (const list of [...a!.lists.slice(toldA), ...b!.lists.slice(toldB)]) assert.equal(list.length, 2);
  assert.ok(b!.healths.some(({ detail }) => detail.includes('was deleted')));
});

test('what is no record takes nobody the place below the limit, and the own record is never left out', async (t) => {
  const folder = newFolder();
  const first = open(t, folder);
  await until(() => first.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  for (let n = 1; n <= 3; n++) writeFileSync(join(folder, `0-junk-${n}.json`), '{');
  for (let n = 2; n <= 4; n++) writeFileSync(join(folder, `0-node-${n}.json`), recordText(nodeOf(n), writer));
  const limited = open(t, folder, 3);
  await limited.directory.announce(nodeOf(1));
  await limited.sees([nodeOf(1), nodeOf(2), nodeOf(3)], 'three are seen, itself among them');
  assert.match(limited.directory.health.detail, /1 records above the limit of 3 are left out/);
});

test('an announcement that another one overtakes is done when that is', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  const first = watched.directory.announce(nodeOf(1));
  const second = watched.directory.announce(nodeOf(1, { workers: 9 }));
  await first;
  const [name] = readdirSync(folder).filter((each) => each.endsWith('.json'));
  assert.equal((JSON.parse(readFileSync(join(folder, name!), 'utf8')) as Announcement).workers, 9);
  await second;
});

test('a node that changes its address leaves no record of the old one', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await watched.directory.announce(nodeOf(1));
  await watched.directory.announce(nodeOf(2));
  await watched.sees([nodeOf(2)], 'only the new address is seen');
  assert.equal(readdirSync(folder).length, 1);
});

test('of two records of one address the newer is told alone, and the older when that is gone', async (t) => {
  const folder = newFolder();
  const watched = open(t, folder);
  await until(() => watched.lists.length > 0, 'the folder is there');
  const writer = { pid: process.pid, started: startOf(process.pid) };
  const newer = nodeOf(1, { name: 'kim-newer', activeTime: 1_800_000_000.5 });
  writeFileSync(join(folder, 'b.json'), recordText(newer, writer));
  writeFileSync(join(folder, 'a.json'), recordText(nodeOf(1), writer));
  await watched.sees([newer], 'the newer is seen');
  rmSync(join(folder, 'b.json'));
  await watched.sees([nodeOf(1)], 'the older is seen');
  assert.ok(watched.lists.every((list) => list.length <= 1));
});
