// kim node: how it starts, what signals do to it, how it ends, and what it says when it can not.

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { CONFIG, folderOf, isAlive, kim, KimNode } from '../support/kim.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

/** Answers 2001 at once, and 2003 when the file "go" is written beside it. */
const HELLO = `
import { existsSync } from 'node:fs';
import { setInterval } from 'node:timers/promises';
import { defineModule } from 'kimserver';
const go = new URL('./go', import.meta.url);
export default defineModule({
  name: 'hello',
  commands: {
    2001: () => 'now',
    2003: async () => {
      for await (const _ of setInterval(5)) if (existsSync(go)) return 'late';
    },
  },
});
`;

async function connect(t: TestContext, { port }: KimNode): Promise<RawClient> {
  const client = await RawClient.connect(port);
  t.after(() => client.destroy());
  return client;
}

/** Pids of the workers, as the admin server tells them. */
async function workersOf({ admin }: KimNode): Promise<number[]> {
  const { workers } = JSON.parse((await kim(['status', admin, '-o', 'json'])).out) as { workers: { pid: number }[] };
  return workers.map(({ pid }) => pid);
}

test('kim node warns of unknown keys and of what it takes otherwise than written, and serves', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, worker_cn: 2, keep_alive: 30 } });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  await node.said(/^warning: unknown key "worker_cn" in line \d+; did you mean "worker_cnt"$/m);
  await node.said(/^warning: keep_alive 30 is taken as 30 seconds/m);
});

test('flags go over the environment, and that over the file', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG });
  const words = [join(folder, 'node.json'), '--set', 'worker_cnt=3'];
  const node = await KimNode.serving(t, words, { env: { KIM_WORKER_CNT: '2', KIM_SERVER_NAME: 'from-env', KIM_DEBUG: '1' } });
  assert.deepEqual(
    node.lines.filter(({ msg }) => msg === 'node serves').map(({ name, workers }) => ({ name, workers })),
    [{ name: 'from-env', workers: 3 }],
  );
  assert.equal(node.err, '');
});

test('a quiet log, or one in a file, leaves one line for the one who started it', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, log_path: 'kim.log' } });
  const node = new KimNode(t, ['node.json'], { cwd: folder });
  await node.said(/^kim-cli-test serves: gate port 127.0.0.1:\d+, admin page http:\/\/127.0.0.1:\d+\/; log in kim.log$/m);
});

test('what can not be served is one sentence and an exit code', async (t) => {
  const folder = folderOf(t, {
    'broken.json': '{ "node_type": "gate",\n  "gate_host": "127.0.0.1",\n  "worker_cnt": 600,\n  "max_frame": "many" }',
    'nowhere.json': { ...CONFIG, modules: ['nowhere'] },
    'throws.json': { ...CONFIG, modules: ['./throws.ts'] },
    'throws.ts': "throw new Error('no database');",
    'start.json': { ...CONFIG, modules: ['./start.ts'] },
    'start.ts': "export default { name: 'start', start() { throw new Error('no database'); } };",
    'strict.json': { ...CONFIG, worker_cn: 2 },
  });
  const run = async (...words: string[]) => {
    const { code, err } = await kim(['node', ...words], { cwd: folder });
    return [code, err] as const;
  };
  const [broken, problems] = await run('broken.json');
  assert.equal(broken, 2);
  assert.match(problems, /^kim: broken.json has 3 problems\n {2}line 3: worker_cnt is 600; .*\n {2}line 4: max_frame .*\n/);
  assert.match(problems, /gate_port is missing/);

  assert.match((await run('nowhere.json')).join(' '), /^255 kim: worker 1 ended: unknown module "nowhere" in modules; installed: test, /);
  assert.match(
    (await run('throws.json')).join(' '),
    /^255 kim: worker 1 ended: module ".\/throws.ts" \(.*\) can not be loaded: no database\n$/,
  );
  assert.match((await run('start.json')).join(' '), /^255 kim: worker 1 ended: module "start" failed to start: no database\n$/);
  assert.match(
    (await run('strict.json', '--strict')).join(' '),
    /^2 kim: strict.json:\d+: unknown key "worker_cn"; did you mean "worker_cnt"\n$/,
  );
  assert.match(
    (await run('strict.json', '--set', 'worker_cn=2')).join(' '),
    /^2 kim: the command line: --set worker_cn names no option; did you mean worker_cnt\n$/,
  );
  assert.match((await run('none.json')).join(' '), /^2 kim: none.json: there is no such file; check the path\n$/);
});

test('a port that is taken is told with who has it', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const { port } = holder.address() as net.AddressInfo;
  const folder = folderOf(t, { 'node.json': { ...CONFIG, gate_port: port } });
  const { code, err } = await kim(['node', join(folder, 'node.json')]);
  assert.equal(code, 255);
  // who has it can be known where there is /proc
  const who = existsSync('/proc/net/tcp') ? ` by .*\\(process ${process.pid}\\)` : '';
  assert.match(err, new RegExp(`^kim: cannot listen on 127.0.0.1:${port} \\(gate_port\\): the port is taken${who}; .*\n$`));
});

test('the stack is shown to those who ask for it', async () => {
  const { err } = await kim(['node', 'none.json'], { env: { KIM_DEBUG: '1' } });
  assert.match(err, /there is no such file.*\n +at /);
});

test('SIGHUP takes what changed, and refuses what can not be used', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG });
  const file = join(folder, 'node.json');
  const node = await KimNode.serving(t, [file]);
  const client = await connect(t, node);

  writeFileSync(file, JSON.stringify({ ...CONFIG, max_frame: '1MiB', gate_host: '0.0.0.0', max_fram: 1 }));
  node.signal('SIGHUP');
  assert.equal((await node.logged('configuration warning'))['warning'], 'unknown key "max_fram" in line 1; did you mean "max_frame"');
  const { key, to, apply } = await node.logged('configuration changed');
  assert.deepEqual([key, to, apply], ['max_frame', 1_048_576, 'live']);
  assert.equal((await node.logged('configuration change needs a new process'))['key'], 'gate_host');

  writeFileSync(file, JSON.stringify({ ...CONFIG, worker_cnt: 0 }));
  node.signal('SIGHUP');
  const refused = await node.logged('configuration refused; the node goes on with the old one');
  assert.match(String(refused['reason']), /worker_cnt is 0/);
  assert.equal((await client.request(1001)).code, 0);
});

test('SIGTERM lets the reply in flight leave and ends with 0; nothing is left behind', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, modules: ['./hello.ts'] }, 'hello.ts': HELLO });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  const workers = await workersOf(node);
  const client = await connect(t, node);
  assert.equal((await client.request(2001)).data, 'now');
  const late = client.request(2003);
  node.signal('SIGTERM');
  await node.logged('node drains');
  writeFileSync(join(folder, 'go'), '');
  assert.equal((await late).data, 'late');
  assert.equal(await node.ended(), 0);
  assert.equal(await client.closed, 'end');
  assert.equal(workers.length, 1);
  await until(() => !workers.some(isAlive), 'the worker is gone');
});

test('a drain that was asked for over HTTP ends the process, too', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  const response = await fetch(`http://${node.admin}/drain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(response.status, 202);
  await response.text();
  assert.equal(await node.ended(), 0);
});

test('a second SIGINT ends at once what the first would wait for', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, drain_ms: 3_600_000, modules: ['./hello.ts'] }, 'hello.ts': HELLO });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  const workers = await workersOf(node);
  const client = await connect(t, node);
  client.request(2003).catch(() => undefined);
  assert.equal((await (await connect(t, node)).request(2001)).data, 'now');
  node.signal('SIGINT');
  await node.logged('node drains');
  node.signal('SIGINT');
  assert.equal(await node.ended(), 0);
  await until(() => !workers.some(isAlive), 'the workers are gone');
});

test('SIGKILL leaves no worker behind', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, worker_cnt: 2 } });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  const workers = await workersOf(node);
  assert.equal(workers.length, 2);
  node.signal('SIGKILL');
  await until(() => !workers.some(isAlive), 'the workers have noticed');
});
