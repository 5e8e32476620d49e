// Where a user is: what is asked, what is remembered, and when that ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HERE } from '../../../src/cluster/locator.ts';
import { control } from '../../../src/cluster/control.ts';
import { FakeCluster, settled } from '../../support/fake-cluster.ts';

function make(settings = {}) {
  const cluster = new FakeCluster();
  const [a, b] = [cluster.add('a'), cluster.add('b')];
  const logic = cluster.add('l', 'logic', settings);
  const find = (user: string) => {
    const found: (string | undefined)[] = [];
    logic.messenger.locator.find(user, (where) => found.push(where));
    return found;
  };
  const locates = () => cluster.asked.filter((ask) => ask.endsWith(` ${control.locate}`));
  return { cluster, a, b, logic, locator: logic.messenger.locator, find, locates };
}

async function login(at: ReturnType<typeof make>['a'], session: string, user: string) {
  const one = at.connect(session);
  at.messenger.users.begin(one.client, user, 'replace', 1);
  await settled();
  return one;
}

test('all workers that serve clients are asked at once, and the first yes counts', async () => {
  const { cluster, b, find, locator, locates } = make();
  await login(b, 's1', 'ann');
  const found = find('ann');
  await settled();
  assert.deepEqual(locates(), ['l>a 79', 'l>b 79']);
  cluster.step('l>b');
  cluster.step('b>l');
  assert.deepEqual(found, ['b'], 'nobody waits for the others');
  assert.equal(locator.known('ann'), 'b');
  await cluster.run();
  assert.deepEqual([found, locator.searching], [['b'], 0]);
});

test('a user whom no worker has is unknown when all have answered or failed, and is asked for again', async () => {
  const { cluster, a, logic, find, locator } = make();
  const found = find('ann');
  await settled();
  cluster.step('l>b');
  cluster.step('b>l');
  assert.deepEqual(found, []);
  cluster.cut(a, logic);
  assert.deepEqual(found, [undefined]);
  const again = find('ann');
  await cluster.run();
  assert.deepEqual([again, locator.size, locator.counts.asks], [[undefined], 0, 2]);
});

test('without any worker that serves clients nobody is known', async () => {
  const cluster = new FakeCluster();
  const logic = cluster.add('l', 'logic');
  cluster.add('cpp', 'gate', {}, false);
  assert.equal(await logic.messenger.locate('ann'), undefined);
  assert.deepEqual(cluster.asked, [], 'an original does not understand the question');
});

test('those who look for one user at once share one question, and users of one turn one message', async () => {
  const { cluster, a, find, locates } = make();
  await login(a, 's1', 'ann');
  const found = [find('ann'), find('bob'), find('ann')];
  await settled();
  found.push(find('ann'));
  assert.equal(locates().length, 2);
  await cluster.run();
  assert.deepEqual(found, [['a'], [undefined], ['a'], ['a']]);
  assert.equal(locates().length, 2);
});

test('a user of this worker is here, and nobody is asked', async () => {
  const { a, locates } = make();
  await login(a, 's1', 'ann');
  assert.equal(await a.messenger.locate('ann'), HERE);
  assert.deepEqual([locates(), a.messenger.locator.counts], [[], { hits: 0, misses: 0, asks: 0 }]);
});

test('who was found is remembered until told otherwise, and counted', () => {
  const { locator } = make();
  assert.equal(locator.known('ann'), undefined);
  locator.note('ann', 'a');
  locator.note('bob', 'a');
  locator.note('cid', 'b');
  assert.equal(locator.known('ann'), 'a');
  locator.forget('ann', 'b');
  assert.equal(locator.known('ann'), 'a', 'that it is not there is no news');
  locator.forget('ann', 'a');
  assert.equal(locator.known('ann'), undefined);
  locator.lost('a');
  assert.deepEqual([locator.known('bob'), locator.known('cid')], [undefined, 'b']);
  assert.deepEqual(locator.counts, { hits: 3, misses: 3, asks: 0 });
});

test('of more users than the cache holds, the one that was not asked for the longest time is forgotten', () => {
  const { locator } = make({ cacheSize: 3 });
  for (const user of ['ann', 'bob', 'cid']) locator.note(user, 'a');
  locator.known('ann');
  locator.note('dan', 'a');
  assert.deepEqual(
    ['ann', 'bob', 'cid', 'dan'].map((user) => locator.known(user)),
    ['a', undefined, 'a', 'a'],
  );
  assert.equal(locator.size, 3);
});

test('a cache of size 0 remembers nobody', () => {
  const { locator } = make({ cacheSize: 0 });
  locator.note('ann', 'a');
  assert.deepEqual([locator.known('ann'), locator.size], [undefined, 0]);
});

test('a login tells every worker that serves clients where the user is', async () => {
  const { cluster, a, b } = make();
  const one = a.connect('s1');
  void a.messenger.bind({ id: 's1', peer: undefined }, 'ann');
  await cluster.run();
  assert.equal(b.messenger.locator.known('ann'), 'a');
  a.close(one);
});
