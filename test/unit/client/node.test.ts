// The client over TCP: against bare servers, and against a real node.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ClientError, createClient } from '../../../src/client/index.ts';
import { parseNodeConfig } from '../../../src/config/node-config.ts';
import { Manager } from '../../../src/node/manager.ts';
import { replyBytes, requestsIn } from './support.ts';

const run = promisify(execFile);

async function serve(t: TestContext, onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('says that nothing listens, where, and what to do', async (t) => {
  const port = await serve(t, () => undefined);
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const nobody = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
  assert.notEqual(nobody, port);
  await using client = createClient({ host: '127.0.0.1', port: nobody });
  await assert.rejects(
    client.connect(),
    (error: unknown) =>
      error instanceof ClientError &&
      error.message.startsWith(`cannot connect to 127.0.0.1:${nobody}: nothing listens there; start the server`),
  );
});

test('comes back after a reset, with the requests that waited', async (t) => {
  let connections = 0;
  const port = await serve(t, (socket) => {
    const isFirst = ++connections === 1;
    socket.on('data', (bytes) => {
      if (isFirst) socket.resetAndDestroy();
      else for (const request of requestsIn(bytes)) socket.write(replyBytes(request, { data: `again ${request.data}` }));
    });
  });
  await using client = createClient({ host: '127.0.0.1', port, reconnect: { minMs: 1 } });
  await assert.rejects(client.request(1001, 'lost'), (error: unknown) => error instanceof ClientError && error.code === 'closed');
  assert.equal((await client.request(1001, 'hello')).text(), 'again hello');
});

test('last replies arrive though the server closes behind them', async (t) => {
  const port = await serve(t, (socket) => {
    socket.on('data', (bytes) => socket.end(Buffer.concat(requestsIn(bytes).map((request) => replyBytes(request)))));
  });
  await using client = createClient({ host: '127.0.0.1', port, reconnect: false });
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.request(1001)));
  assert.ok(answers.every((answer) => answer.ok));
});

test('a client that was closed keeps no process alive', async (t) => {
  const port = await serve(t, (socket) => {
    socket.on('data', (bytes) => {
      for (const request of requestsIn(bytes)) socket.write(replyBytes(request));
    });
  });
  const program = `
    import { createClient } from ${JSON.stringify(new URL('../../../src/client/index.ts', import.meta.url).href)};
    const client = createClient({ host: '127.0.0.1', port: ${port} });
    const never = client.request(1001, '', { timeoutMs: 1e9 });
    await never;
    await client.close();
    const unlucky = createClient({ host: '127.0.0.1', port: 1, requestTimeoutMs: 1e9 });
    const refused = unlucky.request(1001).catch((error) => error.code);
    await unlucky.close({ timeoutMs: 20 });
    console.log(await refused, process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap' && name !== 'TTYWrap').join());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 });
  assert.equal(stdout.trim(), 'closed');
});

test('a real node answers: the test module, an unknown command, and 1,000 requests at once', async (t) => {
  const { config } = parseNodeConfig(
    {
      node_type: 'gate',
      gate_host: '127.0.0.1',
      gate_port: 0,
      gate_codec: 'protobuf',
      modules: ['test'],
      log_level: 'error',
      admin_port: false,
    },
    'test',
  );
  const manager = await Manager.start({ config, folder: import.meta.dirname, version: '0' });
  t.after(() => manager.drain());
  await using client = createClient({ host: '127.0.0.1', port: manager.listeners()[0]!.port });
  const hello = await client.request(1001, '1 - hello');
  assert.deepEqual([hello.cmd, hello.seq, hello.code, hello.msg, hello.text()], [1002, 1, 0, 'ok', 'good job!']);
  const many = await Promise.all(Array.from({ length: 1000 }, () => client.request(1007, '{"user_id":1,"user_name":"x"}')));
  assert.ok(many.every((answer) => answer.msg === 'done' && answer.text() === 'test session!'));
  const down = new Promise((resolve) => client.onState((state) => state.name === 'disconnected' && resolve(state)));
  const unknown = await client.request(9999);
  assert.deepEqual([unknown.code, unknown.msg], [4, 'invalid cmd!']);
  await down;
  assert.equal((await client.request(1001)).text(), 'good job!');
});
