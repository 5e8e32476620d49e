// Messages for groups and for everybody, over several workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control } from '../../../src/cluster/control.ts';
import { settled } from '../../support/fake-cluster.ts';
import { messengers } from '../../support/messengers.ts';
import { lineCodec } from '../../support/tiny-codec.ts';

test('a message to a group reaches its members at every gate, and nobody else', async () => {
  const { cluster, a, b, c, logic, done, end } = messengers();
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
  const { a, logic, done, end, count } = messengers();
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
  const { a, logic, done, end } = messengers();
  const one = a.connect('s1');
  for (const group of ['red', 'blue']) await done(logic.messenger.join(logic.refOf(a, one), group));
  const sent = ['red', 'red', 'blue', 'red'].map((group, n) => logic.messenger.group(group).push(2001, `${group} ${n}`));
  sent.push(logic.messenger.broadcast(2001, 'all 4'));
  await done(Promise.all(sent));
  assert.deepEqual(one.texts, ['red 0', 'red 1', 'blue 2', 'red 3', 'all 4']);
  await end();
});

test('what is gathered for groups is sent when it is much, before the end of the turn', async () => {
  const { a, logic, done, end, count } = messengers();
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
  const { a, b, logic, done, end } = messengers();
  const clients = [a.connect('s1'), b.connect('s2')];
  clients[1]!.isSlow = true;
  assert.deepEqual(await done(logic.messenger.broadcast(2001, 'x')), { delivered: 1, slow: 1, failed: 0 });
  assert.deepEqual([clients[0]!.texts, clients[1]!.texts], [['x'], []]);
  assert.equal(logic.messenger.spreader.counts.slow, 1);
  await end();
});

test('a client that is in too many groups is refused', async () => {
  const { a, logic, done, end } = messengers({ groups: { perClient: 2, members: 10, groups: 10 } });
  const ref = logic.refOf(a, a.connect('s1'));
  assert.deepEqual(await done(Promise.all(['r', 'g', 'b'].map((name) => logic.messenger.join(ref, name)))), ['done', 'done', 'refused']);
  a.messenger.configure({ ...logic.messenger.settings, groups: { perClient: 3, members: 10, groups: 10 } });
  assert.equal(await done(logic.messenger.join(ref, 'b')), 'done');
  assert.equal(await done(logic.messenger.join({ ...ref, id: 'gone' }, 'b')), 'absent');
  await end();
});
