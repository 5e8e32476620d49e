// Messages for users, groups and all, and logins, over several workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, MAX_DATA, MAX_NAME } from '../../../src/cluster/control.ts';
import { REPLACED } from '../../../src/cluster/binding.ts';
import type { MessengerSettings } from '../../../src/cluster/messenger.ts';
import { Fault } from '../../../src/errors.ts';
import { FakeCluster, settled, type FakeClient, type FakeWorker } from '../../support/fake-cluster.ts';
import { fc, forAllInTurns } from '../../support/property.ts';
import { lineCodec } from '../../support/tiny-codec.ts';

function make(settings: Partial<MessengerSettings> = {}) {
  const cluster = new FakeCluster();
  const [a, b, c] = [cluster.add('a', 'gate', settings), cluster.add('b', 'gate', settings), cluster.add('c', 'gate', settings)];
  const logic = cluster.add('l', 'logic', settings);
  /** Runs the cluster until the promise is settled, and everything else too. */
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    await cluster.run();
    return promise;
  };
  const login = async (at: FakeWorker, session: string, user: string): Promise<FakeClient> => {
    const one = at.connect(session);
    await done(at.messenger.bind({ id: session, peer: undefined }, user));
    return one;
  };
  /** Ends all connections; then nobody may remember anything. */
  const end = async () => {
    for (const worker of cluster.workers) if (worker.isAlive) for (const one of [...worker.sessions.values()]) worker.close(one);
    await cluster.run();
    for (const worker of cluster.workers) if (worker.isAlive) assert.ok(worker.isEmpty, `worker ${worker.id} remembers somebody`);
  };
  const count = (cmd: number) => cluster.asked.filter((ask) => ask.endsWith(` ${cmd}`)).length;
  return { cluster, a, b, c, logic, done, login, end, count };
}

const push = (worker: FakeWorker, user: string, text: string) => worker.messenger.push(user, 2001, text);

// ---- users ----

test('a message reaches its user at whichever gate, from any node', async () => {
  const { a, b, logic, done, login, end } = make();
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
  const { logic, done, end } = make();
  assert.equal(await done(push(logic, 'ann', 'x')), 'unknown');
  assert.equal(logic.messenger.pusher.counts.unknown, 1);
  await end();
});

test('messages to one user keep their order while the user is looked for, and later ones wait behind them', async () => {
  const { cluster, b, logic, done, login, end, count } = make();
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
  const { a, logic, done, login, end } = make();
  const ann = await login(a, 's1', 'ann');
  const data = Buffer.from('kept');
  const sent = logic.messenger.push('ann', 2001, data);
  data.fill(0);
  await done(sent);
  assert.deepEqual(ann.texts, ['kept']);
  await end();
});

test('a user who has gone to another gate is found there, with everything in order', async () => {
  const { a, b, logic, done, login, end } = make();
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
  const { a, logic, done, login, end, count } = make();
  const ann = await login(a, 's1', 'ann');
  await done(push(logic, 'ann', 'first'));
  a.close(ann);
  assert.equal(await done(push(logic, 'ann', 'second')), 'absent');
  assert.equal(count(control.locate), 6);
  assert.equal(await done(push(logic, 'ann', 'third')), 'unknown');
  await end();
});

test('a client that has logged out gets nothing that is meant for its user', async () => {
  const { a, logic, done, login, end } = make();
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
  const { cluster, a, logic, done, login, end } = make();
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
  const { cluster, a, b, logic, done, login, end } = make();
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
  const { a, logic, done, login, end } = make({ pushes: { perUser: 2, total: 3, bytes: 1000 } });
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
  const { logic, end } = make();
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
  const { a, b, logic, done, login, end, count } = make();
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
  const { a, logic, done, login, end } = make();
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
  const { cluster, a, end } = make();
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
  const { a, b, logic, done, login, end } = make();
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

// ---- groups and all ----

test('a message to a group reaches its members at every gate, and nobody else', async () => {
  const { cluster, a, b, c, logic, done, end } = make();
  const clients = [a, a, b, c].map((worker, n) => worker.connect(`s${n}`));
  const refs = [a, a, b, c].map((worker, n) => logic.refOf(worker, clients[n]!));
  assert.deepEqual(await done(Promise.all(refs.slice(0, 3).map((ref) => logic.messenger.join(ref, 'red')))), ['done', 'done', 'done']);
  assert.deepEqual(await done(logic.messenger.group('red').push(2001, '1')), { delivered: 3, slow: 0, failed: 0 });
  assert.deepEqual(await done(a.messenger.group('red').push(2001, '2')), { delivered: 3, slow: 0, failed: 0 });
  await done(logic.messenger.leave(refs[0]!, 'red'));
  b.close(clients[2]!);
  assert.deepEqual(await done(logic.messenger.group('red').push(2001, '3')), { delivered: 1, slow: 0, failed: 0 });
  assert.deepEqual(await done(logic.messenger.group('blue').push(2001, '4')), { delivered: 0, slow: 0, failed: 0 });
  assert.deepEqual(
    clients.map(({ texts }) => texts),
    [['1', '2'], ['1', '2', '3'], ['1', '2'], []],
  );
  assert.deepEqual(await done(logic.messenger.broadcast(2001, 'all')), { delivered: 3, slow: 0, failed: 0 });
  const lost = logic.messenger.group('red').push(2001, '5');
  await settled();
  cluster.cut(logic, b);
  assert.deepEqual(await done(lost), { delivered: 1, slow: 0, failed: 1 });
  assert.deepEqual(logic.messenger.spreader.counts, { delivered: 8, slow: 0, failed: 1 });
  await end();
});

test('messages of one turn to a group are one message to each gate, and one buffer for each member', async () => {
  const { a, logic, done, end, count } = make();
  const clients = [a.connect('s1'), a.connect('s2'), a.connect('s3', lineCodec({ coalesce: false }))];
  for (const one of clients) await done(logic.messenger.join(logic.refOf(a, one), 'red'));
  const red = logic.messenger.group('red');
  const texts = Array.from({ length: 10 }, (_, n) => `message ${n}`);
  const results = await done(Promise.all(texts.map((text) => red.push(1001, text))));
  assert.deepEqual(results[9], { delivered: 3, slow: 0, failed: 0 });
  assert.equal(count(control.groupPush), 3);
  assert.deepEqual([clients[0]!.texts, clients[1]!.texts], [texts, texts]);
  assert.equal(clients[0]!.buffers.length, 1);
  assert.equal(clients[0]!.buffers[0], clients[1]!.buffers[0]);
  assert.deepEqual(
    clients[2]!.texts,
    texts.map((text) => `* 1 ${text}\n`),
    'one segment for each message where the dialect wants that',
  );
  assert.equal(logic.messenger.spreader.counts.delivered, 30);
  await end();
});

test('messages to several groups in one turn keep their order for who is in both', async () => {
  const { a, logic, done, end } = make();
  const one = a.connect('s1');
  for (const group of ['red', 'blue']) await done(logic.messenger.join(logic.refOf(a, one), group));
  const sent = ['red', 'red', 'blue', 'red'].map((group, n) => logic.messenger.group(group).push(2001, `${group} ${n}`));
  sent.push(logic.messenger.broadcast(2001, 'all 4'));
  await done(Promise.all(sent));
  assert.deepEqual(one.texts, ['red 0', 'red 1', 'blue 2', 'red 3', 'all 4']);
  await end();
});

test('what is gathered for groups is sent when it is much, before the end of the turn', async () => {
  const { a, logic, done, end, count } = make();
  const one = a.connect('s1');
  await done(logic.messenger.join(logic.refOf(a, one), 'red'));
  const big = 'x'.repeat(100_000);
  const sent = Array.from({ length: 6 }, () => logic.messenger.group('red').push(2001, big));
  assert.equal(count(control.groupPush), 6, 'three gates, twice');
  sent.push(...Array.from({ length: 1500 }, (_, n) => logic.messenger.group(`g${n}`).push(2001, 'x')));
  assert.ok(count(control.groupPush) > 3000);
  await done(Promise.all(sent));
  assert.equal(one.texts.length, 6);
  await end();
});

test('a member that does not read keeps nobody waiting: it is left out and counted', async () => {
  const { a, b, logic, done, end } = make();
  const clients = [a.connect('s1'), b.connect('s2')];
  clients[1]!.isSlow = true;
  assert.deepEqual(await done(logic.messenger.broadcast(2001, 'x')), { delivered: 1, slow: 1, failed: 0 });
  assert.deepEqual([clients[0]!.texts, clients[1]!.texts], [['x'], []]);
  assert.equal(logic.messenger.spreader.counts.slow, 1);
  await end();
});

test('a client that is in too many groups is refused', async () => {
  const { a, logic, done, end } = make({ groups: { perClient: 2, members: 10, groups: 10 } });
  const ref = logic.refOf(a, a.connect('s1'));
  assert.deepEqual(await done(Promise.all(['r', 'g', 'b'].map((name) => logic.messenger.join(ref, name)))), ['done', 'done', 'refused']);
  a.messenger.configure({ ...logic.messenger.settings, groups: { perClient: 3, members: 10, groups: 10 } });
  assert.equal(await done(logic.messenger.join(ref, 'b')), 'done');
  assert.equal(await done(logic.messenger.join({ ...ref, id: 'gone' }, 'b')), 'absent');
  await end();
});

// ---- logins ----

test('a second login replaces the first at another gate, which is told', async () => {
  const { a, b, logic, done, login, end } = make();
  const old = await login(a, 's1', 'ann');
  const now = b.connect('s2');
  assert.equal(await done(logic.messenger.bind(logic.refOf(b, now), 'ann')), 'replaced');
  assert.deepEqual([old.ended, old.isOpen, now.ended, now.client.userId], [REPLACED, false, undefined, 'ann']);
  assert.equal(await done(push(logic, 'ann', 'x')), 'delivered');
  assert.deepEqual([old.texts, now.texts, a.messenger.binder.replaced], [[], ['x'], 1]);
  await end();
});

test('a second login at the same gate replaces the first', async () => {
  const { a, done, login, end } = make();
  const old = await login(a, 's1', 'ann');
  a.connect('s2');
  assert.equal(await done(a.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'replaced');
  assert.deepEqual(old.ended, REPLACED);
  assert.equal(await done(a.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'bound');
  await end();
});

test('with the policy "refuse" the first login stays, and the second client is left alone', async () => {
  const { a, b, logic, done, login, end } = make({ policy: 'refuse' });
  const first = await login(a, 's1', 'ann');
  const second = b.connect('s2');
  assert.equal(await done(logic.messenger.bind(logic.refOf(b, second), 'ann')), 'refused');
  assert.deepEqual([first.ended, second.ended, second.client.userId], [undefined, undefined, '']);
  a.close(first);
  assert.equal(await done(logic.messenger.bind(logic.refOf(b, second), 'ann')), 'bound');
  await end();
});

for (const policy of ['replace', 'refuse'] as const) {
  test(`of three logins at once one stays, everywhere, in whatever order the workers hear of it (${policy})`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { cluster, a, b, c, logic, done, end } = make({ policy });
      const gates = [a, b, c];
      const clients = gates.map((gate, n) => gate.connect(`s${n}`));
      if (seed % 3 === 0) b.clock++;
      const sent = gates.map((gate, n) => gate.messenger.bind({ id: `s${n}`, peer: undefined }, 'ann'));
      let n = seed;
      await cluster.run((links) => links[(n = (n * 48271) % 0x7fffffff) % links.length]!);
      const results = await Promise.all(sent);
      const winners = gates.filter((gate) => gate.messenger.users.clientOf('ann') !== undefined);
      const latest = seed % 3 === 0 ? b : c;
      assert.deepEqual(winners, [latest], `seed ${seed}`);
      for (const [i, gate] of gates.entries()) {
        const isLatest = gate === latest;
        assert.equal(results[i] === 'bound' || results[i] === 'replaced', isLatest, `seed ${seed}: ${results.join()}`);
        assert.deepEqual(clients[i]!.ended, isLatest || policy === 'refuse' ? undefined : REPLACED);
      }
      assert.equal(await done(push(logic, 'ann', 'x')), 'delivered');
      await end();
    }
  });
}

test('a login at a gate whose clock is late counts all the same', async () => {
  const { cluster, a, done, login, end } = make();
  a.clock += 600_000;
  const old = await login(a, 's1', 'ann');
  const late = cluster.add('d');
  const now = late.connect('s2');
  assert.equal(await done(late.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'replaced');
  assert.deepEqual([old.ended, now.ended, now.client.userId], [REPLACED, undefined, 'ann']);
  await end();
});

test('a client that leaves while it logs in is absent', async () => {
  for (const policy of ['replace', 'refuse'] as const) {
    const { a, done, end } = make({ policy });
    const one = a.connect('s1');
    const result = a.messenger.bind({ id: 's1', peer: undefined }, 'ann');
    a.close(one);
    assert.equal(await done(result), 'absent');
    await end();
  }
});

test('a gate that does not answer keeps nobody from logging in', async () => {
  const { cluster, a, b, logic, done, end } = make();
  const one = a.connect('s1');
  const result = logic.messenger.bind(logic.refOf(a, one), 'ann');
  await settled();
  cluster.step('l>a');
  cluster.cut(a, b);
  assert.equal(await done(result), 'bound');
  const lost = logic.messenger.bind(logic.refOf(a, one), 'bob');
  await settled();
  cluster.cut(a, logic);
  assert.equal(await done(lost), 'unknown');
  await end();
});

test('a client that another worker serves from now on keeps its user and its groups', async () => {
  const { a, b, c, logic, done, login, end } = make();
  const there = await login(a, 's1', 'ann');
  await done(a.messenger.join({ id: 's1', peer: undefined }, 'red'));
  await done(push(logic, 'ann', '1'));
  const kept = a.messenger.belongings(there.client);
  const here = b.connect('s1');
  assert.equal(b.messenger.settle(here.client, kept), true);
  a.close(there);
  assert.equal(await done(push(logic, 'ann', '2')), 'delivered');
  assert.equal(await done(push(c, 'ann', '3')), 'delivered');
  assert.deepEqual(await done(logic.messenger.group('red').push(2001, '4')), { delivered: 1, slow: 0, failed: 0 });
  assert.deepEqual([there.texts, there.ended, here.texts, here.client.userId], [['1'], undefined, ['2', '3', '4'], 'ann']);
  await end();
});

test('a client that comes over after a later login is told, wherever that login is', async () => {
  for (const where of ['the same worker', 'another worker']) {
    const { a, b, c, done, login, end } = make();
    const there = await login(a, 's1', 'ann');
    const kept = a.messenger.belongings(there.client);
    a.close(there);
    const later = await login(where === 'another worker' ? c : b, 's2', 'ann');
    const here = b.connect('s1');
    assert.equal(b.messenger.settle(here.client, kept), where === 'another worker');
    await done(Promise.resolve());
    assert.deepEqual([here.ended, later.ended, later.client.userId], [REPLACED, undefined, 'ann']);
    await end();
  }
});

// ---- other workers ----

test('what is not for it is left to others, and what does not parse is answered with its fault', async () => {
  const { cluster, a, b, end } = make();
  const replies: number[] = [];
  const peer = cluster.peer(a, b);
  const ask = (cmd: number, data: Buffer) => a.messenger.handle(peer, cmd, data, (code) => replies.push(code));
  assert.equal(ask(control.clientLeft, Buffer.alloc(0)), false);
  for (const cmd of [control.push, control.kick, control.groupPush, control.claim, control.locate, control.bind, control.join]) {
    assert.equal(ask(cmd, Buffer.from([0xff])), true);
  }
  assert.equal(ask(control.bind, Buffer.alloc(0)), true);
  assert.deepEqual(replies, [2, 2, 2, 2, 2, 2, 2, 5]);
  await end();
});

// ---- all of it at once ----

type Act =
  | { kind: 'push' | 'kick' | 'group' | 'pushMany'; from: number; user: number }
  | { kind: 'login'; at: number; user: number }
  | { kind: 'leave' | 'slow'; at: number }
  | { kind: 'step' | 'lose' | 'cut'; at: number };

const nat = fc.nat({ max: 3 });
const big = fc.nat({ max: 100 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), from: nat, user: nat }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('group' as const, 'pushMany' as const), from: nat, user: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kick' as const), from: nat, user: nat }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('login' as const), at: big, user: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'slow' as const), at: big }) },
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('step' as const), at: big }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lose' as const, 'cut' as const), at: big }) },
);

for (const policy of ['replace', 'refuse'] as const) {
  test(`whatever is sent, lost and cut: order is kept, results are true, the replaced are told, nothing is left (${policy})`, async () => {
    const seen = { delivered: 0, absent: 0, unknown: 0, replaced: 0 };
    await forAllInTurns(
      fc.tuple(fc.array(act, { minLength: 60, maxLength: 250, size: 'max' }), fc.boolean()),
      async ([acts, isLossy]) => {
        const { cluster, a, b, c, logic, end } = make({ policy, cacheSize: 2 });
        const gates = [a, b, c];
        const clients: { at: FakeWorker; one: FakeClient }[] = [];
        const sent: { text: string; user: string; result: Promise<string> }[] = [];
        const logins: Promise<string>[] = [];
        const others: Promise<unknown>[] = [];
        let serial = 0;
        for (const each of acts) {
          const from = 'from' in each ? cluster.workers[each.from]! : logic;
          const user = 'user' in each ? `u${each.user}` : '';
          const link = cluster.ready[('at' in each ? each.at : 0) % Math.max(1, cluster.ready.length)];
          const text = `${from.id} ${String(++serial).padStart(4, '0')}`;
          if (each.kind === 'push') sent.push({ text, user, result: push(from, user, text) });
          else if (each.kind === 'kick') others.push(from.messenger.kick(user, 'out'));
          else if (each.kind === 'group') others.push(from.messenger.group('red').push(2002, text));
          else if (each.kind === 'pushMany') others.push(from.messenger.pushMany(['u0', user], 2003, text));
          else if (each.kind === 'login') {
            const at = gates[each.at % 3]!;
            const one = at.connect(`s${++serial}`);
            clients.push({ at, one });
            const by = each.at % 2 === 0 ? at : logic;
            logins.push(by.messenger.bind(by.refOf(at, one), user));
            others.push(by.messenger.join(by.refOf(at, one), 'red'));
          } else if (each.kind === 'leave' && clients.length > 0) {
            const { at, one } = clients[each.at % clients.length]!;
            at.close(one);
          } else if (each.kind === 'slow' && clients.length > 0) clients[each.at % clients.length]!.one.isSlow = true;
          else if (each.kind === 'step' && link !== undefined) cluster.step(link);
          else if (each.kind === 'lose' && isLossy && link !== undefined) {
            cluster.lose(link);
          } else if (each.kind === 'cut' && isLossy) {
            cluster.cut(cluster.workers[each.at % 4]!, cluster.workers[(each.at + 1) % 4]!);
          }
          await settled();
        }
        await cluster.run();
        await Promise.all(others);
        const all = clients.flatMap(({ one }) => one.received);
        assert.equal(
          new Set(all.filter(({ cmd }) => cmd === 2001).map(({ data }) => data)).size,
          all.filter(({ cmd }) => cmd === 2001).length,
          'nothing comes twice',
        );
        for (const { one } of clients) {
          // of one kind: what waits for a user that is looked for does not wait for groups
          for (const worker of cluster.workers) {
            for (const kinds of [[2001, 2003], [2002]]) {
              const got = one.received
                .filter(({ cmd, data }) => kinds.includes(cmd) && data.startsWith(`${worker.id} `))
                .map(({ data }) => data);
              assert.deepEqual(got, got.toSorted(), `order from ${worker.id}`);
            }
          }
        }
        for (const { text, result } of sent) {
          const outcome = await result;
          const arrived = all.some(({ data }) => data === text);
          if (outcome === 'delivered') assert.ok(arrived, `${text} was not delivered`);
          else if (outcome === 'absent' || !isLossy) assert.ok(!arrived, `${text} is ${outcome}, and arrived`);
          seen[outcome as keyof typeof seen]++;
        }
        const results = await Promise.all(logins);
        if (!isLossy) {
          for (const user of ['u0', 'u1', 'u2', 'u3']) {
            assert.ok(gates.filter((gate) => gate.messenger.users.clientOf(user) !== undefined).length <= 1, `${user} is at one gate`);
          }
          for (const [i, { one }] of clients.entries()) {
            if (results[i] === 'refused' && policy === 'replace') assert.ok(one.ended !== undefined || !one.isOpen, 'who lost is told');
            if (one.isOpen && (results[i] === 'bound' || results[i] === 'replaced'))
              assert.notEqual(one.client.userId, '', 'who was replaced is told');
          }
          seen.replaced += results.filter((result) => result === 'replaced').length;
        }
        await end();
      },
      150,
    );
    for (const [result, times] of Object.entries(seen)) {
      if (result !== 'replaced' || policy === 'replace') assert.ok(times > 20, `${result} was seen ${times} times only`);
    }
  });
}
