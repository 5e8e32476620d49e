// A configuration that is read again: what counts at once, what new workers bring, and what needs a new process.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { startNode, testConfig } from '../support/node.ts';
import { ownModules } from '../support/own-modules.ts';
import { frame } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const TALKS = `(() => {
  let log;
  return {
    name: 'talks',
    start(host) { log = host.log; },
    commands: { 1001: () => { log.debug('somebody asked'); return 'answered'; } },
  };
})()`;

test('limits count at once in running workers, and the worker count follows', async (t) => {
  const node = await startNode(t, { worker_cnt: 1 });
  const client = await node.connect();
  const pids = node.pids();
  const applied = await node.manager.reload(testConfig({ worker_cnt: 2, max_frame: 64, keep_alive: '2h' }));
  assert.deepEqual(
    applied.map(({ key, apply, done }) => [key, apply, done]),
    [
      ['worker_cnt', 'live', true],
      ['keep_alive', 'live', true],
      ['max_frame', 'live', true],
    ],
  );
  assert.equal(node.pids().length, 2);
  assert.ok(node.pids().includes(pids[0]!), 'the worker is the same');
  assert.equal((await client.request(2001, 'short')).data, 'short');
  // connections that exist keep the frame size that they began with; new ones have the new one
  const late = await node.connectAll(2);
  for (const each of late) {
    each.write(frame(2001, 1, 'x'.repeat(100)));
    assert.match(await each.closed, /^(end|ECONNRESET)$/);
  }
  const { totals } = await node.statusWhen(({ totals: { connections } }) => connections === 1, 'they are gone');
  assert.equal(totals.closed.size, 2);
});

test('other modules come with new workers, and the clients stay', async (t) => {
  const modules = ownModules(t, {
    'one.mjs': `{ name: 'one', commands: { 1001: () => 'one' } }`,
    'two.mjs': `{ name: 'two', commands: { 1001: () => 'two' } }`,
  });
  const node = await startNode(t, { modules: ['one.mjs'], worker_cnt: 2 }, modules.folder);
  const clients = await node.connectAll(6);
  const old = node.pids();
  const applied = await node.manager.reload(testConfig({ modules: ['two.mjs'], worker_cnt: 2 }));
  assert.deepEqual(
    applied.map(({ key, apply, done }) => [key, apply, done]),
    [['modules', 'roll', true]],
  );
  for (const client of clients) assert.equal((await client.request(1001)).data, 'two');
  assert.ok(node.pids().every((pid) => !old.includes(pid)));
});

test('modules that can not start are refused; the old ones go on, also in a worker that is started later', async (t) => {
  const modules = ownModules(t, {
    'one.mjs': `{ name: 'one', commands: { 1001: () => 'one' } }`,
    'bad.mjs': `{ name: 'bad', start() { throw new Error('out of order'); } }`,
  });
  const node = await startNode(t, { modules: ['one.mjs'], restart_min_ms: 1 }, modules.folder);
  const client = await node.connect();
  await assert.rejects(node.manager.reload(testConfig({ modules: ['bad.mjs'] })), /module "bad" failed to start: out of order/);
  assert.equal((await client.request(1001)).data, 'one');
  process.kill(node.pids()[0]!, 'SIGKILL');
  await node.statusWhen(({ workers }) => workers[0]!.restarts === 1 && workers[0]!.state === 'serving', 'another worker serves');
  assert.equal((await (await node.connect()).request(1001)).data, 'one');
  // and the file can be corrected: the change is seen again
  const applied = await node.manager.reload(testConfig({ modules: ['one.mjs', 'load.ts'] })).catch((error: Error) => error.message);
  assert.match(String(applied), /unknown module "load\.ts"/);
});

test('what only a new process can take is reported as not done and changes nothing', async (t) => {
  const node = await startNode(t, { log_level: 'warn' });
  const { port } = node;
  const applied = await node.manager.reload(testConfig({ log_level: 'warn', gate_port: 1, server_name: 'other', drain_ms: 777 }));
  assert.deepEqual(
    applied.map(({ key, done }) => [key, done]),
    [
      ['server_name', false],
      ['drain_ms', true],
      ['gate_port', false],
    ],
  );
  assert.equal(node.port, port);
  assert.equal(node.manager.config.server_name, 'kim-test');
  assert.equal(node.manager.config.drain_ms, 777);
  assert.equal(node.log.filter((line) => line.includes('configuration change needs a new process')).length, 2);
  assert.equal((await (await node.connect()).request(2001, 'x')).data, 'x');
});

test('the log level reaches workers that run, that are being started and that come later', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kim-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log_path = join(folder, 'node.log');
  const modules = ownModules(t, {
    'talks.mjs': TALKS,
    'slow.mjs': `{ name: 'slow', async start() { while (isOn()) await sleep(5); } }`,
  });
  const node = await startNode(t, { modules: ['talks.mjs', 'slow.mjs'], log_path, restart_min_ms: 1 }, modules.folder);
  const said = () =>
    readFileSync(log_path, 'utf8')
      .split('\n')
      .filter((line) => line.includes('somebody asked')).length;
  const ask = async () => assert.equal((await (await node.connect()).request(1001)).data, 'answered');
  await ask();
  assert.equal(said(), 0);
  assert.deepEqual(await node.post('/loglevel', { level: 'debug' }), { status: 200, body: { level: 'debug', was: 'info' } });
  await ask();
  await until(() => said() === 1, 'the running worker logs it');

  modules.turnOn();
  process.kill(node.pids()[0]!, 'SIGKILL');
  await until(() => node.manager.pool.status().some(({ state, pid }) => state === 'starting' && pid > 0), 'another one starts');
  await node.post('/loglevel', { level: 'fatal' });
  modules.turnOff();
  await ask();
  await ask();
  assert.equal(said(), 1, 'the one that was starting knows');
  await node.post('/loglevel', { level: 'trace' });
  await node.manager.roll();
  await ask();
  await until(() => said() === 2, 'one that was started later knows');
});
