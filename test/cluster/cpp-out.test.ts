// A gate of ours in front of logic nodes in C++: they see of it what they see of a gate in C++.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gateBefore } from '../support/cpp-cluster.ts';
import { CppRing } from '../support/cpp-ring.ts';
import { cppTestModule, type CppHandler, type CppServer } from '../support/cpp-server.ts';
import { cppBody, parseCppTarget } from '../support/cpp-wire.ts';
import { frame, hex, request } from '../support/frames.ts';
import type { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The data comes back, after a moment: long enough for requests to pile up. */
const slowEcho: CppHandler = async ({ parsed }) => {
  await pause(1);
  return { data: parsed.data };
};
const echo: CppHandler = ({ parsed }) => ({ data: parsed.data });

async function clientsOf(t: TestContext, gate: TestNode, count: number): Promise<WireClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => WireClient.connect(gate.port)));
  t.after(() => clients.forEach((client) => client.destroy()));
  return clients;
}

async function answerOf(client: WireClient, bytes: Buffer) {
  client.send(bytes);
  return client.frame();
}

const brief = ({ seq, code, msg, data }: { seq: number; code: number; msg: string; data: string }) => [seq, code, msg, data];

function assertBearable(...servers: CppServer[]): void {
  for (const { violations } of servers) assert.deepEqual(violations, []);
}

test('bursts of 300 by several clients arrive one at a time on at most ten connections, and all are answered', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: slowEcho } }]);
  const clients = await clientsOf(t, gate, 5);
  await Promise.all(
    clients.map(async (client, c) => {
      for (let round = 0; round < 2; round++) {
        client.send(...Array.from({ length: 300 }, (_, i) => request(1001, i + 1, `${c} ${round} ${i}`)));
        for (const [i, reply] of (await client.frames(300)).entries()) {
          assert.deepEqual(brief(reply), [i + 1, 0, 'ok', `${c} ${round} ${i}`]);
        }
      }
    }),
  );
  assert.equal(servers[0]!.requests.length, 3000);
  assert.equal(servers[0]!.open.length, 10);
  assertBearable(...servers);
});

test('a key goes to the worker that a gate in C++ would choose', async (t) => {
  const { gate, servers } = await gateBefore(t, [
    { workers: 2, commands: { 1001: echo } },
    { workers: 1, commands: { 1001: echo } },
  ]);
  const [client] = await clientsOf(t, gate, 1);
  const keys = ['', 'hello', '1 - hello', '2 - hello', '你好', 'user-10086', ...Array.from({ length: 194 }, (_, i) => String(i + 1))];
  client!.send(...keys.map((key, i) => request(1001, i + 1, key)));
  await client!.frames(keys.length);
  assert.equal(
    servers.reduce((sum, { requests }) => sum + requests.length, 0),
    keys.length,
  );
  assertOwners(servers);
  assertBearable(...servers);
});

test('it tells who it is with the port that nodes connect to', async (t) => {
  const { gate, servers } = await gateBefore(t, [{}]);
  const [client] = await clientsOf(t, gate, 1);
  client!.send(request(1001, 1, 'x'));
  assert.deepEqual(brief(await client!.frame()), [1, 0, 'ok', 'good job!']);
  const { greeting, peer } = servers[0]!.connections[0]!;
  assert.deepEqual(parseCppTarget(greeting), { type: 'gate', ip: '127.0.0.1', port: gate.nodePort, worker: 1 });
  assert.equal(peer, `127.0.0.1:${gate.nodePort}.1`);
  assertBearable(...servers);
});

test('a seq of 0 never goes out and comes back as 0; an empty body goes out with an empty field', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: echo } }]);
  const [client] = await clientsOf(t, gate, 1);
  client!.send(request(1001, 0, 'zero'), frame(1001, 0, Buffer.alloc(0)), frame(1001, 0xffffffff, Buffer.alloc(0)), request(1001, 0, ''));
  assert.deepEqual((await client!.frames(4)).map(brief), [
    [0, 0, 'ok', 'zero'],
    [0, 0, 'ok', ''],
    [0xffffffff, 0, 'ok', ''],
    [0, 0, 'ok', ''],
  ]);
  assert.ok(servers[0]!.requests.every(({ body }) => body.length > 0));
  assertBearable(...servers);
});

test('a body passes byte for byte, and so does the answer', async (t) => {
  const answers = ['1200', '120408011200', '120412026f6b2204cafebabe2a0574726163657a0161', '1a0178', '12020801'].map((text) => hex(text));
  const handler: CppHandler = ({ parsed, cmd, seq }) => frame(cmd + 1, seq, answers[Number(parsed.data.toString())]!);
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: handler } }]);
  const [client] = await clientsOf(t, gate, 1);
  const forged = hex('7a0c', '08011001', '1a026964', '2202', '7831');
  const bodies = [
    Buffer.concat([hex('0a06', '0807', '1202', '6869'), cppBody({ data: '0', addOn: hex('00ff'), traceId: 'trace-1' })]),
    Buffer.concat([cppBody({ traceId: 'first' }), cppBody({ data: '1' })]),
    Buffer.concat([cppBody({ data: '2' }), forged]),
    Buffer.concat([forged, cppBody({ data: '3' })]),
    hex('1a83808000', '000000', '1a0134'),
  ];
  client!.send(...bodies.map((body, i) => frame(1001, i + 1, body)));
  const replies = await client!.frames(bodies.length);
  assert.deepEqual(
    replies.map(({ cmd, seq, body }) => [cmd, seq, body.toString('hex')]),
    answers.map((body, i) => [1002, i + 1, body.toString('hex')]),
  );
  const arrived = [...servers[0]!.requests].sort((a, b) => Number(a.parsed.data.toString()) - Number(b.parsed.data.toString()));
  assert.deepEqual(
    arrived.map(({ body }) => body.toString('hex')),
    bodies.map((body) => body.toString('hex')),
  );
  assertBearable(...servers);
});

test('of a request with code 4 the client keeps its connection, and nobody else pays', async (t) => {
  const commands = { 1001: slowEcho };
  const { gate, servers } = await gateBefore(t, [{ commands }, { commands }]);
  const [client, other] = await clientsOf(t, gate, 2);
  const unknown = (seq: number) => seq % 10 === 0;
  client!.send(...Array.from({ length: 300 }, (_, i) => request(unknown(i + 1) ? 1999 : 1001, i + 1, `${i}`)));
  other!.send(...Array.from({ length: 300 }, (_, i) => request(1001, i + 1, `other ${i}`)));
  for (const { seq, code, msg } of await client!.frames(300)) {
    assert.deepEqual([seq, code, msg], unknown(seq) ? [seq, 4, 'invalid cmd!'] : [seq, 0, 'ok']);
  }
  for (const { seq, code } of await other!.frames(300)) assert.deepEqual([seq, code], [seq, 0]);
  // a node that closes behind its code 4 is not taken for one that fails: every key went to its owner
  assertOwners(servers);
  assertBearable(...servers);
});

test('of a request that the first version closes for, only that one fails', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ kind: 'seed', commands: { 1001: slowEcho } }]);
  const [client] = await clientsOf(t, gate, 1);
  const unknown = (seq: number) => seq % 50 === 0;
  client!.send(...Array.from({ length: 300 }, (_, i) => request(unknown(i + 1) ? 1999 : 1001, i + 1, `${i}`)));
  for (const { seq, code, msg } of await client!.frames(300)) {
    assert.deepEqual([seq, code, msg], unknown(seq) ? [seq, 20, 'relay to node failed!'] : [seq, 0, 'ok']);
  }
  assertBearable(...servers);
});

test('a handler that closes costs its own request, and those with an error code none', async (t) => {
  const commands: Record<number, CppHandler> = {
    ...cppTestModule,
    1101: () => ({ code: 12001, msg: 'write mysql failed!' }),
    1103: () => 'close',
  };
  const { gate, servers } = await gateBefore(t, [{ commands }]);
  const [client] = await clientsOf(t, gate, 1);
  client!.send(...[1001, 1101, 1103, 1007, 1001].map((cmd, i) => request(cmd, i + 1, 'same key')));
  assert.deepEqual((await client!.frames(5)).map(brief), [
    [1, 0, 'ok', 'good job!'],
    [2, 12001, 'write mysql failed!', ''],
    [3, 20, 'relay to node failed!', ''],
    [4, 1, 'fail', 'invalid json data!'],
    [5, 0, 'ok', 'good job!'],
  ]);
  assertBearable(...servers);
});

test('without an answer in time the client gets code 18, and the connection is closed before anything else is sent on it', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: echo, 1101: () => 'silent' } }], { link_timeout_ms: 1000 });
  const [client] = await clientsOf(t, gate, 1);
  client!.send(request(1001, 0, 'x'));
  await client!.frame();
  client!.send(request(1101, 1, 'x'));
  assert.deepEqual(brief(await client!.frame()), [1, 18, 'relay to node failed!', '']);
  const first = servers[0]!.requests[1]!.connection;
  await until(() => !first.isOpen, 'the connection is closed');
  client!.send(request(1001, 2, 'x'));
  assert.deepEqual(brief(await client!.frame()), [2, 0, 'ok', 'x']);
  assert.notEqual(servers[0]!.requests[2]!.connection, first);
  assertBearable(...servers);
});

test('when the node is killed every request ends with an error, and the next go to the node that is left', async (t) => {
  const commands = { 1001: slowEcho, 1101: () => 'silent' as const };
  const { gate, servers } = await gateBefore(t, [{ commands }, { commands }]);
  const clients = await clientsOf(t, gate, 4);
  const [dies, stays] = servers as [CppServer, CppServer];
  for (const client of clients) client.send(...Array.from({ length: 60 }, (_, i) => request(1001, i + 1, `${i}`)));
  await until(() => dies.requests.length > 10, 'requests are with both');
  dies.kill();
  for (const client of clients) {
    for (const { seq, code, data } of await client.frames(60)) {
      assert.ok([0, 14, 20].includes(code), `code ${code}`);
      if (code === 0) assert.equal(data, `${seq - 1}`);
    }
  }
  for (const client of clients) client.send(...Array.from({ length: 60 }, (_, i) => request(1001, i + 1, `${i}`)));
  for (const client of clients) for (const { code } of await client.frames(60)) assert.equal(code, 0);
  assertBearable(dies, stays);
});

test('a node in C++ is asked whether it lives, and its silence about that is no answer to anything else', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: echo } }], { link_heartbeat_ms: 100 });
  const [client] = await clientsOf(t, gate, 1);
  client!.send(request(1001, 1, 'x'));
  await client!.frame();
  await until(() => servers[0]!.heartbeats >= 3, 'three heartbeats');
  client!.send(...Array.from({ length: 50 }, (_, i) => request(1001, i + 2, `${i}`)));
  for (const [i, { seq, data }] of (await client!.frames(50)).entries()) assert.deepEqual([seq, data], [i + 2, `${i}`]);
  assertBearable(...servers);
});

test('kimserver, which knows no heartbeat, is asked all the same, and no request waits for its answer', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ kind: 'kim', commands: { 1001: echo } }], { link_heartbeat_ms: 100 });
  const [client] = await clientsOf(t, gate, 1);
  // the first opens one link, and those behind it find which of them is theirs
  for (const seq of [1, 2]) assert.deepEqual(brief(await answerOf(client!, request(1001, seq, 'x'))), [seq, 0, 'ok', 'x']);
  const { connection } = servers[0]!.requests.at(-1)!;
  const heartbeats = () => servers[0]!.requests.filter((one) => one.cmd === 31 && one.connection === connection);
  await until(() => heartbeats().length > 0, 'a heartbeat');
  assert.deepEqual(brief(await answerOf(client!, request(1001, 3, 'x'))), [3, 0, 'ok', 'x']);
  assert.ok(servers[0]!.requests.findLast(({ cmd }) => cmd === 1001)!.connection === connection, 'on the same connection');
});

test("an answer to a client that has gone is nobody else's", async (t) => {
  const answer = Promise.withResolvers<void>();
  const commands: Record<number, CppHandler> = { 1001: echo, 1101: async () => (await answer.promise, { data: 'of another' }) };
  const { gate, servers } = await gateBefore(t, [{ commands }], { route: { key: 'session' }, link_pool: 1 });
  const [leaves, stays] = await clientsOf(t, gate, 2);
  leaves!.send(request(1101, 1, 'x'));
  await until(() => servers[0]!.requests.length === 1, 'the request is there');
  leaves!.reset();
  stays!.send(request(1001, 1, 'own'), request(1001, 2, 'own too'));
  await gate.statusWhen(({ totals }) => totals.connections === 1, 'one has gone');
  answer.resolve();
  assert.deepEqual((await stays!.frames(2)).map(brief), [
    [1, 0, 'ok', 'own'],
    [2, 0, 'ok', 'own too'],
  ]);
  assertBearable(...servers);
});

test('a gate that drains lets a node in C++ answer what is in flight, and ends its links in order', async (t) => {
  const open = Promise.withResolvers<void>();
  const commands: Record<number, CppHandler> = { 1101: async () => (await open.promise, { data: 'at last' }) };
  const { gate, servers } = await gateBefore(t, [{ commands }], { drain_ms: 10_000 });
  const [client] = await clientsOf(t, gate, 1);
  client!.send(request(1101, 1, 'x'));
  await until(() => servers[0]!.requests.length === 1, 'the request is there');
  const drained = gate.manager.drain();
  open.resolve();
  assert.deepEqual(brief(await client!.frame()), [1, 0, 'ok', 'at last']);
  await client!.end();
  await drained;
  await until(() => servers[0]!.open.length === 0, 'the links are closed');
  assertBearable(...servers);
});

test('large bodies pass both ways', async (t) => {
  const { gate, servers } = await gateBefore(t, [{ commands: { 1001: echo } }]);
  const [client] = await clientsOf(t, gate, 1);
  const text = 'x'.repeat(900_000);
  client!.send(request(1001, 1, text));
  assert.equal((await client!.frame()).data.length, text.length);
  assertBearable(...servers);
});

test('the requests of one client reach a worker in order, one when the other is answered', async (t) => {
  let running = 0;
  let most = 0;
  const commands: Record<number, CppHandler> = {
    1001: async ({ parsed }) => {
      most = Math.max(most, ++running);
      await pause(Number(parsed.data.toString()) % 3);
      running--;
      return { data: parsed.data };
    },
  };
  const { gate, servers } = await gateBefore(t, [{ commands }], { route: { key: 'session' } });
  const [client] = await clientsOf(t, gate, 1);
  client!.send(...Array.from({ length: 100 }, (_, i) => request(1001, i + 1, `${i}`)));
  await client!.frames(100);
  client!.send(...Array.from({ length: 100 }, (_, i) => request(1001, i + 101, `${i + 100}`)));
  await client!.frames(100);
  assert.deepEqual(
    servers[0]!.requests.map(({ parsed }) => Number(parsed.data.toString())),
    Array.from({ length: 200 }, (_, i) => i),
  );
  assert.equal(most, 1);
});

/** Every request came to the worker that a gate in C++ would have chosen. */
function assertOwners(servers: readonly CppServer[]): void {
  const ring = new CppRing(servers.map(({ member }) => member));
  for (const { port, requests } of servers) {
    for (const { parsed, worker } of requests) assert.equal(`127.0.0.1:${port}.${worker}`, ring.find(parsed.data), parsed.data.toString());
  }
}
