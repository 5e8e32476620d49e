// Connections from other nodes: system commands are answered, nothing closes them for what one of many clients did, and limits that are
// meant for clients do not count.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { overdue } from '../../src/node/deadlines.ts';
import { answerSystem, connected } from '../../src/node/system.ts';
import { systemType } from '../../src/wire/protobuf.ts';
import { readData } from '../../src/wire/body.ts';
import { frame, hex, request, requests } from '../support/frames.ts';
import { defaultLimits, served, type ServedOptions } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const self = { nodeType: 'logic', host: '10.0.0.7', port: 3344, worker: 2, version: '1.2.3' };
const target = systemType('nodes', 'target_node');

/** A node whose connections are links; the first frame of each, command 21, has been read already, with `rest` behind it. */
async function open(t: TestContext, { rest = Buffer.alloc(0), ...options }: ServedOptions & { rest?: Buffer } = {}) {
  const node = await served(t, {
    commands: { 1001: () => 'good job!' },
    system: (connection, { cmd, bytes, start, end }) => {
      const reply = answerSystem(cmd, () => readData(bytes, start, end), self);
      if (reply?.ends) connection.ending = 'frame';
      return reply;
    },
    arrive: (serve, socket, codec) => serve.link(socket, codec, { cmd: 21, seq: 5 }, connected, rest),
    ...options,
  });
  const client = await node.connect();
  const first = await client.frame();
  const connection = [...node.serve.connections][0]!;
  return { ...node, client, first, connection };
}

test('the worker answers the first frame that the manager has read', async (t) => {
  const { first } = await open(t);
  assert.deepEqual([first.cmd, first.seq, first.code, first.msg], [22, 5, 0, 'ok']);
});

test('what came behind the first frame is answered behind it', async (t) => {
  const rest = Buffer.concat([frame(23, 6, hex('')), request(1001, 7), request(1001, 8).subarray(0, 9)]);
  const { client } = await open(t, { rest });
  client.send(request(1001, 8).subarray(9));
  assert.deepEqual(
    (await client.frames(3)).map(({ cmd, seq }) => [cmd, seq]),
    [
      [24, 6],
      [1002, 7],
      [1002, 8],
    ],
  );
});

test('a worker tells who it is, and that it is still there', async (t) => {
  const { client } = await open(t);
  const asking = target.encode({ node_type: 'gate', ip: '10.0.0.1', port: 3344, worker_index: 1 });
  client.send(request(23, 6, asking), frame(31, 7, hex('1a09686561727462656174')));
  const [who, alive] = await client.frames(2);
  assert.deepEqual([who!.cmd, who!.seq, who!.code, who!.msg], [24, 6, 0, 'ok']);
  assert.deepEqual(target.decode(readData(who!.body, 0, who!.body.length)), {
    node_type: 'logic',
    ip: '10.0.0.7',
    port: 3344,
    worker_index: 2,
  });
  assert.deepEqual([alive!.cmd, alive!.seq, alive!.body.toString('hex')], [32, 7, '1200']);
});

test('an asking worker that does not say who it is gets code 2, and the link is closed as by the original', async (t) => {
  const { client } = await open(t);
  client.send(request(23, 6, hex('ff')), request(1001, 7));
  await client.end();
  assert.deepEqual(
    client.seen.slice(1).map(({ seq, code, msg }) => [seq, code, msg]),
    [[6, 2, 'parse request failed!']],
  );
});

test('an unknown command is answered with code 4, and the link stays', async (t) => {
  const { client } = await open(t);
  client.send(request(4711, 6), request(45, 7), request(1001, 8));
  assert.deepEqual(
    (await client.frames(3)).map(({ cmd, seq, code }) => [cmd, seq, code]),
    [
      [4712, 6, 4],
      [46, 7, 4],
      [1002, 8, 0],
    ],
  );
});

test('a body that does not parse is answered with code 19, and the link stays', async (t) => {
  const { client } = await open(t);
  client.send(frame(1001, 6, hex('1a05 61')), frame(31, 7, hex('1a05 61')), request(1001, 8));
  assert.deepEqual(
    (await client.frames(3)).map(({ seq, code }) => [seq, code]),
    [
      [6, 19],
      [7, 19],
      [8, 0],
    ],
  );
});

test('bytes that are no frame close the link', async (t) => {
  const { client } = await open(t);
  client.send(Buffer.alloc(15));
  await client.end();
});

test('modules are told of clients, not of links', async (t) => {
  const told: string[] = [];
  const modules = [{ name: 'one', connected: () => told.push('connected'), disconnected: () => told.push('disconnected') }];
  const { client, count } = await open(t, { modules });
  client.halfClose();
  await count(0);
  assert.deepEqual(told, []);
});

test('requests a second are not counted', async (t) => {
  const { client, stats } = await open(t, { limits: { requestRate: 1, requestBurst: 1 } });
  client.send(requests(500, 1001));
  await client.frames(500);
  assert.equal(stats.limits['request_rate'], undefined);
});

test('unsent bytes do not close a link; reading pauses', async (t) => {
  const { client, connection, stats } = await open(t, {
    commands: { 1001: () => Buffer.alloc(1 << 20) },
    limits: { outgoingLimit: 1000, outgoingBurst: 2000 },
  });
  client.socket.pause();
  client.send(requests(20, 1001));
  await soon(() => connection.paused, 'reading to pause');
  await turns();
  assert.equal(connection.state, 'open');
  client.socket.resume();
  await client.frames(20);
  assert.equal(stats.limits['outgoing_burst'], undefined);
});

test('no deadline ends a link', async (t) => {
  const { connection } = await open(t);
  Object.assign(connection, { bytesIn: 0, unfinishedSince: 1, slowSince: 1, lastActive: 1 });
  assert.equal(overdue(connection, defaultLimits, 1e9), undefined);
});

test('links take no place of clients', async (t) => {
  const clients = { maxClients: 1, maxClientsPerAddress: 1 };
  let isLink = true;
  const { connect, client, stats } = await open(t, {
    limits: clients,
    arrive: (serve, socket, codec) => {
      if (isLink) serve.link(socket, codec, { cmd: 21, seq: 5 }, connected, Buffer.alloc(0));
      else serve.accept(socket, codec);
    },
  });
  isLink = false;
  const own = await connect();
  own.send(request(1001, 1));
  assert.equal((await own.frame()).seq, 1);
  client.send(request(1001, 2));
  assert.equal((await client.frame()).seq, 2);
  await (await connect()).end();
  assert.deepEqual(stats.refused, { max_clients: 1 });
});

test('a link is not closed for what all connections hold together', async (t) => {
  const { client, connection, stats, serve } = await open(t, { limits: { workerMemory: 100_000 } });
  client.send(request(1001, 6, Buffer.alloc(500_000)).subarray(0, 300_000));
  await soon(() => connection.bytesIn > 200_000, 'the bytes');
  await turns();
  assert.deepEqual([connection.state, serve.budget.isFull, stats.limits['worker_memory']], ['open', false, undefined]);
  client.send(request(1001, 6, Buffer.alloc(500_000)).subarray(300_000));
  assert.equal((await client.frame()).seq, 6);
});
