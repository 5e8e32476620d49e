// Where other nodes connect: their first frame chooses a worker, and not a byte that came with it is lost.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Describer } from '../../src/cluster/description.ts';
import { createNodePort } from '../../src/node/node-port.ts';
import { createLogger } from '../../src/ops/log.ts';
import { systemType } from '../../src/wire/protobuf.ts';
import { closedGate } from '../support/gate.ts';
import { randomOf } from '../support/load.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { frame, RawClient, rawFrame } from '../support/raw-client.ts';

const targetNode = systemType('nodes', 'target_node');
const WHO = targetNode.encode({ node_type: 'gate', ip: '127.0.0.1', port: 3344, worker_index: 1 });
const WITH_NODE_PORT = { node_type: 'logic', node_host: '127.0.0.1', node_port: 0 };

test('1,000 links are passed with frames right behind the first one, and not a byte is lost', async (t) => {
  const node = await startNode(t, { ...WITH_NODE_PORT, worker_cnt: 2 });
  const random = randomOf(7);
  const passOne = async (n: number) => {
    const link = await RawClient.connect(node.nodePort);
    const index = (n % 2) + 1;
    const texts = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i) => `${n}.${i} ${'x'.repeat(random() * 400)}`);
    const bytes = Buffer.concat([frame(21, 1, String(index)), frame(23, 2, WHO), ...texts.map((text, i) => frame(2001, 3 + i, text))]);
    const cut = Math.floor(random() * (bytes.length + 1));
    link.write(bytes.subarray(0, cut));
    if (n % 3 === 0) await new Promise(setImmediate);
    link.write(bytes.subarray(cut));

    assert.deepEqual(await link.next(), { cmd: 22, seq: 1, code: 0, msg: 'ok', data: '' });
    const who = await link.next();
    assert.deepEqual([who.cmd, who.seq, who.code, who.msg], [24, 2, 0, 'ok']);
    assert.equal(targetNode.decode(who.bytes)['worker_index'], index);
    for (const [i, text] of texts.entries()) {
      assert.deepEqual(await link.next(), { cmd: 2002, seq: 3 + i, code: 0, msg: 'ok', data: text });
    }
    link.destroy();
  };
  const many = async (first: number) => {
    for (let n = first; n < 1000; n += 20) await passOne(n);
  };
  await Promise.all(Array.from({ length: 20 }, (_, first) => many(first)));
  assert.equal((await node.status()).manager.passes, 1000);
});

test('a worker tells who it is with the port that it can be reached at', async (t) => {
  const node = await startNode(t, { ...WITH_NODE_PORT, worker_cnt: 2 });
  const link = await connectLink(node, 2);
  link.write(frame(23, 5, WHO));
  const { bytes } = await link.next();
  const { node_type, ip, port, worker_index } = targetNode.decode(bytes);
  assert.deepEqual([node_type, ip, port, worker_index], ['logic', '127.0.0.1', node.nodePort, 2]);
});

test('a worker that does not exist gets code 3, and the connection is closed', async (t) => {
  const node = await startNode(t, { ...WITH_NODE_PORT, worker_cnt: 2 });
  for (const text of ['0', '3', '-1', 'one', '', '1.0', ' 1', '99999999999']) {
    const link = await RawClient.connect(node.nodePort);
    link.write(frame(21, 9, text), frame(23, 10, WHO));
    assert.deepEqual(await link.next(), { cmd: 22, seq: 9, code: 3, msg: 'invalid worker index!', data: '' }, `index "${text}"`);
    assert.equal(await link.closed, 'end');
    assert.deepEqual(link.answers, []);
  }
});

test('any other first command gets code 4, and bytes that are no frame get nothing; both are closed', async (t) => {
  const node = await startNode(t, WITH_NODE_PORT);
  for (const cmd of [23, 31, 1001, 0]) {
    const link = await RawClient.connect(node.nodePort);
    link.write(frame(cmd, 3, '1'));
    assert.deepEqual(await link.next(), { cmd: cmd + 1, seq: 3, code: 4, msg: 'invalid cmd!', data: '' });
    assert.equal(await link.closed, 'end');
  }
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\xff'.repeat(15)]) {
    const link = await RawClient.connect(node.nodePort);
    link.write(Buffer.from(bytes, 'latin1'));
    await link.closed;
    assert.equal(link.received, 0);
  }
  const huge = await RawClient.connect(node.nodePort);
  huge.write(rawFrame(21, 1, 0x7fffffff, Buffer.from('1')));
  await huge.closed;
  assert.equal((await node.status()).manager.refused['frame'], 3);
});

test('a link answers heartbeats, stays open after an unknown command and after a body that does not parse', async (t) => {
  const node = await startNode(t, WITH_NODE_PORT);
  const link = await connectLink(node, 1);
  const bytes: Buffer[] = [];
  link.socket.on('data', (chunk) => bytes.push(chunk));
  link.write(frame(31, 2, 'heartbeat'));
  assert.deepEqual(await link.next(), { cmd: 32, seq: 2, code: 0, msg: '', data: '' });
  assert.equal(Buffer.concat(bytes).subarray(15).toString('hex'), '1200');

  link.write(frame(4711, 3, 'x'));
  assert.deepEqual(await link.next(), { cmd: 4712, seq: 3, code: 4, msg: 'invalid cmd!', data: '' });

  const broken = Buffer.from('1a7f61', 'hex');
  for (const [cmd, seq] of [
    [2001, 4],
    [31, 5],
  ] as const) {
    link.write(rawFrame(cmd, seq, broken.length, broken));
    const answer = await link.next();
    assert.deepEqual([answer.cmd, answer.seq, answer.code], [cmd + 1, seq, 19]);
  }
  assert.equal((await link.request(2001, 'still here')).data, 'still here');
});

test('who tells nonsense about itself gets code 2 and is closed', async (t) => {
  const node = await startNode(t, WITH_NODE_PORT);
  for (const bytes of [frame(23, 7, Buffer.from('0a7f61', 'hex')), rawFrame(23, 7, 3, Buffer.from('1a7f61', 'hex'))]) {
    const link = await connectLink(node, 1);
    link.write(bytes);
    assert.deepEqual(await link.next(), { cmd: 24, seq: 7, code: 2, msg: 'parse request failed!', data: '' });
    assert.equal(await link.closed, 'end');
  }
});

test('limits on clients neither apply to links nor count them', async (t) => {
  const node = await startNode(t, {
    ...WITH_NODE_PORT,
    max_clients: 2,
    max_clients_per_address: 2,
    request_rate: 1,
    request_burst: 1,
    first_byte_ms: 100,
    frame_ms: 100,
    keep_alive: '1s',
  });
  const links = await Promise.all(Array.from({ length: 5 }, () => connectLink(node, 1)));
  const clients = await node.connectAll(2);
  for (const client of clients) assert.equal((await client.request(2001, 'x')).data, 'x');
  const half = frame(2001, 999, 'a frame that takes longer than frame_ms');
  for (const link of links) {
    link.write(...Array.from({ length: 20 }, (_, i) => frame(2001, i + 1, 'y')));
    for (let i = 0; i < 20; i++) assert.equal((await link.next()).data, 'y');
    link.write(half.subarray(0, 20));
  }
  // the clock that closes idle clients has been here for the links as well
  for (const client of clients) assert.equal(await client.closed, 'end');
  for (const link of links) {
    link.write(half.subarray(20));
    assert.equal((await link.next()).seq, 999);
  }
});

test('a link is ended when its worker leaves, after what is in flight has been answered', async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { ...WITH_NODE_PORT, worker_cnt: 2, drain_ms: 10_000 });
  const [stays, leaves] = await Promise.all([connectLink(node, 1), connectLink(node, 2)]);
  leaves.write(frame(2021, 3, gate.name));
  await node.statusWhen(({ totals }) => totals.inFlight === 1, 'the request is in flight');
  await node.manager.setWorkers(1);
  gate.open();
  assert.equal((await leaves.next()).data, gate.name);
  assert.equal(await leaves.closed, 'end');
  assert.equal((await stays.request(2001, 'x')).data, 'x');
  const late = await RawClient.connect(node.nodePort);
  late.write(frame(21, 1, '2'));
  assert.equal((await late.next()).code, 3);
});

test('who connects and says nothing, or half of a frame, is closed after the deadline', async (t) => {
  const { port, refused } = await listenAlone(t, 50);
  const silent = await RawClient.connect(port);
  const half = await RawClient.connect(port);
  half.write(frame(21, 1, '1').subarray(0, 16));
  await Promise.all([silent.closed, half.closed]);
  assert.deepEqual(refused, ['first_byte', 'first_byte']);
});

test('who was refused and does not close its side is let go of without being counted as silent', async (t) => {
  const { port, refused, server } = await listenAlone(t, 50);
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.resume();
  t.after(() => socket.destroy());
  socket.write(frame(21, 1, '7'));
  await once(socket, 'end');
  server.close();
  await once(server, 'close');
  assert.deepEqual(refused, []);
});

async function connectLink(node: TestNode, index: number): Promise<RawClient> {
  const link = node.adopt(await RawClient.connect(node.nodePort));
  link.write(frame(21, 1, String(index)));
  assert.deepEqual(await link.next(), { cmd: 22, seq: 1, code: 0, msg: 'ok', data: '' });
  return link;
}

/** A node port without a node behind it; nothing is ever passed. */
async function listenAlone(t: TestContext, firstFrameMs: number): Promise<{ port: number; refused: string[]; server: net.Server }> {
  const refused: string[] = [];
  const server = createNodePort({
    firstFrameMs,
    lingerMs: firstFrameMs * 2,
    log: createLogger({ name: 'test', level: 'fatal' }),
    hasWorker: () => false,
    pass: () => undefined,
    describer: new Describer(),
    refused: (reason) => refused.push(reason),
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, refused, server };
}
