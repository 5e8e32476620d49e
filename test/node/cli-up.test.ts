// kim up: a whole cluster as processes, following its file, leaving nothing behind.

import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { createClient, type Client } from '../../src/client/index.ts';
import { nodeStatusSchema } from '../../src/ops/admin-schema.ts';
import { clusterText, KimUp } from '../support/kim-up.ts';
import { until } from '../support/until.ts';

async function connect(t: TestContext, up: KimUp): Promise<Client> {
  const client = createClient({ host: '127.0.0.1', port: up.port, reconnect: false });
  t.after(() => client.close());
  await client.connect();
  return client;
}

async function servingWorkers(up: KimUp): Promise<number> {
  const answer = await fetch(new URL('status', up.row!.admin));
  return nodeStatusSchema.parse(await answer.json()).workers.filter(({ state }) => state === 'serving').length;
}

/** Clients that ask without a pause; `stop` tells how many answers were right and what went wrong. */
function traffic(clients: readonly Client[]) {
  let isOver = false;
  let right = 0;
  const wrong: string[] = [];
  const work = clients.map(async (client, i) => {
    for (let n = 0; !isOver; n++) {
      const data = `client ${i} request ${n}`;
      try {
        const answers = await Promise.all(Array.from({ length: 20 }, (_, k) => client.request(1101, `${data} ${k}`)));
        answers.forEach((answer, k) => (answer.text() === `${data} ${k}` ? right++ : wrong.push(answer.text())));
      } catch (error) {
        wrong.push((error as Error).message);
        return;
      }
    }
  });
  return {
    get right() {
      return right;
    },
    async stop() {
      isOver = true;
      await Promise.all(work);
      return wrong;
    },
  };
}

test('runs the cluster of a file and answers on its gate port', async (t) => {
  const up = await KimUp.serving(t);
  const client = await connect(t, up);
  const answer = await client.request(1001, '1 - hello');
  assert.deepEqual([answer.cmd, answer.code, answer.msg, answer.text()], [1002, 0, 'ok', 'good job!']);
  assert.equal(up.row!.node, 'up-test-gate-0');
  assert.equal(await servingWorkers(up), 2);
});

test('editing the number of workers under load loses nothing and closes nobody', async (t) => {
  const up = await KimUp.serving(t);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(t, up)));
  const load = traffic(clients);
  for (const workers of [4, 1, 3, 2]) {
    const before = load.right;
    up.edit({ workers });
    await up.said(new RegExp(`worker_cnt \\d -> ${workers} .*no connection closed`));
    await until(async () => (await servingWorkers(up)) === workers, `${workers} workers serve`);
    await until(() => load.right > before + 1000, 'the clients go on');
  }
  assert.deepEqual(await load.stop(), []);
});

test('other modules are loaded by new workers, and no connection is closed', async (t) => {
  const up = await KimUp.serving(t, { modules: 'echo' });
  const client = await connect(t, up);
  assert.equal((await client.request(1101, 'before')).text(), 'before');
  up.edit({ modules: 'test, echo' });
  await up.said(/modules \["echo"\] -> \["test","echo"\] \(workers replaced one by one, no connection closed\)/);
  assert.equal((await client.request(1001, 'after')).text(), 'good job!', 'on the connection from before');
});

test('a change that needs a new process gets one, and the old one drains', async (t) => {
  const up = await KimUp.serving(t);
  const [port, nodePort] = await freePorts(2);
  up.edit({ port: port!, nodePort: nodePort! });
  await up.said(/gate_port 0 -> \d+.*needs a new process; the old one drains/);
  await up.said(new RegExp(`serves \\(clients 127.0.0.1:${port}`));
  const client = createClient({ host: '127.0.0.1', port: port!, reconnect: false });
  t.after(() => client.close());
  await client.connect();
  assert.equal((await client.request(1001, '')).code, 0);
});

test('a change to a port that is taken is told, and the node goes on as it was', async (t) => {
  const up = await KimUp.serving(t);
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await until(() => holder.listening, 'the port is taken');
  const client = await connect(t, up);
  up.edit({ nodePort: (holder.address() as AddressInfo).port });
  await up.complained(/\(node_port\): the port is taken.*what runs goes on/);
  assert.equal((await client.request(1001, '')).code, 0, 'on the connection from before');
  up.edit({ workers: 3 });
  await up.said(/worker_cnt 2 -> 3/);
});

test('an invalid edit is refused with line and reason, and what runs goes on', async (t) => {
  const up = await KimUp.serving(t);
  const client = await connect(t, up);
  up.edit({ workers: 'many' });
  const refusal = await up.complained(/workers is/);
  assert.match(refusal, /cluster\.yaml:7: spec\.gate\.workers is \\"many\\"; allowed: whole numbers from 1 to 512/);
  assert.match(refusal, /what runs goes on/);
  up.editText('kind: [');
  await up.complained(/cluster\.yaml:1/);
  up.edit({ modules: 'test, ech' });
  await up.complained(/unknown module \\"ech\\"/);
  assert.equal((await client.request(1001, '')).code, 0);
  up.edit({ workers: 3 });
  await up.said(/worker_cnt 2 -> 3/);
});

test('Ctrl-C lets requests in flight be answered and ends everything', async (t) => {
  const up = await KimUp.serving(t);
  const client = await connect(t, up);
  await client.request(1001, '');
  up.interrupt();
  assert.equal(await up.ended(), 0);
  assert.deepEqual(up.family(), []);
});

test('a second Ctrl-C ends at once', async (t) => {
  const up = await KimUp.serving(t, { more: '' });
  const client = await connect(t, up);
  // a request that is never read to its end keeps the connection busy
  const socket = await import('node:net').then(({ connect: open }) => open(up.port, '127.0.0.1'));
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await client.request(1001, '');
  up.interrupt();
  await up.said(/drains and ends; Ctrl-C again ends at once/);
  up.interrupt();
  await up.ended();
  await until(() => up.family().length === 0, 'nothing is left');
});

test('killed with -9, it leaves nothing behind', async (t) => {
  const up = await KimUp.serving(t);
  assert.equal(up.family().length, 3, 'a manager and two workers');
  up.child.kill('SIGKILL');
  await up.ended();
  await until(() => up.family().length === 0, 'its processes notice and leave');
});

test('a node that is killed is started again and says so', async (t) => {
  const [port] = await freePorts(1);
  const up = await KimUp.serving(t, { port: port! });
  process.kill(up.row!.pid, 'SIGKILL');
  await up.said(/ended unexpectedly \(signal SIGKILL\); started again in 0.5 s/);
  await up.said(/serves \(clients/);
  const client = await connect(t, up);
  assert.equal((await client.request(1001, '')).code, 0);
});

test('a port that is taken is named together with who holds it', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await until(() => holder.listening, 'the port is taken');
  const { port } = holder.address() as AddressInfo;
  const up = KimUp.start(t, { port });
  assert.equal(await up.ended(), 255);
  const complaint = await up.complained(/the port is taken/);
  assert.match(
    complaint,
    new RegExp(`cannot listen on 127.0.0.1:${port} \\(gate_port\\): the port is taken by .*process ${process.pid}\\)`),
  );
});

test('a file that can not be used is refused before anything starts', async (t) => {
  const up = KimUp.start(t, { workers: 0 });
  assert.equal(await up.ended(), 2);
  await up.complained(/cluster\.yaml:7: spec\.gate\.workers is 0/);
  assert.match(clusterText(), /kind: KimCluster/);
});

/** Ports that were free a moment ago. */
async function freePorts(n: number): Promise<number[]> {
  const servers = Array.from({ length: n }, () => createServer().listen(0, '127.0.0.1'));
  await until(() => servers.every(({ listening }) => listening), 'ports are found');
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
