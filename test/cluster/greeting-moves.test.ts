// Clients that move, at the worst moments, frame by frame.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import * as control from '../../src/wire/client-control.ts';
import type { LinkView } from '../../src/ops/admin-schema.ts';
import { encodeToken } from '../../src/cluster/token.ts';
import { migrate, transfer } from '../../src/cluster/control.ts';
import { request } from '../support/frames.ts';
import { greeters } from '../support/greeters.ts';
import { talkTo } from '../support/hostile.ts';
import type { TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';
import { Greeter } from '../support/wire-greeter.ts';

const { clientCommands: commands } = control;

test('a client that is moving is who it was on both connections, and messages for it come on the new one', async (t) => {
  const { gates } = await greeters(t);
  const old = await Greeter.at(t, gates[0]!);
  const { token, session_id } = await old.hello();
  assert.equal((await old.answer(old.say(4001, 'anna'))).data, 'bound');
  assert.equal((await old.answer(old.say(4013, ''))).data, 'anna');
  const drained = gates[0]!.manager.drain();
  await old.wire.until(() => old.wire.seen.some(({ cmd }) => cmd === commands.move), 'it is asked to move');
  const next = await Greeter.at(t, gates[1]!);
  const { resumed, user_id, session_id: same } = await next.hello(token);
  assert.deepEqual([resumed, user_id, same], [true, 'anna', session_id]);
  assert.equal((await next.answer(next.say(4013, ''))).data, 'anna');
  assert.equal((await old.answer(old.say(4013, ''))).data, 'anna', 'on the old connection');
  assert.equal((await old.answer(old.say(4015, 'ab'))).data, 'true');
  await next.wire.until(() => next.wire.seen.filter(({ cmd }) => cmd === 5007).length === 2, 'both messages come on the new one');
  assert.equal((await next.answer(next.say(4013, ''))).data, 'anna', 'on the new connection');
  assert.equal((await next.answer(next.say(4003, 'anna hello'))).data, 'delivered');
  await old.answer(old.say(commands.leave, control.leave.encode({ moved: true })));
  await drained;
  assert.equal((await next.answer(next.say(4013, ''))).data, 'anna', 'after the old gate is gone');
});

test('a worker that hears of a client first from the gate that it leaves sends messages to the one where it is', async (t) => {
  const { gates } = await greeters(t);
  const old = await Greeter.at(t, gates[0]!);
  const { token } = await old.hello();
  void gates[0]!.manager.drain();
  await old.wire.until(() => old.wire.seen.some(({ cmd }) => cmd === commands.move), 'it is asked to move');
  const next = await Greeter.at(t, gates[1]!);
  assert.equal((await next.hello(token)).resumed, true);
  assert.equal((await next.answer(next.say(2001, 'x'))).code, 0);
  assert.equal((await old.answer(old.say(4015, 'ab'))).data, 'true');
  await next.wire.until(() => next.wire.seen.filter(({ cmd }) => cmd === 5007).length === 2, 'both messages come on the new one');
});

test('sessions that another worker gives away in a form that can not be read harm nobody', async (t) => {
  const { gates } = await greeters(t, { gates: 1, gate: { worker_cnt: 1 } });
  const [gate] = gates as [(typeof gates)[0]];
  const pids = gate.pids();
  const secret = Buffer.alloc(16, 7);
  const forged = [
    { session: 'noise', token: secret, properties: Buffer.from('ff0f6f22') },
    { session: 'no list', token: secret, properties: Buffer.from('ff0f4905', 'hex') },
    { session: 'a list of other things', token: secret, properties: Buffer.from('ff0f410149052400' + '01', 'hex') },
    {
      session: 'strange pins',
      token: secret,
      pins: ['logic', 'logic\nnowhere', 'logic\n127.0.0.1:1.1\nuser\nmore', '__proto__\n127.0.0.1:1.1\nuser'],
    },
    { session: '__proto__', token: secret, user: '__proto__', groups: ['__proto__', ''], requests: 0xffff_ffff, user_time: Number.NaN },
  ];
  const worthless = [{ token: secret }, { session: 'short', token: Buffer.alloc(15) }, { session: 'long', token: Buffer.alloc(17) }];
  const frames = [...forged, ...worthless].map((stray) => request(91, 0, transfer.encode(stray)));
  await talkTo(gate.nodePort, 1, { type: 'gate', port: 60_004 }, frames);
  await gate.statusWhen(({ totals }) => totals.cluster.lostSessions === forged.length, 'those that can be kept are kept');
  for (const { session } of forged) {
    const client = await Greeter.at(t, gate);
    const { resumed, session_id } = await client.hello(encodeToken({ session, worker: '127.0.0.1:1.1', secret }));
    assert.deepEqual([resumed, session_id], [true, session]);
    assert.equal((await client.answer(client.say(2001, 'x'))).code, 0, session);
  }
  assert.deepEqual(gate.pids(), pids);
});

test('sessions that a leaving logic worker gives away take no more places than there are, and nothing of what can not be read', async (t) => {
  const cluster = await TestCluster.start(t, { logic: { max_remote_sessions: 3 } });
  const [logic] = cluster.logics as [TestNode];
  const pids = logic.pids();
  const kept = (properties: unknown) => serialize([['count', properties, undefined]]);
  const say = (session: string, properties: Uint8Array) =>
    request(85, 0, migrate.encode({ session, address: '192.0.2.1:1', gate: '192.0.2.2:1.1', properties }));
  const strange = [
    Buffer.from('nonsense'),
    ...[null, 5, {}, { exports: null }, { exports: {}, properties: 5 }, { exports: {}, properties: Buffer.from('x') }].map((value) =>
      serialize(value),
    ),
  ];
  const good = serialize({ exports: { __proto__: null, load: 1, nobody: 2 }, properties: kept(5) });
  const frames = [...strange.map((bytes, i) => say(`strange ${i}`, bytes)), ...Array.from({ length: 9 }, (_, i) => say(`good ${i}`, good))];
  await talkTo(logic.nodePort, 1, { type: 'logic', port: 60_005 }, frames);
  const { totals } = await logic.statusWhen(
    ({
      totals: {
        cluster: { remoteSessions },
      },
    }) => remoteSessions > 0,
    'some have come',
  );
  assert.equal(totals.cluster.remoteSessions, 3);
  assert.equal(totals.limits['max_remote_sessions'], 6);
  assert.deepEqual(logic.pids(), pids);
});

test('a client that only listens is reached by modules after the worker of its gate was replaced', async (t) => {
  const { gate } = await TestCluster.start(t, { logic: { modules: ['social.ts'] } });
  const [listener, other] = [await WireClient.connect(gate.port), await WireClient.connect(gate.port)];
  t.after(() => [listener, other].forEach((client) => client.destroy()));
  listener.send(request(4021, 1, 'listener'));
  await listener.frame();
  await gate.manager.roll();
  await gate.statusWhen(({ totals }) => totals.adopted === 2, 'both are at the new worker');
  let seq = 0;
  await until(async () => {
    other.send(request(4023, ++seq, 'listener hello'));
    await other.frame();
    return listener.seen.some(({ cmd }) => cmd === 5009);
  }, 'a message comes');
  assert.equal(listener.seen.find(({ cmd }) => cmd === 5009)!.data, 'hello');
});

test('a token that names workers which are not there opens no links and harms no node', async (t) => {
  const { gates } = await greeters(t);
  const [gate, named] = gates as [TestNode, TestNode];
  const views = async () => (JSON.parse(await gate.get('/links')) as { links: LinkView[] }).links;
  for (let n = 3; n < 40; n++) {
    const client = await Greeter.at(t, gate);
    const worker = `127.0.0.1:${named.nodePort}.${n % 2 === 0 ? n : `0${n}`}`;
    const { resumed } = await client.hello(encodeToken({ session: 's', worker, secret: Buffer.alloc(16) }));
    assert.equal(resumed, false);
    client.wire.destroy();
  }
  const numbers = (await views())
    .filter(({ peer }) => peer.startsWith(`127.0.0.1:${named.nodePort}.`))
    .map(({ peer }) => peer.split('.').at(-1));
  assert.deepEqual(new Set(numbers), new Set(['1', '2']));
  assert.ok((await views()).every(({ leftAlone }) => !leftAlone));
});
