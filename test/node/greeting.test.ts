// What a gate says to a client that begins with HELLO, frame by frame.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as control from '../../src/wire/client-control.ts';
import { closedGate } from '../support/gate.ts';
import { startNode } from '../support/node.ts';
import { dataOf, Greeter } from '../support/wire-greeter.ts';

const { clientCommands: commands } = control;
const start = (t: TestContext, raw: Record<string, unknown> = {}) => startNode(t, { modules: ['load.ts', 'social.ts'], ...raw });

test('heartbeats are answered at once, while requests in front of them wait', async (t) => {
  const node = await start(t);
  const gate = closedGate(t);
  const client = await Greeter.at(t, node);
  const { heartbeat_ms, resumed, user_id } = await client.hello();
  assert.deepEqual([resumed, user_id], [false, '']);
  assert.ok(heartbeat_ms > 0);
  const slow = client.say(2021, gate.name);
  const behind = client.say(2001, 'behind');
  const { body } = await client.answer(client.say(commands.heartbeat, control.heartbeat.encode({ client_time: 12.5 })));
  const { client_time, server_time } = control.heartbeatReply.decode(dataOf(body));
  assert.equal(client_time, 12.5);
  assert.ok(Math.abs(server_time - Date.now()) < 60_000);
  assert.ok(!client.wire.seen.some(({ seq }) => seq === slow || seq === behind));
  gate.open();
  await client.answer(behind);
  assert.deepEqual(
    client.wire.seen.filter(({ seq }) => seq === slow || seq === behind).map(({ seq }) => seq),
    [slow, behind],
  );
});

test('the token of before is good until the client has sent something behind its WELCOME', async (t) => {
  const node = await start(t, { worker_cnt: 2, node_host: '127.0.0.1', node_port: 0 });
  const first = await Greeter.at(t, node);
  const { session_id, token } = await first.hello();
  await first.answer(first.say(2005, ''));
  // its WELCOME may be lost any number of times
  let newest = token;
  for (let i = 0; i < 4; i++) {
    const { token: given, ...lost } = await (await Greeter.at(t, node)).hello(token);
    assert.deepEqual([lost.session_id, lost.resumed], [session_id, true]);
    newest = given;
  }
  const last = await Greeter.at(t, node);
  const found = await last.hello(newest);
  assert.deepEqual([found.session_id, found.resumed], [session_id, true]);
  assert.match((await last.answer(last.say(2005, ''))).data, /"count":2/);
  const late = await (await Greeter.at(t, node)).hello(token);
  assert.equal(late.resumed, false);
  assert.match((await last.answer(last.say(2005, ''))).data, /"count":3/, 'the session stays where it is');
});

test('a client that comes back before its old connection was seen to be lost takes its session from it', async (t) => {
  const node = await start(t);
  const old = await Greeter.at(t, node);
  const { session_id, token } = await old.hello();
  assert.equal((await old.answer(old.say(4001, 'anna'))).data, 'bound');
  const next = await Greeter.at(t, node);
  const { resumed, user_id } = await next.hello(token);
  assert.deepEqual([resumed, user_id], [true, 'anna']);
  await old.wire.until(() => old.wire.ended, 'the old connection is ended');
  assert.equal(JSON.parse((await next.answer(next.say(2005, ''))).data).id, session_id);
  assert.equal((await next.answer(next.say(4003, 'anna hello'))).data, 'delivered');
});

test('LEAVE is answered behind everything that came before it, and is the last', async (t) => {
  const node = await start(t);
  const gate = closedGate(t);
  const client = await Greeter.at(t, node);
  const { token } = await client.hello();
  const slow = client.say(2021, gate.name);
  const bye = client.say(commands.leave, control.leave.encode({ moved: false }));
  client.say(2001, 'too late');
  gate.open();
  await client.wire.until(() => client.wire.ended, 'the gate closes');
  assert.deepEqual(
    client.wire.seen.map(({ cmd, seq }) => [cmd, seq]),
    [
      [commands.hello + 1, 1],
      [2022, slow],
      [commands.leave + 1, bye],
    ],
  );
  assert.equal((await (await Greeter.at(t, node)).hello(token)).resumed, false);
});

test('LEAVE, moved, keeps the session for the next connection', async (t) => {
  const node = await start(t);
  const client = await Greeter.at(t, node);
  const { token } = await client.hello();
  await client.answer(client.say(2005, ''));
  await client.answer(client.say(commands.leave, control.leave.encode({ moved: true })));
  const next = await Greeter.at(t, node);
  assert.equal((await next.hello(token)).resumed, true);
  assert.match((await next.answer(next.say(2005, ''))).data, /"count":2/);
});

test('a token that nobody knows, or that is none, begins a new session', async (t) => {
  const node = await start(t);
  const { token } = await (await Greeter.at(t, node)).hello();
  const forged = Buffer.from(token);
  forged[forged.length - 1]! ^= 1;
  for (const presented of [forged, Buffer.from('nonsense'), Buffer.alloc(control.MAX_TOKEN, 0x0a), token.subarray(0, 20)]) {
    const { resumed, session_id } = await (await Greeter.at(t, node)).hello(presented);
    assert.equal(resumed, false);
    assert.notEqual(session_id, '');
  }
});

test('HELLO that does not parse, or with a token that is too long, is refused and closed; a second one likewise', async (t) => {
  const node = await start(t);
  for (const data of [Buffer.from('0affff', 'hex'), control.hello.encode({ token: Buffer.alloc(control.MAX_TOKEN + 1) })]) {
    const client = await Greeter.at(t, node);
    const { code } = await client.answer(client.say(commands.hello, data));
    assert.equal(code, 2);
    await client.wire.until(() => client.wire.ended, 'it is closed');
  }
  const client = await Greeter.at(t, node);
  await client.hello();
  assert.equal((await client.answer(client.say(commands.hello, ''))).code, 4);
  await client.wire.until(() => client.wire.ended, 'it is closed');
});

test('commands of the connection that come before HELLO, or have no meaning, are unknown commands', async (t) => {
  const node = await start(t);
  for (const cmd of [commands.heartbeat, commands.leave, 102, 111, 199]) {
    const client = await Greeter.at(t, node);
    assert.equal((await client.answer(client.say(cmd, ''))).code, 4);
    await client.wire.until(() => client.wire.ended, 'it is closed');
  }
});

test('with resume_ms 0 a session ends with its connection, and limits on what is kept hold', async (t) => {
  const none = await start(t, { resume_ms: 0 });
  const first = await Greeter.at(t, none);
  const { token } = await first.hello();
  await first.answer(first.say(commands.leave, control.leave.encode({ moved: true })));
  assert.equal((await (await Greeter.at(t, none)).hello(token)).resumed, false);
  const few = await start(t, { max_lost_sessions: 2, worker_cnt: 1 });
  const tokens: Uint8Array[] = [];
  for (let i = 0; i < 3; i++) {
    const client = await Greeter.at(t, few);
    tokens.push((await client.hello()).token);
    await client.answer(client.say(commands.leave, control.leave.encode({ moved: true })));
    await client.wire.end();
    await few.statusWhen(({ totals }) => totals.connections === 0, 'its session is kept');
  }
  const resumed: boolean[] = [];
  for (const each of tokens) resumed.push((await (await Greeter.at(t, few)).hello(each)).resumed);
  assert.deepEqual(resumed, [false, true, true]);
});

test('the token of before is good also when another worker of the node serves the client meanwhile', async (t) => {
  const node = await start(t, { node_host: '127.0.0.1', node_port: 0 });
  const { session_id, token } = await (await Greeter.at(t, node)).hello();
  // its WELCOME is lost
  const second = await Greeter.at(t, node);
  await second.hello(token);
  const before = node.pids();
  await node.manager.roll();
  await node.statusWhen(({ totals }) => totals.adopted === 1, 'its connection is at the new worker');
  assert.notDeepEqual(node.pids(), before);
  const found = await (await Greeter.at(t, node)).hello(token);
  assert.deepEqual([found.resumed, found.session_id], [true, session_id]);
});
