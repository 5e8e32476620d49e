// kim config and kim modules, as processes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { CONFIG, folderOf, kim } from '../support/kim.ts';

const CLUSTER = `apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: shop }
spec:
  gate:
    workers: 2
    listeners: [{ port: 3355 }]
    modules: [test]
    limits: { maxFrame: 1MiB }
  logic:
    modules: [./orders.ts]
`;
const ORDERS = "export default { name: 'orders', start() {}, commands: { 2001: () => 'one', 2003: () => 'two' }, fallback: () => 'all' };";
const SECRET = { ...CONFIG, database: { nodes: { shop: { host: 'db', user: 'me', password: 'hidden' } } } };

test('config check names everything that is wrong, with its line, and ends with 2', async (t) => {
  const folder = folderOf(t, {
    'node.json': '{\n  "node_type": "gate",\n  "gate_host": "127.0.0.1",\n  "gate_port": 70000,\n  "modules": ["test",\n    "nowhere"]\n}',
    'modules.json': '{\n  "node_type": "gate",\n  "gate_host": "127.0.0.1",\n  "gate_port": 0,\n  "modules": ["test",\n    "nowhere"]\n}',
    'shop.yaml': CLUSTER.replace('workers: 2', 'worker: 2').replace('port: 3355', 'port: 0x'),
    'broken.json': '{ "node_type": "gate", }',
    'orders.ts': ORDERS,
    'bare.yaml': CLUSTER.replace('[./orders.ts]', '[orders]'),
  });
  const refused = async (file: string) => {
    const { code, out, err } = await kim(['config', 'check', file], { cwd: folder });
    assert.deepEqual([code, out], [2, '']);
    return err;
  };
  assert.match(await refused('node.json'), /^kim: node.json:4: gate_port is 70000; allowed: .*\n$/);
  assert.match(await refused('modules.json'), /^kim: modules.json:6: unknown module "nowhere" in modules; installed: test, echo/);
  assert.match(
    await refused('shop.yaml'),
    /^kim: shop.yaml has 2 problems\n {2}line 6: unknown key "worker" in spec.gate; did you mean "workers"\n {2}line 7: spec.gate.listeners\[0\].port is "0x"; .*\n$/,
  );
  assert.match(await refused('broken.json'), /^kim: broken.json:1: not JSON at line 1, column 22: .*\n$/);
  assert.match(
    await refused('bare.yaml'),
    /^kim: bare.yaml:11: module "orders" does not ship with kimserver; a KimCluster names your own by their path, as .\/orders\n$/,
  );
  assert.match(await refused('none.yaml'), /^kim: none.yaml: there is no such file; check the path\n$/);
});

test('config check says what a good file is, with warnings; --strict takes none', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, worker_cn: 2 }, 'shop.yaml': CLUSTER, 'orders.ts': ORDERS });
  const node = await kim(['config', 'check', 'node.json'], { cwd: folder });
  assert.equal(node.code, 0);
  assert.match(
    node.out,
    /^node.json is good: the configuration of a node\n {2}kim-cli-test: 1 worker, gate port 127.0.0.1:0, modules test, echo\nwarning: unknown key "worker_cn" in line \d+; did you mean "worker_cnt"\n$/,
  );
  const cluster = await kim(['config', 'check', 'shop.yaml'], { cwd: folder });
  assert.match(
    cluster.out,
    /^shop.yaml is good: the KimCluster shop\n {2}logic: 1 node with 1 worker, .*orders.ts\n {2}gate: 1 node with 2 workers, gate port 127.0.0.1:3355, .* modules test, relays 1000- to logic\n$/,
  );
  assert.equal((await kim(['config', 'check', 'node.json', '--strict'], { cwd: folder })).code, 2);
});

test('config check judges a KimCluster for Kubernetes too, where replicas have addresses of their own', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG, 'large.yaml': CLUSTER.replace('workers: 2', 'replicas: 20') });
  const check = (...words: string[]) => kim(['config', 'check', ...words], { cwd: folder });
  assert.match((await check('large.yaml')).err, /begin further apart/);
  const { code, out } = await check('large.yaml', '--kubernetes');
  assert.deepEqual(
    [code, out],
    [0, 'large.yaml is good for Kubernetes: the KimCluster shop\n  gate: 20 pods with 1 worker\n  logic: 1 pod with 1 worker\n'],
  );
  assert.match((await check('node.json', '--kubernetes')).err, /--kubernetes is for KimClusters, and node.json is a node; leave it out/);
});

test('config check tells programs the same', async (t) => {
  const folder = folderOf(t, { 'node.json': { worker_cnt: 0, ...CONFIG } });
  const check = async (...words: string[]) => {
    const { code, out } = await kim(['config', 'check', 'node.json', '-o', 'json', ...words], { cwd: folder });
    return { code, ...(JSON.parse(out) as { ok: boolean; problems: { path: string; line?: number }[] }) };
  };
  const { code, ok, problems } = await check();
  assert.deepEqual([code, ok, problems[0]?.path, problems[0]?.line], [2, false, 'worker_cnt', 2]);
  assert.deepEqual(await check('--set', 'worker_cnt=1'), { code: 0, file: 'node.json', ok: true, problems: [], warnings: [] });
});

test('config print shows what counts, without secrets', async (t) => {
  const folder = folderOf(t, { 'node.json': SECRET, 'shop.yaml': CLUSTER, 'orders.ts': ORDERS });
  const print = async (...words: string[]) => (await kim(['config', 'print', ...words], { cwd: folder, env: { KIM_WORKER_CNT: '2' } })).out;
  const node = await print('node.json', '--set', 'log_level=debug');
  const values = JSON.parse(node) as Record<string, unknown>;
  assert.deepEqual([values['worker_cnt'], values['log_level'], values['drain_ms']], [2, 'debug', 10_000]);
  assert.match(node, /"password": "\*\*\*"/);
  assert.doesNotMatch(node, /hidden/);
  assert.match(await print('node.json', '-o', 'yaml'), /^worker_cnt: 2$/m);
  assert.match(await print('shop.yaml'), /^ {4}replicas: 1\n {4}workers: 2$/m);
  assert.match(await print('shop.yaml', '-o', 'json'), /"maxFrame": 1048576/);
  assert.match(await print('shop.yaml', '--tier', 'logic'), /"server_name": "shop-logic-0"/);
});

test('config print refuses a tier that there is not', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG, 'shop.yaml': CLUSTER });
  const refused = async (...words: string[]) => {
    const { code, err } = await kim(['config', 'print', ...words], { cwd: folder });
    assert.equal(code, 2);
    return err;
  };
  assert.equal(await refused('shop.yaml', '--tier', 'gates'), 'kim: shop.yaml has no tier "gates"; it has: logic, gate\n');
  assert.equal(await refused('node.json', '--tier', 'gate'), 'kim: --tier chooses a tier of a KimCluster, and node.json is a node\n');
  assert.match(
    await refused('shop.yaml', '--set', 'worker_cnt=2'),
    /^kim: --set changes the configuration of a node, and shop.yaml is a KimCluster/,
  );
});

test('config docs explains all options, or those of a file', async (t) => {
  const folder = folderOf(t, { 'node.json': SECRET, 'shop.yaml': CLUSTER });
  const docs = async (...words: string[]) => (await kim(['config', 'docs', ...words], { cwd: folder })).out;
  const all = await docs();
  assert.match(all, /^worker_cnt, in a tier of a KimCluster workers$/m);
  assert.match(all, /^ {4}database.nodes.NODE.password$/m);
  assert.ok(all.split('\n').filter((line) => line.length > 80).length < 5);
  assert.match(await docs('-o', 'markdown'), /^\| `worker_cnt` \| `workers` \|/m);
  const own = await docs('node.json');
  assert.match(own, /^max_clients.*\n {4}here 100$/m);
  assert.doesNotMatch(own, /hidden|worker_cnt/);
  assert.match(
    await docs('shop.yaml'),
    /^max_frame, in a tier of a KimCluster limits.maxFrame\n {4}spec.gate.limits.maxFrame is here 1MiB$/m,
  );
});

test('modules list shows what ships, and what a configuration loads', async (t) => {
  const folder = folderOf(t, {
    'shop.yaml': CLUSTER,
    'orders.ts': ORDERS,
    'clash.json': { ...CONFIG, modules: ['test', './clash.ts', './throws.ts'] },
    'clash.ts': "export default { name: 'clash', commands: { 1001: () => 'mine' } };",
    'throws.ts': "throw new Error('no database');",
  });
  const shipped = await kim(['modules', 'list']);
  assert.equal(shipped.code, 0);
  assert.match(shipped.out, /^MODULE +FROM +COMMANDS +HOOKS\ntest +shipped +1001, 1003, 1005, 1007 +-\n/);
  const shop = await kim(['modules', 'list', 'shop.yaml'], { cwd: folder });
  assert.match(shop.out, /^test +shipped .* gate$/m);
  assert.match(shop.out, /^orders +orders.ts +2001, 2003, all others +start +logic$/m);
  const clash = await kim(['modules', 'list', 'clash.json', '-o', 'json'], { cwd: folder });
  assert.equal(clash.code, 1);
  const { problems } = JSON.parse(clash.out) as { problems: string[] };
  assert.match(
    problems.join('\n'),
    /module ".\/throws.ts" .* can not be loaded: no database\n.*command 1001 is claimed by the modules "test" and "clash"/,
  );
});

test('each command shows its help, and a reader that stops early is no error', async (t) => {
  for (const words of [['--help'], ['node', '--help'], ['config', 'check', '--help'], ['bench', '--help']]) {
    const { code, out, err } = await kim(words);
    assert.deepEqual([code, err], [0, ''], words.join(' '));
    assert.match(out, /usage: /i);
  }
  const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const child = spawn('sh', ['-c', `"$0" "$1" config docs -o markdown | head -1 >&2; echo`, process.execPath, program], {
    cwd: join('/'),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
  await once(child, 'close');
  assert.match(said, /^<!-- .* -->\n$/);
});
