// kim node as a part of a cluster on this machine: what it tells the one who started it, and what happens without that one.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NodeStatus } from '../../src/ops/snapshot.ts';
import { CONFIG, folderOf, isAlive, KimNode } from '../support/kim.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

interface Started {
  type: 'started';
  listeners: { kind: string; host: string; port: number }[];
  adminUrl: string;
  workers: number;
}

async function forked(t: TestContext, more: object = {}): Promise<{ node: KimNode; file: string; started: Started }> {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, ...more } });
  const file = join(folder, 'node.json');
  const node = new KimNode(t, [file], { channel: true });
  return { node, file, started: (await node.told('started')) as unknown as Started };
}

test('a node that was forked tells where it serves, and nothing to the terminal', async (t) => {
  const { node, started } = await forked(t, { worker_cnt: 2 });
  assert.equal(started.workers, 2);
  assert.deepEqual(
    started.listeners.map(({ kind, host, port }) => ({ kind, host, isPort: port > 0 })),
    [{ kind: 'gate', host: '127.0.0.1', isPort: true }],
  );
  assert.match(started.adminUrl, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal(node.err, '');
});

test('a node that can not start says why to the one who forked it alone', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, modules: ['nowhere'] }, 'bad.json': { ...CONFIG, worker_cnt: 0 } });
  const node = new KimNode(t, [join(folder, 'node.json')], { channel: true });
  assert.match(String((await node.told('failed'))['message']), /unknown module "nowhere"/);
  assert.equal(await node.ended(), 255);
  assert.equal(node.err, '');
  const bad = new KimNode(t, [join(folder, 'bad.json')], { channel: true });
  assert.match(String((await bad.told('failed'))['message']), /worker_cnt is 0/);
  assert.equal(await bad.ended(), 2);
});

test('it takes a changed file when it is told to, and refuses one that can not be used as a whole', async (t) => {
  const { node, file, started } = await forked(t);
  const client = await RawClient.connect(started.listeners[0]!.port);
  t.after(() => client.destroy());
  writeFileSync(file, JSON.stringify({ ...CONFIG, worker_cnt: 2 }));
  node.child.send({ type: 'reload' });
  await node.told('applied');
  assert.equal((await node.logged('configuration changed'))['key'], 'worker_cnt');

  writeFileSync(file, JSON.stringify({ ...CONFIG, worker_cnt: 3, modules: ['nowhere'] }));
  node.child.send({ type: 'reload' });
  assert.match(String((await node.told('refused'))['message']), /unknown module "nowhere"/);
  const { modules, worker_cnt } = (await (await fetch(new URL('config', started.adminUrl))).json()) as {
    modules: string[];
    worker_cnt: number;
  };
  assert.deepEqual({ modules, worker_cnt }, { modules: CONFIG.modules, worker_cnt: 2 });
  assert.equal((await client.request(1001)).code, 0);
  assert.equal(client.ended, undefined);
});

test('told to drain because another takes its place, it frees its ports for another process before its last client has left', async (t) => {
  // at an address of its own: at the usual one the kernel may give a port that was freed to a connection of somebody else
  const host = '127.0.73.1';
  const { node, started } = await forked(t, { drain_ms: 3_600_000, gate_host: host, admin_host: host });
  const client = await RawClient.connect(started.listeners[0]!.port, { host });
  t.after(() => client.destroy());
  assert.equal((await client.request(1001)).code, 0);
  node.child.send({ type: 'drain', isReplaced: true });
  await node.told('draining');
  assert.equal(node.child.exitCode, null);
  for (const port of [started.listeners[0]!.port, Number(new URL(started.adminUrl).port)]) {
    const other = net.createServer().listen(port, host);
    await once(other, 'listening');
    other.close();
  }
  client.destroy();
  assert.equal(await node.ended(), 0);
});

test('without the one who forked it, it ends at once, and its workers, too', async (t) => {
  const { node, started } = await forked(t, { worker_cnt: 2 });
  const status = (await (await fetch(new URL('status', started.adminUrl))).json()) as NodeStatus;
  const workers = status.workers.map(({ pid }) => pid);
  assert.equal(workers.length, 2);
  node.child.disconnect();
  assert.equal(await node.ended(), 254);
  await until(() => !workers.some(isAlive), 'the workers are gone');
});

test('started by npm, it drains when npm is gone', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG });
  const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  // stands for npm: starts the node, tells its pid, and waits to be killed
  const script = `
    const { spawn } = require('node:child_process');
    const node = spawn(process.execPath, [${JSON.stringify(program)}, 'node', ${JSON.stringify(join(folder, 'node.json'))}], { stdio: ['ignore', 'pipe', 'inherit'] });
    node.stdout.once('data', () => console.log(node.pid));
    setInterval(() => {}, 1000);`;
  const env = { ...process.env, npm_lifecycle_event: 'kim' };
  const npm = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => npm.kill('SIGKILL'));
  const [line] = (await once(npm.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  assert.ok(isAlive(pid));
  npm.kill('SIGKILL');
  await until(() => !isAlive(pid), 'the node has noticed');
});
