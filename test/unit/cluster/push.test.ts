// Messages for users and for single clients, over several workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, MAX_DATA, MAX_NAME } from '../../../src/cluster/control.ts';
import { Fault } from '../../../src/errors.ts';
import { settled } from '../../support/fake-cluster.ts';
import { messengers, push } from '../../support/messengers.ts';
// ---- users ----

test('a message reaches its user at whichever gate, from any node', async () => {
  const { a, b, logic, done, login, end } = messengers();
  const ann = await login(a, 's1', 'ann');
  assert.equal(await done(push(logic, 'ann', 'from logic')), 'delivered');
  assert.equal(await done(push(b, 'ann', 'from another gate')), 'delivered');
  assert.equal(await done(push(a, 'ann', 'from her own')), 'delivered');
  assert.deepEqual(ann.received[0], { cmd: 2001, data: 'from logic' });
  assert.deepEqual(ann.texts, ['from logic', 'from another gate', 'from her own']);
  assert.deepEqual(logic.messenger.pusher.counts, { delivered: 1, absent: 0, unknown: 0, slow: 0, failed: 0 });
  await end();
});

test('a user whom nobody has is unknown', async () => {
  const { logic, done, end } = messengers();
  assert.equal(await done(push(logic, 'ann', 'x')), 'unknown');
  assert.equal(logic.messenger.pusher.counts.unknown, 1);
  await end();
});

test('messages to one user keep their order while the user is looked for, and later ones wait behind them', async () => {
  const { cluster, b, logic, done, login, end, count } = messengers();
  const ann = await login(b, 's1', 'ann');
  const sent = ['1', '2', '3'].map((text) => push(logic, 'ann', text));
  await settled();
  sent.push(push(logic, 'ann', '4'));
  for (
    let link = cluster.ready.find((name) => name.includes('b'));
    ann.texts.length < 4;
    link = cluster.ready.find((name) => name.includes('b'))
  ) {
    cluster.step(link!);
    await settled();
    if (ann.texts.length === 1) sent.push(push(logic, 'ann', '5'));
  }
  assert.deepEqual(await done(Promise.all(sent)), Array(5).fill('delivered'));
  assert.deepEqual(ann.texts, ['1', '2', '3', '4', '5']);
  assert.equal(count(control.locate), 3, 'one question to each gate');
  await end();
});

test('data may be used again as soon as push has returned', async () => {
  const { a, logic, done, login, end } = messengers();
  const ann = await login(a, 's1', 'ann');
  const data = Buffer.from('kept');
  const sent = logic.messenger.push('ann', 2001, data);
  data.fill(0);
  await done(sent);
  assert.deepEqual(ann.texts, ['kept']);
  await end();
});

test('a user who has gone to another gate is found there, with everything in order', async () => {
  const { a, b, logic, done, login, end } = messengers();
  const old = await login(a, 's1', 'ann');
  await done(push(logic, 'ann', 'first'));
  a.close(old);
  const now = await login(b, 's2', 'ann');
  const results = await done(Promise.all(['1', '2', '3'].map((text) => push(logic, 'ann', text))));
  assert.deepEqual(results, ['delivered', 'delivered', 'delivered']);
  assert.deepEqual([old.texts, now.texts], [['first'], ['1', '2', '3']]);
  await end();
});

test('a user who has just gone is absent after one more look, and unknown after that', async () => {
  const { a, logic, done, login, end, count } = messengers();
  const ann = await login(a, 's1', 'ann');
  await done(push(logic, 'ann', 'first'));
  a.close(ann);
  assert.equal(await done(push(logic, 'ann', 'second')), 'absent');
  assert.equal(count(control.locate), 6);
  assert.equal(await done(push(logic, 'ann', 'third')), 'unknown');
  await end();
});

test('a client that has logged out gets nothing that is meant for its user', async () => {
  const { a, logic, done, login, end } = messengers();
  const one = await login(a, 's1', 'ann');
  await done(push(logic, 'ann', 'hers'));
  assert.equal(await done(logic.messenger.unbind(logic.refOf(a, one), 'ann')), 'done');
  await done(a.messenger.bind({ id: 's1', peer: undefined }, 'bob'));
  assert.equal(await done(push(logic, 'ann', 'not his')), 'unknown');
  assert.equal(await done(push(logic, 'bob', 'his')), 'delivered');
  assert.deepEqual(one.texts, ['hers', 'his']);
  await end();
});

test('what is on its way when a link is lost is unknown, and the next message finds its way', async () => {
  const { cluster, a, logic, done, login, end } = messengers();
  const ann = await login(a, 's1', 'ann');
  await done(push(logic, 'ann', '1'));
  const lost = push(logic, 'ann', '2');
  cluster.cut(a, logic);
  assert.equal(await lost, 'unknown');
  assert.equal(logic.messenger.pusher.counts.failed, 1);
  assert.equal(await done(push(logic, 'ann', '3')), 'delivered');
  assert.deepEqual(ann.texts, ['1', '3']);
  await end();
});

test('a gate that has died is not asked again: its user is looked for among the others', async () => {
  const { cluster, a, b, logic, done, login, end } = messengers();
  await login(a, 's1', 'ann');
  await done(push(logic, 'ann', '1'));
  cluster.kill(a);
  logic.messenger.locator.note('ann', 'a');
  assert.equal(await done(push(logic, 'ann', '2')), 'absent');
  const now = await login(b, 's2', 'ann');
  logic.messenger.locator.note('ann', 'a');
  assert.equal(await done(push(logic, 'ann', '3')), 'delivered');
  assert.deepEqual(now.texts, ['3']);
  await end();
});

test('what waits has limits: for one user, in number and in bytes', async () => {
  const { a, logic, done, login, end } = messengers({ pushes: { perUser: 2, total: 3, bytes: 1000 } });
  const ann = await login(a, 's1', 'ann');
  const big = 'x'.repeat(900);
  const sent = [
    push(logic, 'ann', '1'),
    push(logic, 'ann', '2'),
    push(logic, 'ann', '3'),
    push(logic, 'bob', '4'),
    push(logic, 'cid', '5'),
  ];
  assert.deepEqual(logic.messenger.pusher.held.messages, 3);
  assert.deepEqual(await done(Promise.all(sent)), ['delivered', 'delivered', 'unknown', 'unknown', 'unknown']);
  assert.deepEqual(await done(Promise.all([push(logic, 'ann', big), push(logic, 'bob', big)])), ['delivered', 'unknown']);
  assert.deepEqual(ann.texts, ['1', '2', big]);
  assert.equal(logic.messenger.pusher.counts.failed, 3);
  await end();
});

test('names and data that no message can carry are refused at once', async () => {
  const { logic, end } = messengers();
  const { messenger } = logic;
  const invalid = (call: () => unknown, text: RegExp) =>
    assert.throws(call, (error) => error instanceof Fault && error.fault === 'invalidParams' && text.test(error.message));
  const long = 'ü'.repeat(MAX_NAME / 2 + 1);
  invalid(() => messenger.push('', 1, ''), /the user id is empty/);
  invalid(() => messenger.push(long, 1, ''), /the user id has 258 bytes, the limit is 256/);
  invalid(() => messenger.push('ann', 1.5, ''), /command 1.5/);
  invalid(() => messenger.push('ann', 1, Buffer.alloc(MAX_DATA + 1)), /data of 4194305 bytes/);
  invalid(() => messenger.pushMany(['ann', long], 1, ''), /the user id/);
  invalid(() => messenger.broadcast(-1, ''), /command -1/);
  invalid(() => messenger.group(''), /the group is empty/);
  invalid(() => messenger.join({ id: 's1', peer: undefined }, long), /the group has/);
  invalid(() => messenger.bind({ id: 's1', peer: undefined }, ''), /the user id is empty/);
  assert.equal(messenger.group('x'.repeat(MAX_NAME)).name.length, MAX_NAME);
  await end();
});

// ---- many users ----

test('one message to many users is one message to each worker, and encoded there once', async () => {
  const { a, b, logic, done, login, end, count } = messengers();
  const at = (n: number) => (n % 2 === 0 ? a : b);
  const clients = await Promise.all(Array.from({ length: 10 }, (_, n) => login(at(n), `s${n}`, `u${n}`)));
  const users = [...clients.map((_, n) => `u${n}`), 'nobody', 'u0'];
  clients[3]!.isSlow = true;
  const sent = logic.messenger.pushMany(users, 2001, 'hello');
  assert.deepEqual(await done(sent), { delivered: 9, absent: 0, unknown: 1, slow: 1 });
  assert.equal(count(control.push), 2);
  assert.deepEqual(
    clients.map(({ texts }) => texts.length),
    clients.map((_, n) => (n === 3 ? 0 : 1)),
  );
  assert.equal(new Set(clients.flatMap(({ buffers }) => buffers)).size, 2, 'one buffer at each gate');
  assert.deepEqual(await done(logic.messenger.pushMany([], 2001, '')), { delivered: 0, absent: 0, unknown: 0, slow: 0 });
  assert.deepEqual(await done(a.messenger.pushMany(['u0', 'u2', 'u1'], 2001, 'again')), { delivered: 3, absent: 0, unknown: 0, slow: 0 });
  assert.equal(clients[0]!.buffers[1], clients[2]!.buffers[1]);
  await end();
});

// ---- one client ----

test('a message to a session arrives before whatever is sent to its worker afterwards', async () => {
  const { a, logic, done, login, end } = messengers();
  const ann = await login(a, 's1', 'ann');
  const ref = logic.refOf(a, ann);
  logic.messenger.locator.note('ann', 'a');
  await done(logic.messenger.join(ref, 'red'));
  void logic.messenger.group('red').push(2002, '1');
  assert.equal(logic.messenger.pushSession(ref, 2003, '2'), true);
  const sent = push(logic, 'ann', '3');
  void logic.messenger.broadcast(2004, '4');
  const kicked = logic.messenger.kickSession(ref, 'enough', 1234);
  assert.deepEqual(await done(Promise.all([sent, kicked])), ['delivered', 'delivered']);
  assert.deepEqual([ann.texts, ann.ended], [['1', '2', '3', '4'], { code: 1234, reason: 'enough' }]);
  assert.equal(await done(logic.messenger.kickSession(ref)), 'absent');
  await end();
});

test('a session of this worker is served without anybody else', async () => {
  const { cluster, a, end } = messengers();
  const one = a.connect('s1');
  const ref = { id: 's1', peer: undefined };
  assert.equal(a.messenger.pushSession(ref, 2001, 'x'), true);
  assert.equal(await a.messenger.join(ref, 'red'), 'done');
  assert.equal(await a.messenger.leave(ref, 'red'), 'done');
  assert.equal(await a.messenger.kickSession(ref), 'delivered');
  assert.deepEqual([one.texts, one.ended, cluster.asked], [['x'], 'quietly', []]);
  await cluster.run();
  assert.equal(a.messenger.pushSession(ref, 2001, 'y'), false);
  for (const result of [
    a.messenger.join(ref, 'red'),
    a.messenger.unbind(ref),
    a.messenger.bind(ref, 'ann'),
    a.messenger.kickSession(ref),
  ]) {
    assert.equal(await result, 'absent');
  }
  await end();
});

test('a user is kicked behind what was sent before, wherever that is', async () => {
  const { a, b, logic, done, login, end } = messengers();
  const [ann, bob] = [await login(a, 's1', 'ann'), await login(b, 's2', 'bob')];
  const sent = [push(logic, 'ann', 'bye'), logic.messenger.kick('ann', 'cheating', 77), push(logic, 'ann', 'too late')];
  const mine = [push(b, 'bob', 'bye'), b.messenger.kick('bob', '')];
  const results = await done(Promise.all([...sent, ...mine]));
  assert.deepEqual(results.slice(0, 2), ['delivered', 'delivered']);
  assert.deepEqual(results.slice(3), ['delivered', 'delivered']);
  assert.deepEqual([ann.texts[0], ann.ended, bob.texts, bob.ended], ['bye', { code: 77, reason: 'cheating' }, ['bye'], 'quietly']);
  assert.equal(await done(logic.messenger.kick('nobody', 'x')), 'unknown');
  await end();
});
