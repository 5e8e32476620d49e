// The stand-in for a node in C++ writes what an original writes: everything here is as it was seen from originals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeText } from '../../src/cluster/directories/zookeeper-records.ts';
import { parseCppNodeJson } from '../support/cpp-json.ts';
import { CppClientNode, type CppFailure } from '../support/cpp-link.ts';
import { cppFnv1, cppFnv1a, cppPoints, CppRing } from '../support/cpp-ring.ts';
import { CppServer } from '../support/cpp-server.ts';
import { cppBody, cppHead, CppReader, cppRequest, parseCppBody } from '../support/cpp-wire.ts';
import { hex } from '../support/frames.ts';
import { WireClient } from '../support/wire-client.ts';

test('heads and bodies are those of an original', () => {
  assert.equal(cppHead(1001, 1, 11).toString('hex'), '0de903000015010000001d0b000000');
  const bodies: [Parameters<typeof cppBody>[0], string][] = [
    [{ data: '1 - hello' }, '1a0931202d2068656c6c6f'],
    [{ result: { code: 0, msg: 'ok' }, data: 'good job!' }, '120412026f6b1a09676f6f64206a6f6221'],
    [{ data: '1' }, '1a0131'],
    [{ data: 'heartbeat' }, '1a09686561727462656174'],
    [{ result: { code: 0, msg: '' } }, '1200'],
    [{ result: { code: 4, msg: 'invalid cmd!' } }, '12100804120c696e76616c696420636d6421'],
  ];
  for (const [body, bytes] of bodies) assert.equal(cppBody(body).toString('hex'), bytes);
  assert.deepEqual(parseCppBody(hex('12100804120c696e76616c696420636d6421')).result, { code: 4, msg: 'invalid cmd!' });
});

test('a head with a zero in it can not be read', () => {
  for (const [seq, len] of [
    [0, 11],
    [1, 0],
    [0, 0],
  ] as const) {
    const bytes = cppHead(1001, seq, len);
    assert.equal(bytes.length, 15);
    const reader = new CppReader();
    reader.feed(bytes);
    assert.throws(() => reader.next(), /tag 0/);
  }
  // zeros that are written are read
  const reader = new CppReader();
  reader.feed(hex('0de903000015000000001d00000000'));
  assert.deepEqual([reader.next()?.cmd, reader.next()], [1001, undefined]);
});

test('hashes, points and owners are those of an original', () => {
  const hashes = ['', '1', 'hello', '1 - hello', 'user-10086', hex('e4bda0')].map((key) => cppFnv1a(key).toString(16));
  assert.deepEqual(hashes, ['1b3', '3b78fdca', 'ec50a9a9', 'f68f727d', '5b9568d0', 'fad185de']);
  assert.deepEqual(
    ['1', 'hello', hex('e4bda0')].map((key) => cppFnv1(key).toString(16)),
    ['8601b7ee', 'b12c8551', 'c62ad3c2'],
  );
  const points = cppPoints('127.0.0.1:3344.1');
  assert.equal(points.length, 200);
  assert.deepEqual(
    points.slice(0, 8).map((point) => point.toString(16).padStart(8, '0')),
    ['79c7a133', '09cd1647', '73fb7b20', '8246351f', 'a7c1bb2f', 'f819daf1', 'ca99c4c4', '8609cf3a'],
  );
  const ring = new CppRing([
    { host: '127.0.0.1', port: 3344, workers: 2 },
    { host: '127.0.0.1', port: 4344, workers: 1 },
  ]);
  const owners = { '': '3344.2', 1: '3344.1', 2: '4344.1', 3: '3344.2', hello: '3344.1', '1 - hello': '3344.1', '2 - hello': '4344.1' };
  for (const [key, owner] of Object.entries(owners)) assert.equal(ring.find(key), `127.0.0.1:${owner}`, key);
});

test('it reads the record that a node of ours writes, and refuses one with a key more', () => {
  const self = { name: 'kim', type: 'logic', host: '10.0.0.7', port: 3344, workers: 2, activeTime: 0 };
  const facts = { state: 'serving', version: '1', connections: 0, gate: '' } as const;
  const text = nodeText('/kimserver/nodes/logic/kim-logic0000000001', { ...self, facts }, 1612345678.123);
  assert.deepEqual(parseCppNodeJson(text), {
    path: '/kimserver/nodes/logic/kim-logic0000000001',
    type: 'logic',
    host: '10.0.0.7',
    port: 3344,
    worker_cnt: 2,
    active_time: 1612345678.123,
  });
  assert.notEqual(parseCppNodeJson(text.replace('"3344"', '3344')), undefined);
  for (const [from, to] of [
    ['{', '{"state":"draining",'],
    ['"logic"', '""'],
    ['"worker_cnt":2', '"worker_cnt":0'],
    ['}', ''],
  ] as const) {
    assert.equal(parseCppNodeJson(text.replace(from, to)), undefined, to);
  }
});

test('both sides of it understand each other, and keep their habits', async (t) => {
  const server = await CppServer.listen(t, { workers: 2 });
  const node = new CppClientNode({ heartbeatMs: 20 });
  t.after(() => node.close());
  const id = `127.0.0.1:${server.port}.2`;
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => node.relay(id, `key ${i}`, cppRequest(1001, i + 1, `key ${i}`))));
  assert.deepEqual(
    answers.map(({ cmd, seq, body }) => [cmd, seq, parseCppBody(body).data.toString()]),
    answers.map((_, i) => [1002, i + 1, 'good job!']),
  );
  assert.deepEqual([server.open.length, node.links.length], [10, 10]);
  assert.ok(server.requests.every(({ worker }) => worker === 2));
  const [first] = node.links;
  const [unknown, ...others] = await Promise.allSettled([1009, 1001, 1001].map((cmd, i) => first!.request(cmd, i + 1, 'x')));
  assert.equal(unknown!.status, 'fulfilled');
  assert.deepEqual(
    others.map((other) => other.status === 'rejected' && (other.reason as CppFailure).code),
    [20, 14],
    'what was sent behind an unknown command is lost, and what was queued fails',
  );
  assert.deepEqual(server.violations, []);
});

test('it notes what an original could not bear', async (t) => {
  const server = await CppServer.listen(t);
  const wire = await WireClient.connect(server.port, { raw: true });
  wire.send(cppRequest(21, 1, '1'), cppRequest(23, 2, 'too early'));
  await wire.until(() => wire.rest.length > 0, 'the answer');
  wire.send(hex('0de903000015000000001d00000000'), cppRequest(31, 3, 'heartbeat'), cppRequest(61, 4, 'x'));
  await wire.end();
  assert.deepEqual(server.violations, [
    `${15 + 2 + 9} bytes behind command 21 came before its answer, and are lost`,
    'command 1001 with seq 0',
    'command 1001 with an empty body',
    'command 1001 before command 23',
    'command 31 came before the one in front was answered',
    'command 61 came before the one in front was answered',
    'command 31 before command 23',
    'command 61 before command 23',
    'command 61, which it does not know',
  ]);
});
