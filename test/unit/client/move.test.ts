// MOVE: a gate asks its clients to go on elsewhere, and nothing that they sent is lost or done twice.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Addresses, addressText, parseAddress } from '../../../src/client/addresses.ts';
import { ClientError, createClient, type Client, type ClientOptions, type ClientState, type Moved } from '../../../src/client/index.ts';
import { clientCommands, move, welcome } from '../../../src/wire/client-control.ts';
import { Random } from '../../fuzz/random.ts';
import { soon, turn, turns } from '../../support/turns.ts';
import { newWorld, ScriptedGate, type GateOptions } from './scripted-gate.ts';
import { fakeClient, pushBytes, type FakeLink } from './support.ts';

const LATER_MS = 60_000;

interface Followed {
  client: Client;
  moves: Moved[];
  states: ClientState[];
}

function clientOf(t: TestContext, { port }: ScriptedGate, options: Partial<ClientOptions> = {}): Followed {
  const client = createClient({ host: '127.0.0.1', port, hello: true, reconnect: { minMs: 1, maxMs: 5 }, ...options });
  const moves: Moved[] = [];
  const states: ClientState[] = [];
  client.onMoved((moved) => moves.push(moved));
  client.onState((state) => states.push(state));
  t.after(() => client.close({ timeoutMs: 1 }));
  return { client, moves, states };
}

/** Gates that share their sessions. */
async function gates(t: TestContext, n: number, options: GateOptions = {}): Promise<ScriptedGate[]> {
  const world = newWorld();
  return Promise.all(Array.from({ length: n }, () => ScriptedGate.open(t, { world, ...options })));
}

/** Answers that the test lets go. */
function holding(): { handle: (data: string) => Promise<void>; release(data: string): void } {
  const held = new Map<string, () => void>();
  return {
    handle: (data) => new Promise((resolve) => held.set(data, resolve)),
    release: (data) => held.get(data)!(),
  };
}

const arrived = (gate: ScriptedGate, data: string) => soon(() => gate.world.done.has(data), `request ${data}`);
const moved = ({ moves }: Followed, n = 1) => soon(() => moves.length >= n, `move ${n}`);
const isError = (code: ClientError['code'], text: RegExp) => (error: unknown) =>
  error instanceof ClientError && error.code === code && text.test(error.message);

test('goes on at another gate: new requests there, replies in flight here, pushes from both, and one state all the time', async (t) => {
  const { handle, release } = holding();
  const [a, b] = (await gates(t, 2, { handle })) as [ScriptedGate, ScriptedGate];
  const followed = clientOf(t, a);
  const { client, moves, states } = followed;
  const pushes: string[] = [];
  client.on(3001, (push) => pushes.push(push.text()));
  const early = client.request(2001, 'early');
  await arrived(a, 'early');
  const before = a.client;
  before.move([b.address], LATER_MS);
  await moved(followed);
  assert.deepEqual(moves, [{ from: a.address, to: b.address, resumed: true }]);
  assert.deepEqual([client.address, client.session!.id], [b.address, 's1']);
  const late = client.request(2001, 'late');
  await arrived(b, 'late');
  assert.deepEqual(b.client.commands, [clientCommands.hello, 2001]);
  before.push(3001, 'from a');
  await soon(() => pushes.length === 1, 'a push on the connection of before');
  b.client.push(3001, 'from b');
  await soon(() => pushes.length === 2, 'a push on the new connection');
  release('late');
  assert.equal((await late).text(), 'for late');
  assert.equal(before.socket.destroyed, false);
  release('early');
  const [first, second] = [await early, await late];
  assert.equal(first.text(), 'for early');
  assert.notEqual(first.seq, second.seq);
  await soon(() => a.connections.size === 0, 'the connection of before to end');
  assert.deepEqual([before.moved, before.commands], [true, [clientCommands.hello, 2001, clientCommands.leave]]);
  assert.deepEqual(pushes, ['from a', 'from b']);
  assert.deepEqual(
    states.map(({ name }) => name),
    ['connecting', 'connected'],
  );
});

test('loses nothing and has nothing done twice over many moves under load', async (t) => {
  const random = new Random(20_210_218, 7);
  const pause = async () => {
    for (let i = random.below(6); i > 0; i--) await turn();
  };
  const all = await gates(t, 3, { heartbeatMs: 10, handle: () => (random.chance(0.5) ? pause() : undefined) });
  const { world } = all[0]!;
  const followed = clientOf(t, all[0]!);
  const { client, moves } = followed;
  const got: number[] = [];
  client.on(3001, (push) => got.push(Number(push.text())));
  await client.connect();

  const MOVES = 150;
  let sent = 0;
  let pushed = 0;
  const wrong: string[] = [];
  const user = async () => {
    while (moves.length < MOVES) {
      const name = `request ${++sent}`;
      await client.request(2001, name).then(
        (answer) => answer.text() !== `for ${name}` && wrong.push(`${name}: ${answer.text()}`),
        (error: Error) => wrong.push(`${name}: ${error.message}`),
      );
      await pause();
    }
  };
  const mover = async () => {
    for (let n = 1; n <= MOVES; n++) {
      await pause();
      const gate = all.find(({ address }) => address === client.address)!;
      const others = all.filter((other) => other !== gate).map(({ address }) => address);
      const connection = [...gate.connections].find((one) => !one.hasLeft)!;
      connection.push(3001, String(++pushed));
      connection.move(random.chance(0.3) ? [others[random.below(2)]!] : others, LATER_MS);
      if (random.chance(0.5)) connection.push(3001, String(++pushed));
      await moved(followed, n);
    }
  };
  await Promise.all([mover(), ...Array.from({ length: 16 }, user)]);
  await soon(() => got.length >= pushed, 'all pushes');

  assert.deepEqual(wrong, []);
  assert.equal(world.done.size, sent);
  assert.deepEqual(
    [...world.done].filter(([, times]) => times !== 1),
    [],
  );
  assert.deepEqual(
    got.toSorted((x, y) => x - y),
    Array.from({ length: pushed }, (_, i) => i + 1),
  );
  assert.ok(moves.every(({ resumed, from, to }) => resumed && from !== to));
  await client.close();
  await soon(() => all.every(({ connections }) => connections.size === 0), 'every connection to end');
});

test('explains every request when gates also break, refuse and leave no time', async (t) => {
  const random = new Random(20_210_218, 8);
  const pause = async (most: number) => {
    for (let i = random.below(most); i > 0; i--) await turn();
  };
  const all = await gates(t, 3, { handle: () => (random.chance(0.5) ? pause(6) : undefined) });
  const { world } = all[0]!;
  const { client, moves } = clientOf(t, all[0]!, { connectTimeoutMs: 2000 });
  await client.connect();
  const EVENTS = 120;
  let events = 0;
  let sent = 0;
  const answered = new Set<string>();
  const failed = new Map<string, string>();
  const user = async () => {
    while (events < EVENTS) {
      const name = `request ${++sent}`;
      await client.request(2001, name).then(
        (answer) => assert.equal(answer.text(), `for ${name}`) ?? answered.add(name),
        (error: ClientError) => failed.set(name, error.code),
      );
      await pause(6);
    }
  };
  const trouble = async () => {
    for (; events < EVENTS; events++) {
      await soon(() => client.address !== undefined, 'a connection');
      await pause(20);
      const gate = all.find(({ address }) => address === client.address);
      const connection = [...(gate?.connections ?? [])].find((one) => !one.hasLeft);
      if (gate === undefined || connection === undefined) continue;
      const others = all.filter((other) => other !== gate);
      const [broken, whole] = random.shuffle(others) as [ScriptedGate, ScriptedGate];
      const what = random.below(4);
      if (what === 0) connection.socket.destroy();
      broken.isShut = what === 1;
      if (broken.isShut) broken.cut();
      if (what >= 1) connection.move([broken.address, whole.address], random.pick([0, 3, LATER_MS]));
      if (what === 2) await pause(4).then(() => connection.socket.resetAndDestroy());
      const { length } = moves;
      await soon(() => moves.length > length || client.address !== undefined, 'another connection');
      broken.isShut = false;
    }
  };
  await Promise.all([trouble(), ...Array.from({ length: 8 }, user)]);

  assert.equal(answered.size + failed.size, sent);
  assert.deepEqual(new Set(failed.values()), new Set(['closed']));
  assert.ok([...answered].every((name) => world.done.get(name) === 1));
  assert.deepEqual(
    [...world.done].filter(([, times]) => times !== 1),
    [],
  );
  assert.ok(answered.size > failed.size && moves.length > 20, `${answered.size} answered, ${failed.size} failed, ${moves.length} moves`);
});

test('an address where nobody answers is tried once, and then another', async (t) => {
  const [a, b, dead] = (await gates(t, 3)) as [ScriptedGate, ScriptedGate, ScriptedGate];
  dead.refuse();
  for (let i = 0; i < 10; i++) {
    const followed = clientOf(t, a);
    await followed.client.connect();
    a.client.move([dead.address, b.address, 'no address'], LATER_MS);
    const answers = Array.from({ length: 10 }, (_, n) => followed.client.request(2001, `${i} ${n}`));
    await moved(followed);
    assert.equal(followed.moves[0]!.to, b.address);
    assert.deepEqual(
      followed.states.map(({ name }) => name),
      ['connecting', 'connected'],
    );
    assert.ok((await Promise.all(answers)).every(({ ok }) => ok));
    await followed.client.close();
  }
});

test('without addresses the one that was dialled is meant, and with dead ones it is the last resort', async (t) => {
  const [a, dead] = (await gates(t, 2)) as [ScriptedGate, ScriptedGate];
  dead.refuse();
  const followed = clientOf(t, a);
  await followed.client.connect();
  for (const [n, addresses] of [[], [dead.address]].entries()) {
    a.client.move(addresses, LATER_MS);
    await moved(followed, n + 1);
    await soon(() => a.connections.size === 1, 'the connection of before to end');
  }
  assert.deepEqual(followed.moves, [
    { from: a.address, to: a.address, resumed: true },
    { from: a.address, to: a.address, resumed: true },
  ]);
});

test('when no gate is reached in time, requests wait for one; what was sent is answered or fails, and is never sent again', async (t) => {
  const { handle, release } = holding();
  const [a, b] = (await gates(t, 2, { handle })) as [ScriptedGate, ScriptedGate];
  b.isShut = true;
  const followed = clientOf(t, a);
  const { client, states } = followed;
  const [answered, lost] = [client.request(2001, 'answered'), client.request(2001, 'lost')];
  await arrived(a, 'lost');
  const before = a.client;
  a.refuse();
  before.move([b.address], 30);
  await soon(() => before.hasLeft, 'the client to leave');
  assert.equal(client.address, undefined);
  const waits = client.request(2001, 'waits');
  release('answered');
  assert.equal((await answered).text(), 'for answered');
  before.socket.destroy();
  await assert.rejects(lost, isError('closed', /^the connection was lost before the answer came/));
  b.isShut = false;
  await arrived(b, 'waits');
  release('waits');
  assert.equal((await waits).text(), 'for waits');
  assert.deepEqual([...b.world.done.values()], [1, 1, 1]);
  assert.deepEqual(followed.moves, [{ from: a.address, to: b.address, resumed: true }]);
  const left = states.find(({ name }) => name === 'disconnected');
  assert.deepEqual(left, { name: 'disconnected', reason: `${a.address} asked to leave, and no other gate could be reached in time` });
  assert.equal(client.state.name, 'connected');
});

test('an answer that does not come by the time to leave is given up, and its request is not sent again', async (t) => {
  const [a, b] = (await gates(t, 2, { handle: (data) => (data === 'never' ? new Promise(() => undefined) : undefined) })) as [
    ScriptedGate,
    ScriptedGate,
  ];
  const followed = clientOf(t, a);
  const never = followed.client.request(2001, 'never');
  await arrived(a, 'never');
  a.client.move([b.address], 20);
  await moved(followed);
  assert.equal((await followed.client.request(2001, 'there')).text(), 'for there');
  await assert.rejects(never, isError('closed', /the connection was lost before the answer came/));
  assert.equal(a.world.done.get('never'), 1);
});

test('a connection that is lost while another is opened in its place is no end: the other one takes over', async (t) => {
  const [a, b] = (await gates(t, 2, { handle: () => new Promise(() => undefined) })) as [ScriptedGate, ScriptedGate];
  const followed = clientOf(t, a);
  const { client } = followed;
  const lost = client.request(2001, 'lost');
  await arrived(a, 'lost');
  const before = a.client;
  before.move([b.address], LATER_MS);
  before.socket.end(() => before.socket.destroy());
  await assert.rejects(lost, isError('closed', /./));
  await soon(() => client.address === b.address, 'the other gate');
  assert.deepEqual([client.session!.id, client.session!.resumed], ['s1', true]);
});

test('a gate that has lost the session says so', async (t) => {
  const [a, b] = (await gates(t, 2)) as [ScriptedGate, ScriptedGate];
  const followed = clientOf(t, a);
  await followed.client.connect();
  a.world.sessions.clear();
  a.client.move([b.address], LATER_MS);
  await moved(followed);
  assert.deepEqual(followed.moves, [{ from: a.address, to: b.address, resumed: false }]);
  assert.equal(followed.client.session!.resumed, false);
});

test('moves whatever reconnect says, and without reconnect gives up at the time to leave', async (t) => {
  const [a, b, dead] = (await gates(t, 3)) as [ScriptedGate, ScriptedGate, ScriptedGate];
  dead.refuse();
  const followed = clientOf(t, a, { reconnect: false });
  const { client } = followed;
  await client.connect();
  a.client.move([b.address], LATER_MS);
  await moved(followed);
  await soon(() => a.connections.size === 0, 'the connection of before to end');
  a.refuse();
  b.client.move([dead.address], 20);
  await soon(() => client.address === undefined, 'the time to leave');
  await soon(() => client.state.name === 'disconnected', 'the last try to end');
  await assert.rejects(client.request(2001), isError('connect', /nothing listens there/));
});

test('a kick on a connection that is being left ends the session', async (t) => {
  const [a, b] = (await gates(t, 2, { handle: () => new Promise(() => undefined) })) as [ScriptedGate, ScriptedGate];
  const followed = clientOf(t, a);
  const lost = assert.rejects(followed.client.request(2001, 'lost'), isError('kicked', /elsewhere/));
  await arrived(a, 'lost');
  const before = a.client;
  before.move([b.address], LATER_MS);
  await moved(followed);
  before.kick('elsewhere', 1);
  await lost;
  assert.equal(followed.client.state.name, 'kicked');
  await soon(() => b.connections.size === 0, 'the new connection to end');
});

test('close during a move ends all connections', async (t) => {
  const [a, b] = (await gates(t, 2, { handle: () => new Promise(() => undefined) })) as [ScriptedGate, ScriptedGate];
  for (const isMoved of [true, false]) {
    const followed = clientOf(t, a);
    const lost = assert.rejects(followed.client.request(2001, `lost ${isMoved}`), isError('closed', /the client was closed/));
    await arrived(a, `lost ${isMoved}`);
    a.client.move([b.address], LATER_MS);
    if (isMoved) await moved(followed);
    await followed.client.close({ timeoutMs: 1 });
    await lost;
    for (const { connections } of [a, b]) for (const { socket } of connections) socket.destroy();
    await soon(() => a.connections.size + b.connections.size === 0, 'all connections to end');
  }
});

test('gates that send a client to each other do not make it run between them at full speed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { client, transport } = fakeClient(t, { hello: true, reconnect: { jitter: 0, minMs: 100, maxMs: 1000 } });
  const greet = async (link: FakeLink) => {
    await turns(4);
    const greeting = link.requests().find(({ cmd }) => cmd === clientCommands.hello)!;
    link.reply(greeting, { data: welcome.encode({ session_id: 's', token: Buffer.from('t') }) });
  };
  const ask = (link: FakeLink) =>
    link.events.data(pushBytes(clientCommands.move, move.encode({ leave_by_ms: LATER_MS }).toString('latin1')));
  const connecting = client.connect();
  await greet(transport.last);
  await connecting;
  for (const pauseMs of [0, 100, 200, 400, 800, 1000, 1000]) {
    const { length } = transport.links;
    ask(transport.last);
    if (pauseMs > 0) {
      t.mock.timers.tick(pauseMs - 1);
      assert.equal(transport.links.length, length, `a pause of ${pauseMs}`);
      t.mock.timers.tick(1);
    }
    assert.equal(transport.links.length, length + 1, `a pause of ${pauseMs}`);
    await greet(transport.last);
  }
  // after a rest it follows at once again
  t.mock.timers.tick(2000);
  const { length } = transport.links;
  ask(transport.last);
  assert.equal(transport.links.length, length + 1);
});

test('addresses are read as they are written, and what is none is refused', () => {
  for (const text of ['10.0.0.7:3355', 'gate-0.demo:1', '[fd00::7]:65535']) assert.equal(addressText(parseAddress(text)!), text);
  assert.deepEqual(parseAddress('[::1]:3355'), { host: '::1', port: 3355 });
  for (const text of ['', 'x', ':1', 'x:', 'x:0', 'x:65536', 'x:1x', 'a b:1', '::1:3355', '[]:1', `${'x'.repeat(256)}:1`]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('the next address is another one where there is one, and the dialled one after a connection was lost', () => {
  const addresses = new Addresses({ host: 'dialled', port: 1 }, () => 0);
  const next = () => addressText(addresses.next());
  assert.deepEqual([next(), next()], ['dialled:1', 'dialled:1']);
  addresses.name(['a:1', 'b:1', 'nothing']);
  assert.deepEqual([next(), next(), next()], ['a:1', 'b:1', 'a:1']);
  addresses.failed();
  assert.deepEqual([next(), next()], ['b:1', 'a:1']);
  addresses.again();
  assert.equal(next(), 'a:1');
  addresses.lost();
  assert.deepEqual([next(), next()], ['dialled:1', 'a:1']);
  addresses.name(Array.from({ length: 100 }, (_, i) => `h${i}:1`));
  assert.equal(next(), 'h0:1');
  const last = new Addresses({ host: 'dialled', port: 1 }, () => 0.999);
  last.name(Array.from({ length: 100 }, (_, i) => `h${i}:1`));
  assert.equal(addressText(last.next()), 'h63:1');
});
