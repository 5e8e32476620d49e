// Logins: who stays, who is told, and what goes along with a client that another worker serves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, control } from '../../../src/cluster/control.ts';
import { REPLACED } from '../../../src/cluster/binding.ts';
import { settled } from '../../support/fake-cluster.ts';
import { messengers, push } from '../../support/messengers.ts';
// ---- logins ----

test('a second login replaces the first at another gate, which is told', async () => {
  const { a, b, logic, done, login, end } = messengers();
  const old = await login(a, 's1', 'ann');
  const now = b.connect('s2');
  assert.equal(await done(logic.messenger.bind(logic.refOf(b, now), 'ann')), 'replaced');
  assert.deepEqual([old.ended, old.isOpen, now.ended, now.client.userId], [REPLACED, false, undefined, 'ann']);
  assert.equal(await done(push(logic, 'ann', 'x')), 'delivered');
  assert.deepEqual([old.texts, now.texts, a.messenger.binder.replaced], [[], ['x'], 1]);
  await end();
});

test('a second login at the same gate replaces the first', async () => {
  const { a, done, login, end } = messengers();
  const old = await login(a, 's1', 'ann');
  a.connect('s2');
  assert.equal(await done(a.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'replaced');
  assert.deepEqual(old.ended, REPLACED);
  assert.equal(await done(a.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'bound');
  await end();
});

test('with the policy "refuse" the first login stays, and the second client is left alone', async () => {
  const { a, b, logic, done, login, end } = messengers({ policy: 'refuse' });
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
      const { cluster, a, b, c, logic, done, end } = messengers({ policy });
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
  const { cluster, a, done, login, end } = messengers();
  a.clock += 600_000;
  const old = await login(a, 's1', 'ann');
  const late = cluster.add('d');
  const now = late.connect('s2');
  assert.equal(await done(late.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'replaced');
  assert.deepEqual([old.ended, now.ended, now.client.userId], [REPLACED, undefined, 'ann']);
  await end();
});

test('a login at a time that no clock tells counts for nobody, and keeps nobody from logging in later', async () => {
  const { cluster, a, b, done, login, end } = messengers();
  const codes: number[] = [];
  for (const time of [Infinity, Number.NaN, -1, 1e300, Number.MAX_SAFE_INTEGER]) {
    const message = claim.encode({ user: 'ann', session: 'zzz', time });
    a.messenger.handle(cluster.peer(a, b), control.claim, message, (code) => codes.push(code));
  }
  assert.deepEqual(codes, [2, 2, 2, 2, 2]);
  await login(a, 's1', 'ann');
  b.connect('s2');
  assert.equal(await done(b.messenger.bind({ id: 's2', peer: undefined }, 'ann')), 'replaced');
  a.connect('s3');
  assert.equal(await done(a.messenger.bind({ id: 's3', peer: undefined }, 'ann')), 'replaced');
  await end();
});

test('a client that leaves while it logs in is absent', async () => {
  for (const policy of ['replace', 'refuse'] as const) {
    const { a, done, end } = messengers({ policy });
    const one = a.connect('s1');
    const result = a.messenger.bind({ id: 's1', peer: undefined }, 'ann');
    a.close(one);
    assert.equal(await done(result), 'absent');
    await end();
  }
});

test('a gate that does not answer keeps nobody from logging in', async () => {
  const { cluster, a, b, logic, done, end } = messengers();
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
  const { a, b, c, logic, done, login, end } = messengers();
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
    const { a, b, c, done, login, end } = messengers();
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
  const { cluster, a, b, end } = messengers();
  const replies: number[] = [];
  const peer = cluster.peer(a, b);
  const ask = (cmd: number, data: Buffer) => a.messenger.handle(peer, cmd, data, (code) => replies.push(code));
  assert.equal(ask(control.migrate, Buffer.alloc(0)), false);
  for (const cmd of [control.push, control.kick, control.groupPush, control.claim, control.locate, control.bind, control.join]) {
    assert.equal(ask(cmd, Buffer.from([0xff])), true);
  }
  assert.equal(ask(control.bind, Buffer.alloc(0)), true);
  assert.deepEqual(replies, [2, 2, 2, 2, 2, 2, 2, 5]);
  await end();
});
