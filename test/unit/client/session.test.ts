// Clients that greet: the session, heartbeats, kicks, and servers that know none of it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ClientError, createClient, type Client, type ClientOptions, type ClientState } from '../../../src/client/index.ts';
import { Heartbeat } from '../../../src/client/heartbeat.ts';
import { ClockEstimate } from '../../../src/client/session.ts';
import { clientCommands } from '../../../src/wire/client-control.ts';
import { request } from '../../support/frames.ts';
import { soon, turns } from '../../support/turns.ts';
import { newWorld, ScriptedGate, type GateOptions } from './scripted-gate.ts';
import { fakeClient, pushBytes } from './support.ts';

const isError = (code: ClientError['code'], text: RegExp) => (error: unknown) =>
  error instanceof ClientError && error.code === code && text.test(error.message);

function clientOf(
  t: TestContext,
  { port }: { port: number },
  options: Partial<ClientOptions> = {},
): { client: Client; states: ClientState[] } {
  const client = createClient({ host: '127.0.0.1', port, hello: true, reconnect: { minMs: 1, maxMs: 20 }, ...options });
  const states: ClientState[] = [];
  client.onState((state) => states.push(state));
  t.after(() => client.close({ timeoutMs: 1 }));
  return { client, states };
}

const reached = (client: Client, name: ClientState['name']) => soon(() => client.state.name === name, `the state ${name}`);

test('greets first, shows its session, and takes its leave when it is closed', async (t) => {
  const gate = await ScriptedGate.open(t, { userId: 'anna' });
  const { client, states } = clientOf(t, gate, { version: 'game 7' });
  const answer = await client.request(2001, 'a');
  assert.equal(answer.text(), 'for a');
  assert.deepEqual(client.session, { id: 's1', token: new Uint8Array(Buffer.from('token of s1')), userId: 'anna', resumed: false });
  assert.equal(client.address, gate.address);
  const connection = gate.client;
  assert.equal(connection.version, 'game 7');
  await client.close();
  assert.deepEqual(connection.commands, [clientCommands.hello, 2001, clientCommands.leave]);
  assert.equal(connection.moved, false);
  assert.deepEqual(states, [{ name: 'connecting' }, { name: 'connected' }, { name: 'closed' }]);
});

test('a session goes on after a lost connection, and after a restart with the token that was kept', async (t) => {
  const gate = await ScriptedGate.open(t);
  const { client } = clientOf(t, gate);
  await client.connect();
  gate.client.socket.destroy();
  await soon(() => client.session?.resumed === true, 'the session to go on');
  assert.equal(client.session!.id, 's1');
  const later = clientOf(t, gate, { sessionToken: client.session!.token });
  await later.client.connect();
  assert.deepEqual([later.client.session!.id, later.client.session!.resumed], ['s1', true]);
});

test('heartbeats measure the way to the server and its clock', async (t) => {
  const gate = await ScriptedGate.open(t, { heartbeatMs: 10 });
  const { client } = clientOf(t, gate);
  await client.connect();
  const connection = gate.client;
  await soon(() => connection.commands.filter((cmd) => cmd === clientCommands.heartbeat).length >= 3, 'three heartbeats');
  const { roundTripMs, offsetMs } = client.clock!;
  assert.ok(roundTripMs >= 0, String(roundTripMs));
  assert.ok(offsetMs > 0 && offsetMs < 10_000, String(offsetMs));
  assert.equal(client.state.name, 'connected');
});

test('a server that answers no heartbeat is lost: what was sent fails and the session goes on elsewhere', async (t) => {
  const options: GateOptions = { heartbeatMs: 10, heartbeats: 'ignored', handle: () => new Promise(() => undefined) };
  const gate = await ScriptedGate.open(t, options);
  const { client, states } = clientOf(t, gate, { heartbeatTimeoutMs: 20 });
  await client.connect();
  const lost = assert.rejects(client.request(2001, 'a'), isError('closed', /did not answer a heartbeat within 20 ms/));
  await lost;
  await soon(() => client.session?.resumed === true, 'the session to go on');
  assert.deepEqual(states[2], { name: 'disconnected', reason: 'the server did not answer a heartbeat within 20 ms' });
  assert.equal(gate.world.done.get('a'), 1);
});

test('a server that leaves a request without an answer is asked at once whether it is there', async (t) => {
  const gate = await ScriptedGate.open(t, { heartbeatMs: 60_000, heartbeats: 'ignored', handle: () => new Promise(() => undefined) });
  const { client, states } = clientOf(t, gate, { heartbeatTimeoutMs: 20 });
  await client.connect();
  await assert.rejects(client.request(2001, 'a', { timeoutMs: 20 }), isError('timeout', /no answer/));
  await soon(() => states.some(({ name }) => name === 'disconnected'), 'it counts as lost');
  assert.deepEqual(states[2], { name: 'disconnected', reason: 'the server did not answer a heartbeat within 20 ms' });
});

test('a heartbeat whose answer stands behind bytes that still move is waited for', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const now = { received: 0, taken: 0, isStuck: false };
  const seen: string[] = [];
  const heartbeat = new Heartbeat(
    {
      send: () => seen.push('sent'),
      progress: () => ({ ...now }),
      answered: () => seen.push('answered'),
      lost: () => seen.push('lost'),
    },
    1000,
    100,
  );
  t.mock.timers.tick(1000);
  now.received = 1;
  t.mock.timers.tick(100);
  now.isStuck = true;
  now.received = 2;
  t.mock.timers.tick(100);
  // from now on only ours move, and they were more than this machine holds
  now.taken = 1;
  t.mock.timers.tick(100);
  now.isStuck = false;
  now.taken = 2;
  t.mock.timers.tick(100);
  assert.deepEqual(seen, ['sent']);
  heartbeat.answer(7, 0);
  heartbeat.answer(1, 0);
  t.mock.timers.tick(1000);
  assert.deepEqual(seen, ['sent', 'answered', 'sent']);
  // it says nothing that more of ours fit into this machine
  now.taken = 3;
  t.mock.timers.tick(100);
  assert.deepEqual(seen, ['sent', 'answered', 'sent', 'lost']);
});

test('the clock is that of the shortest round trip of the last eight', () => {
  const clock = new ClockEstimate();
  assert.equal(clock.value, undefined);
  clock.add(10, 1000, 500);
  clock.add(100, 2000, 500);
  assert.deepEqual(clock.value, { roundTripMs: 100, offsetMs: 505 });
  for (let i = 0; i < 8; i++) clock.add(20 + i, 3000, 500);
  assert.deepEqual(clock.value, { roundTripMs: 27, offsetMs: 2510 });
});

test('a kick ends the session: what has no answer fails, and nothing is sent before connect is called', async (t) => {
  const gate = await ScriptedGate.open(t, { handle: () => new Promise(() => undefined) });
  const { client, states } = clientOf(t, gate);
  await client.connect();
  const inFlight = assert.rejects(client.request(2001, 'a'), isError('kicked', /ended the session: logged in elsewhere \(code 77\)/));
  await soon(() => gate.world.done.size === 1, 'the request to arrive');
  const connection = gate.client;
  connection.kick('logged in elsewhere', 77);
  await inFlight;
  assert.deepEqual(states.at(-1), { name: 'kicked', reason: 'logged in elsewhere', code: 77 });
  assert.equal(client.session, undefined);
  await assert.rejects(client.request(2001, 'b'), isError('kicked', /connect\(\) begins another/));
  await soon(() => gate.connections.size === 0, 'the connection to end');
  assert.deepEqual([client.state.name, gate.accepted], ['kicked', 1]);
  await client.connect();
  assert.deepEqual([client.session!.id, client.session!.resumed], ['s2', false]);
});

test('a kick instead of a welcome fails the connect', async (t) => {
  const { client, transport, states } = fakeClient(t, { hello: true });
  const connecting = assert.rejects(client.connect(), isError('kicked', /banned \(code 5\)/));
  await turns();
  // Kick { reason: 'banned', code: 5 }
  transport.last.events.data(pushBytes(105, '\x0a\x06banned\x10\x05'));
  await connecting;
  assert.deepEqual(states.at(-1), { name: 'kicked', reason: 'banned', code: 5 });
  assert.equal(transport.last.isDestroyed, true);
});

test('with reconnectAfterKick another session begins by itself', async (t) => {
  const gate = await ScriptedGate.open(t);
  const { client, states } = clientOf(t, gate, { reconnectAfterKick: true });
  await client.connect();
  gate.client.kick('', 0);
  await soon(() => client.session?.id === 's2', 'another session');
  assert.deepEqual(
    states.map(({ name }) => name),
    ['connecting', 'connected', 'kicked', 'reconnecting', 'connecting', 'connected'],
  );
});

test('without hello the client sends its requests and nothing else, and control numbers mean nothing', async (t) => {
  const received: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on('data', (bytes) => received.push(bytes));
    socket.write(pushBytes(clientCommands.kick, '\x0a\x06banned'));
    socket.write(pushBytes(clientCommands.move, ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { client, states } = clientOf(t, server.address() as AddressInfo, { hello: false });
  const pushes: number[] = [];
  for (const cmd of [clientCommands.kick, clientCommands.move]) client.on(cmd, (push) => pushes.push(push.cmd));
  for (const data of ['a', 'b']) client.request(1001, data).catch(() => undefined);
  await soon(() => pushes.length === 2 && received.length > 0, 'the pushes');
  client.request(101, 'c', { traceId: 't' }).catch(() => undefined);
  await client.close({ timeoutMs: 1 });
  const sent = Buffer.concat([request(1001, 1, 'a'), request(1001, 2, 'b'), request(101, 3, 'c', 't')]);
  await soon(() => Buffer.concat(received).length >= sent.length, 'the requests');
  assert.deepEqual(Buffer.concat(received), sent);
  assert.equal(client.session, undefined);
  assert.deepEqual(
    states.map(({ name }) => name),
    ['connecting', 'connected', 'closed'],
  );
});

test('a server that does not know HELLO is told apart: auto connects again without it, true says what to do', async (t) => {
  const gate = await ScriptedGate.open(t, { isOriginal: true });
  const { client, states } = clientOf(t, gate, { hello: 'auto' });
  assert.equal((await client.request(2001, 'a')).text(), 'for a');
  assert.deepEqual(gate.client.commands, [2001]);
  assert.equal(gate.accepted, 2);
  assert.deepEqual(
    states.map(({ name }) => name),
    ['connecting', 'connected'],
  );
  const strict = clientOf(t, gate, { reconnect: false });
  await assert.rejects(strict.client.connect(), isError('connect', /refused HELLO with code 4: invalid cmd!; .* hello: false or 'auto'/));
});

test('auto greets a server that can do so, and each connection asks anew', async (t) => {
  const world = newWorld();
  const gate = await ScriptedGate.open(t, { isOriginal: true, world });
  const { client } = clientOf(t, gate, { hello: 'auto' });
  await client.connect();
  assert.equal(client.session, undefined);
  gate.options.isOriginal = false;
  for (const { socket } of gate.connections) socket.destroy();
  await soon(() => client.session?.id === 's1', 'a session');
});

test('a server that takes the connection and never answers HELLO is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { hello: true, connectTimeoutMs: 300 });
  const connecting = assert.rejects(client.connect(), isError('connect', /no answer to HELLO within 300 ms/));
  await turns();
  t.mock.timers.tick(300);
  await connecting;
  assert.equal(transport.last.isDestroyed, true);
});

test('requests cannot have the numbers of control commands when the client greets', async (t) => {
  const { client } = fakeClient(t, { hello: true });
  await assert.rejects(client.request(103), isError('invalid', /commands 101 to 199 are the client's own, got 103/));
});

test('what comes close to a welcome but is none ends the connection with the reason', async (t) => {
  const { client, transport } = fakeClient(t, { hello: true, reconnect: false });
  const failing = assert.rejects(client.connect(), isError('connect', /not protobuf: Welcome does not parse at byte 0/));
  await turns();
  const [greeting] = transport.last.requests();
  transport.last.reply(greeting!, { data: '\x0a\x7f' });
  await failing;
});

test('options of the greeting out of range are refused', () => {
  const make = (options: object) => () => createClient({ host: 'x', port: 1, hello: true, ...options });
  assert.throws(make({ heartbeatTimeoutMs: 0 }), /heartbeatTimeoutMs must be a number from 1/);
  assert.throws(make({ sessionToken: new Uint8Array(4097) }), /sessionToken must have at most 4096 bytes, got 4097/);
  assert.throws(make({ version: 'x'.repeat(257) }), /version must have at most 256 characters, got 257/);
});

test('a kicked client that is closed stays closed', async (t) => {
  const gate = await ScriptedGate.open(t);
  const { client } = clientOf(t, gate, { reconnectAfterKick: true });
  client.onState((state) => {
    if (state.name === 'kicked') void client.close();
  });
  await client.connect();
  gate.client.kick('', 0);
  await reached(client, 'closed');
  await client.close();
  assert.equal(gate.accepted, 1);
});
