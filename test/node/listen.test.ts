// Ports that can not be had, and files that can not be opened: the sentence says what to do.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { fileLimitProblem } from '../../src/node/lifecycle.ts';
import { startNode, testConfig } from '../support/node.ts';
import { ownModules } from '../support/own-modules.ts';
import { childrenOf, titleOf } from '../support/processes.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

async function bind(t: TestContext, port: number): Promise<net.Server> {
  const server = net.createServer().listen(port, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return server;
}

async function takePort(t: TestContext): Promise<number> {
  return ((await bind(t, 0)).address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

for (const [key, raw] of [
  ['gate_port', {}],
  ['gate_port', { is_reuseport: true }],
  ['node_port', { node_host: '127.0.0.1' }],
] as const) {
  test(`a ${key} that is taken is told with who holds it${'is_reuseport' in raw ? ', with is_reuseport as well' : ''}`, async (t) => {
    const port = await takePort(t);
    const holder = `${titleOf(process.pid)} (process ${process.pid})`;
    await assert.rejects(startNode(t, { ...raw, [key]: port }), {
      message: `cannot listen on 127.0.0.1:${port} (${key}): the port is taken by ${holder}; end that, or choose another ${key}`,
    });
    assert.deepEqual(childrenOf(process.pid), [], 'no worker was left behind');
  });
}

test('the holder is found in another process, too', async (t) => {
  const code = `const s = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port)); process.title = 'port-holder'`;
  const child = spawn(process.execPath, ['-e', code, 'room for a title'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  await assert.rejects(startNode(t, { gate_port: port }), new RegExp(`the port is taken by port-holder \\(process ${child.pid}\\)`));
});

test('an address that this machine does not have, and an admin port that is taken, are told with their keys', async (t) => {
  await assert.rejects(
    startNode(t, { gate_host: '192.0.2.1' }),
    /no interface of this machine has the address 192\.0\.2\.1; check gate_host/,
  );
  const port = await takePort(t);
  await assert.rejects(startNode(t, { admin_port: port }), new RegExp(`127\\.0\\.0\\.1:${port}.*admin_port`));
  assert.deepEqual(childrenOf(process.pid), []);
});

test('with is_reuseport, a port that somebody takes before the workers listen ends the start with the reason', async (t) => {
  const modules = ownModules(t, { 'shop.mjs': `{ name: 'shop', async start() { while (isOn()) await sleep(5); } }` });
  modules.turnOn();
  const port = await freePort();
  const started = startNode(t, { is_reuseport: true, gate_port: port, modules: ['shop.mjs'] }, modules.folder);
  started.catch(() => undefined);
  await until(() => childrenOf(process.pid).length > 0, 'the worker is being started');
  await bind(t, port);
  modules.turnOff();
  await assert.rejects(started, /worker 1 ended: can not listen: .*EADDRINUSE/);
  assert.deepEqual(childrenOf(process.pid), []);
});

test('nobody is let in before all workers serve, and the port is ours from the start', async (t) => {
  const modules = ownModules(t, {
    'shop.mjs': `{ name: 'shop', commands: { 1001: () => 'sold' }, async start() { while (isOn()) await sleep(5); } }`,
  });
  modules.turnOn();
  const port = await freePort();
  const started = startNode(t, { gate_port: port, modules: ['shop.mjs'], worker_cnt: 2 }, modules.folder);
  await until(() => childrenOf(process.pid).length === 2, 'the workers are being started');
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
  modules.turnOff();
  const node = await started;
  assert.equal(node.port, port);
  assert.equal((await (await node.connect()).request(1001)).data, 'sold');
});

for (const gate_host of ['localhost', '0.0.0.0']) {
  test(`clients are served on ${gate_host}, however they are accepted`, async (t) => {
    for (const is_reuseport of [false, true]) {
      const node = await startNode(t, { gate_host, is_reuseport });
      const client = node.adopt(await RawClient.connect(node.port, { host: gate_host === '0.0.0.0' ? '127.0.0.1' : gate_host }));
      assert.equal((await client.request(2001, 'hello')).data, 'hello');
      assert.equal(node.manager.listeners()[0]!.host, gate_host);
    }
  });
}

for (const is_reuseport of [false, true]) {
  test(`ports that are given up can be taken at once${is_reuseport ? ', also when workers listened and one of them is slow' : ''}`, async (t) => {
    const node = await startNode(t, { is_reuseport, worker_cnt: 2, node_host: '127.0.0.1', node_port: 0 });
    const { port, nodePort } = node;
    const client = await node.connect();
    // one that nobody has accepted yet would be reset by the system with its port
    await client.request(2001, 'served');
    const slow = node.pids()[0]!;
    if (is_reuseport) process.kill(slow, 'SIGSTOP');
    let isFree = false;
    const freed = node.manager.freePorts().then(() => (isFree = true));
    if (is_reuseport) {
      await until(
        () =>
          node.get('/livez').then(
            () => false,
            () => true,
          ),
        'the admin server is closed',
      );
      await assert.rejects(bind(t, port), { code: 'EADDRINUSE' });
      assert.equal(isFree, false);
      process.kill(slow, 'SIGCONT');
    }
    await freed;
    await bind(t, port);
    await bind(t, nodePort);
    assert.equal((await client.request(2001, 'still served')).data, 'still served');
  });
}

test('too few open files are told with both numbers and the cure, before anything starts', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 20000                files\n`;
  const config = testConfig({ max_clients: 20_000 });
  assert.equal(
    fileLimitProblem(config, limits('20000')),
    'max_clients 20000 needs 20128 open files in each worker, and this process may open 20000; ' +
      'raise the limit (ulimit -n 20128, or LimitNOFILE of the service), or lower max_clients to 19872',
  );
  assert.equal(fileLimitProblem(config, limits('20128')), undefined);
  assert.equal(fileLimitProblem(config, limits('unlimited')), undefined);
  assert.equal(fileLimitProblem(config, 'nothing that is known'), undefined);
  assert.match(fileLimitProblem(config, limits('100'))!, /or lower max_clients to 0$/);
});
