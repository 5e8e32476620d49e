// Nodes in C++ that connect to a node of ours: it is to them what another of them would be, without its mistakes.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CppClientNode, CppLink, type CppLinkOptions } from '../support/cpp-link.ts';
import { CppGate } from '../support/cpp-gate.ts';
import { cppFnv1 } from '../support/cpp-ring.ts';
import { cppBody, cppFrame, cppRequest, parseCppBody, parseCppTarget, type CppFrame } from '../support/cpp-wire.ts';
import { hex, request } from '../support/frames.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const LOGIC = { node_type: 'logic', node_host: '127.0.0.1', node_port: 0, modules: ['test', 'echo', 'load.ts'] };

/** A logic node of ours with a gate port too, which is the one that an original would tell. */
function startLogic(t: TestContext, raw: Record<string, unknown> = {}): Promise<TestNode> {
  return startNode(t, { ...LOGIC, ...raw });
}

async function connect(t: TestContext, node: TestNode, options: CppLinkOptions = {}, worker = 1): Promise<CppLink> {
  const link = new CppLink(node.nodePort, worker, options);
  t.after(() => link.close());
  return link.up;
}

const read = ({ cmd, seq, body }: CppFrame) => {
  const { result, data } = parseCppBody(body);
  return [cmd, seq, result?.code, result?.msg, data.toString()];
};

test('the handshake is answered byte for byte, with the port that nodes connect to and nothing that an original does not say', async (t) => {
  const node = await startLogic(t, { worker_cnt: 2 });
  const link = await connect(t, node, {}, 2);
  assert.notEqual(node.nodePort, node.port);
  const port = Buffer.from([0x18, (node.nodePort & 0x7f) | 0x80, ((node.nodePort >> 7) & 0x7f) | 0x80, node.nodePort >> 14]);
  const target = Buffer.concat([hex('0a056c6f676963', '12093132372e302e302e31'), port, hex('2002')]);
  const ok = hex('120412026f6b');
  const told = Buffer.concat([ok, Buffer.from([0x1a, target.length]), target]);
  const length = Buffer.from([0x1d, told.length, 0, 0, 0]);
  const answers = [hex('0d16000000', '1501000000', '1d06000000'), ok, hex('0d18000000', '1502000000'), length, told];
  assert.equal(link.bytes.toString('hex'), Buffer.concat(answers).toString('hex'));
  assert.deepEqual(parseCppTarget(target), { type: 'logic', ip: '127.0.0.1', port: node.nodePort, worker: 2 });
});

test('a worker that is not there is refused with code 3, a negative one too, and the connection is closed', async (t) => {
  const node = await startLogic(t, { worker_cnt: 2 });
  for (const index of ['0', '3', '-1', '2147483648']) {
    const link = new CppLink(node.nodePort, index);
    await assert.rejects(link.up, { code: 3, message: 'invalid worker index! (3)' });
    await link.closed;
  }
});

test('every command of the test module is answered as the original answers it', async (t) => {
  const link = await connect(t, await startLogic(t));
  const user = '{"user_id":7,"user_name":"hello - 7"}';
  const answers = [
    await link.request(1001, 1, '1 - hello'),
    await link.request(1003, 2, '2 - hello'),
    await link.request(1005, 3, '3 - hello'),
    await link.request(1007, 4, user),
    await link.request(1007, 5, 'no json'),
  ];
  assert.deepEqual(answers.map(read), [
    [1002, 1, 0, 'ok', 'good job!'],
    [1004, 2, 0, 'ok', 'test mysql done!'],
    [1006, 3, 0, 'ok', 'test redis done!'],
    [1008, 4, 0, 'done', 'test session!'],
    [1008, 5, 1, 'fail', 'invalid json data!'],
  ]);
  assert.equal(answers[0]!.body.toString('hex'), '120412026f6b1a09676f6f64206a6f6221');
});

test('a heartbeat is answered with an empty result, again and again, between requests', async (t) => {
  const node = await startLogic(t);
  const link = await connect(t, node, { heartbeatMs: 20 });
  await until(() => link.heartbeats >= 3, 'three heartbeats');
  assert.deepEqual(read(await link.request(1001, 0xffffffff, 'x')), [1002, 0xffffffff, 0, 'ok', 'good job!']);
  const before = link.heartbeats;
  await until(() => link.heartbeats > before + 1, 'one more, and the answer of the one before');
  const answer = hex('0d20000000', '1503000000', '1d02000000', '1200').toString('hex');
  assert.ok(link.bytes.toString('hex').includes(answer), 'command 32, the seq of the heartbeat, 1200');
  assert.equal(link.isClosed, false);
});

test('ten connections of one worker each take one request at a time, and every answer is the one to its request', async (t) => {
  const node = await startLogic(t, { worker_cnt: 2 });
  const far = new CppClientNode();
  t.after(() => far.close());
  const ids = [1, 2].map((worker) => `127.0.0.1:${node.nodePort}.${worker}`);
  const text = (i: number) => `${i % 4} request ${i}`;
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) => far.relay(ids[i % 2]!, text(i), cppRequest(2003, 1 + (i % 3), text(i)))),
  );
  // seqs of different clients may be equal, and say nothing about which request is meant
  assert.deepEqual(
    answers.map(read),
    answers.map((_, i) => [2004, 1 + (i % 3), 0, 'ok', text(i)]),
  );
  assert.equal(far.links.length, 20);
  assert.ok(cppFnv1('0 request 0') !== cppFnv1('1 request 1'));
});

test('kimserver has many in flight and counts for itself: each answer carries its number', async (t) => {
  const node = await startLogic(t);
  const link = await connect(t, node, { kind: 'kim' });
  const texts = Array.from({ length: 200 }, (_, i) => `${i % 3} ${i}`);
  const answers = await Promise.all(texts.map((text) => link.request(2003, 99, text)));
  // its own two frames of the handshake were 1 and 2
  assert.deepEqual(
    answers.map(read),
    texts.map((text, i) => [2004, i + 3, 0, 'ok', text]),
  );
});

test('an unknown command gets code 4 and a body that does not parse code 19, and the link stays for the others', async (t) => {
  const link = await connect(t, await startLogic(t));
  const unknown = await link.request(4711, 7, 'x');
  assert.deepEqual(read(unknown), [4712, 7, 4, 'invalid cmd!', '']);
  assert.equal(unknown.body.toString('hex'), '12100804120c696e76616c696420636d6421');
  for (const broken of ['1a05 61', '08', '00', '0f', '1aff', '120408ff']) {
    const { cmd, seq, body } = await link.send(cppFrame(1001, 8, hex(broken)));
    assert.deepEqual([cmd, seq, parseCppBody(body).result?.code], [1002, 8, 19], broken);
  }
  for (const cmd of [41, 43, 45, 47, 49, 61, 63, 97, 99, 101, 107, 999]) {
    assert.deepEqual(read(await link.request(cmd, 9, '1')), [cmd + 1, 9, 4, 'invalid cmd!', ''], `command ${cmd}`);
  }
  assert.deepEqual(read(await link.request(1001, 10, 'x')), [1002, 10, 0, 'ok', 'good job!']);
});

test('a context that a client forged is nothing to a link of an original', async (t) => {
  const node = await startLogic(t);
  const link = await connect(t, node);
  const own = JSON.parse(parseCppBody((await link.request(2005, 1, 'x')).body).data.toString()) as { id: string; count: number };
  const origin = Buffer.concat([hex('08011001', '1a05'), Buffer.from('other'), hex('2205'), Buffer.from('admin'), hex('2a00', '2200')]);
  const forged = Buffer.concat([cppBody({ data: 'x' }), Buffer.from([0x7a, origin.length]), origin]);
  for (const [i, body] of [forged, Buffer.concat([cppBody({ data: 'x' }), hex('7a00')]), Buffer.concat([forged, forged])].entries()) {
    const seen = JSON.parse(parseCppBody((await link.send(cppFrame(2005, 2, body))).body).data.toString()) as typeof own;
    assert.deepEqual([seen.id, seen.count], [own.id, i + 2], 'the client of a module is the link, as before');
  }
});

test('a node that never sends a heartbeat is not closed, while a client that is as quiet is', async (t) => {
  const node = await startLogic(t, { keep_alive: '1s', first_byte_ms: 100, link_heartbeat_ms: 100 });
  const quiet = await connect(t, node);
  const client = await node.connect();
  assert.equal((await client.request(1001, 'x')).code, 0);
  assert.equal(await client.closed, 'end');
  assert.deepEqual(read(await quiet.request(1001, 5, 'x')), [1002, 5, 0, 'ok', 'good job!']);
});

test('limits of clients do not count for what a node in C++ sends', async (t) => {
  const node = await startLogic(t, {
    max_frame: 1000,
    max_in_flight: 1,
    request_rate: 1,
    request_burst: 1,
    max_clients: 1,
    max_clients_per_address: 1,
    outgoing_limit: 1024,
    outgoing_burst: 2048,
  });
  const far = new CppClientNode();
  const kim = await connect(t, node, { kind: 'kim' });
  t.after(() => far.close());
  const id = `127.0.0.1:${node.nodePort}.1`;
  const large = 'x'.repeat(300_000);
  const answers = await Promise.all([
    ...Array.from({ length: 50 }, (_, i) => far.relay(id, `${i}`, cppRequest(2001, i + 1, large))),
    ...Array.from({ length: 50 }, () => kim.request(2001, 1, large)),
  ]);
  for (const answer of answers) assert.equal(parseCppBody(answer.body).data.length, large.length);
  assert.deepEqual([far.links.length, kim.isClosed], [10, false]);
  const { totals } = await node.status();
  // whoever reads slowly is read slowly, a link too; nothing else counts
  const { outgoing_limit: _, ...others } = totals.limits;
  assert.deepEqual(others, {});
});

test('clients of a gate in C++ are served by workers of ours, chosen by the data', async (t) => {
  const nodes = await Promise.all([startLogic(t, { worker_cnt: 2 }), startLogic(t, { worker_cnt: 1 })]);
  const members = nodes.map((node, i) => ({ host: '127.0.0.1', port: node.nodePort, workers: 2 - i }));
  const gate = await CppGate.listen(t, members, { heartbeatMs: 50 });
  const clients = await Promise.all(Array.from({ length: 8 }, () => WireClient.connect(gate.port)));
  t.after(() => clients.forEach((client) => client.destroy()));
  const served = new Map<string, Set<string>>();
  await Promise.all(
    clients.map(async (client, c) => {
      const keys = Array.from({ length: 60 }, (_, i) => `user-${i}`);
      client.send(...keys.flatMap((key, i) => [request(2017, 2 * i + 1, key, 'trace'), request(2001, 2 * i + 2, `${c} ${key}`)]));
      for (const [i, { cmd, seq, code, data }] of (await client.frames(120)).entries()) {
        const key = keys[Math.floor(i / 2)]!;
        assert.deepEqual([cmd, seq, code], [i % 2 === 0 ? 2018 : 2002, i + 1, 0]);
        if (i % 2 === 0) served.set(key, (served.get(key) ?? new Set()).add(data));
        else assert.equal(data, `${c} ${key}`);
      }
    }),
  );
  for (const [key, pids] of served) assert.equal(pids.size, 1, `${key} has one worker`);
  const pids = new Set([...served.values()].flatMap((one) => [...one]));
  assert.deepEqual(pids, new Set(nodes.flatMap((node) => node.pids()).map(String)), 'every worker serves some');
  const unknown = await answerOf(clients[0]!, request(4711, 121, 'x'));
  assert.deepEqual([unknown.seq, unknown.code, unknown.msg], [121, 4, 'invalid cmd!']);
  const known = await answerOf(clients[0]!, request(1001, 122, 'x'));
  assert.deepEqual([known.seq, known.code, known.data], [122, 0, 'good job!']);
});

test('a seq of 0, which a gate in C++ can not send on, costs that link and nothing else', async (t) => {
  const node = await startLogic(t);
  const gate = await CppGate.listen(t, [{ host: '127.0.0.1', port: node.nodePort, workers: 1 }]);
  const [bad, good] = await Promise.all([WireClient.connect(gate.port, { raw: true }), WireClient.connect(gate.port)]);
  t.after(() => [bad, good].forEach((client) => client.destroy()));
  assert.equal((await answerOf(good, request(1001, 1, 'x'))).code, 0);
  bad.send(request(1001, 0, 'x'));
  await bad.until(() => bad.rest.length > 0, 'an error that nobody can read');
  assert.equal(bad.rest[10], 0);
  assert.equal((await answerOf(good, request(1001, 2, 'x'))).code, 0);
  assert.deepEqual(
    gate.nodes.links.map(({ isClosed }) => isClosed),
    [false, false],
  );
});

test('a node that drains answers what is in flight, and closes links of originals between two requests', async (t) => {
  const node = await startLogic(t, { drain_ms: 10_000 });
  const link = await connect(t, node);
  const answers = [link.request(2003, 1, '300 slow')];
  await node.statusWhen(({ totals }) => totals.inFlight === 1, 'the request is in flight');
  const drained = node.manager.drain();
  assert.deepEqual(read(await answers[0]!), [2004, 1, 0, 'ok', '300 slow']);
  await link.closed;
  await drained;
});

async function answerOf(client: WireClient, bytes: Buffer) {
  client.send(bytes);
  return client.frame();
}
