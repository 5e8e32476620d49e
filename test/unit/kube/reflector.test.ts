// The copy of a list that is kept up to date: whatever the server does, it ends up with what is there.

import assert from 'node:assert/strict';
import test from 'node:test';
import { KubeClient } from '../../../src/kube/client.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import type { KubeObject } from '../../../src/kube/types.ts';
import { silentLogger } from '../../../src/ops/log.ts';
import { FaultyKube } from '../../support/kube-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { soon, turns } from '../../support/turns.ts';

const THINGS = '/apis/test.io/v1/things';
const thing = (name: string, size = 1) => ({ apiVersion: 'test.io/v1', kind: 'Thing', metadata: { name, namespace: 'shop' }, size });
type Thing = KubeObject & { size: number };

async function start(
  t: Parameters<typeof FaultyKube.start>[0],
  options: Partial<ReflectorOptions<Thing>> = {},
  limits: { maxBody?: number } = {},
) {
  const kube = await FaultyKube.start(t);
  const clock = new ManualClock();
  /** Deadlines of the client are not those of the reflector. */
  const wire = new ManualClock();
  const client = new KubeClient({ access: kube.access, clock: wire, ...limits });
  const told: string[] = [];
  const reflector = new Reflector<Thing>({
    client,
    path: THINGS,
    changed: (changes) => told.push(changes.map(({ key, before, after }) => `${key} ${before?.size ?? '-'}>${after?.size ?? '-'}`).join()),
    log: silentLogger(),
    clock,
    random: () => 0.5,
    ...options,
  });
  t.after(async () => {
    await reflector.stop();
    client.close();
  });
  const holds = (...expected: string[]) =>
    soon(
      () => [...reflector.items.values()].map(({ metadata, size }) => `${metadata.name}=${size}`).join() === expected.join(),
      `the copy holds ${expected.join()}`,
    );
  const watch = async () => {
    await soon(() => kube.watches.size === 1, 'a watch is open');
    return [...kube.watches][0]!;
  };
  /** Lets every wait come to its end until this holds. */
  const through = (fact: () => boolean, what: string) =>
    soon(() => {
      if (fact()) return true;
      if (clock.nextMs !== undefined) clock.advance(clock.nextMs);
      return fact();
    }, what);
  return { kube, clock, wire, reflector, told, holds, watch, through };
}

test('lists page by page, then follows', async (t) => {
  const { kube, reflector, told, holds, watch } = await start(t, { rules: { pageSize: 2, streams: false } });
  for (const name of ['a', 'b', 'c', 'd', 'e']) kube.put(THINGS, thing(name));
  reflector.start();
  await reflector.synced;
  assert.equal(kube.count('GET'), 3);
  assert.equal(told.length, 1, 'a list is told at once');
  assert.equal(reflector.items.get('shop/a')?.kind, 'Thing', 'items know what they are, though lists do not say it');
  const { query } = await watch();
  assert.equal(query.get('resourceVersion'), '105');
  assert.equal(query.get('allowWatchBookmarks'), 'true');
  assert.equal(query.get('timeoutSeconds'), '290');
  kube.put(THINGS, thing('a', 2));
  kube.remove(THINGS, 'shop', 'b');
  await holds('a=2', 'c=1', 'd=1', 'e=1');
  assert.deepEqual(told.slice(1), ['shop/a 1>2', 'shop/b 1>-']);
});

test('a watch that ends or breaks goes on where it was, without a list', async (t) => {
  const { kube, reflector, holds, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  let size = 1;
  for (const how of ['end', 'cut', 'truncate'] as const) {
    const open = await watch();
    kube.put(THINGS, thing('a', ++size));
    await holds(`a=${size}`);
    open[how]();
    kube.put(THINGS, thing('a', ++size));
    await soon(() => !kube.watches.has(open), 'the watch is gone');
    await through(() => kube.watches.size === 1, 'there is another');
    await holds(`a=${size}`);
  }
  assert.equal(reflector.state.lists, 1);
  assert.equal(reflector.state.failures, 0);
});

test('a position that is too old means a list, which tells only what is different', async (t) => {
  const { kube, reflector, told, holds, watch, through } = await start(t);
  kube.put(THINGS, thing('stays'));
  kube.put(THINGS, thing('goes'));
  kube.put(THINGS, thing('changes'));
  reflector.start();
  for (const how of ['status', 'event'] as const) {
    const open = await watch();
    await reflector.synced;
    told.length = 0;
    open.stall();
    kube.put(THINGS, thing('changes', how === 'status' ? 2 : 3));
    if (how === 'status') {
      kube.remove(THINGS, 'shop', 'goes');
      kube.memory.compacted = kube.memory.version;
      open.cut();
    } else open.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    await through(() => told.length === 1, 'a list was told');
    if (how === 'status') assert.deepEqual(told, ['shop/goes 1>-,shop/changes 1>2']);
    else assert.deepEqual(told, ['shop/changes 2>3']);
  }
  await holds('stays=1', 'changes=3');
});

test('a page that is too old means the whole list again', async (t) => {
  const { kube, reflector, holds, through } = await start(t, { rules: { pageSize: 1 } });
  kube.put(THINGS, thing('a'));
  kube.put(THINGS, thing('b'));
  kube.faults.push({ when: ({ query }) => query.get('continue') === '1', act: { status: 410, reason: 'Expired' } });
  reflector.start();
  await through(() => reflector.state.isSynced, 'it is synced');
  await holds('a=1', 'b=1');
  assert.equal(kube.received.filter(({ query }) => query.has('limit')).length, 4);
});

test('failures wait longer and longer, and as long as the server asks', async (t) => {
  const { kube, clock, reflector } = await start(t);
  kube.faults.push({ times: 12, act: { status: 500 } }, { act: { status: 429, headers: { 'retry-after': '45' } } });
  reflector.start();
  const waits: number[] = [];
  for (let i = 1; i <= 12; i++) {
    await soon(() => kube.received.length === i && reflector.state.failures === i && clock.waiting === 1, `try ${i} failed`);
    waits.push(clock.nextMs!);
    clock.advance(clock.nextMs!);
  }
  assert.deepEqual(waits, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000, 30_000]);
  assert.match(reflector.state.problem!, /made to fail/);
  await soon(() => reflector.state.failures === 13 && clock.waiting === 1, 'it was told when to come again');
  assert.equal(clock.nextMs, 45_000);
  clock.advance(45_000);
  await reflector.synced;
});

test('events that are old news are not taken twice, and those out of order mean a list', async (t) => {
  const { kube, reflector, told, holds, watch, through } = await start(t);
  const first = kube.put(THINGS, thing('a'));
  reflector.start();
  const open = await watch();
  await reflector.synced;
  open.send('MODIFIED', first);
  await soon(() => reflector.state.events === 1, 'the event was read');
  assert.deepEqual(told, ['shop/a ->1'], 'nothing is told twice');
  const second = kube.put(THINGS, thing('a', 2));
  await holds('a=2');
  open.send('DELETED', first);
  await through(() => reflector.state.lists === 2, 'it lists again');
  await holds('a=2');
  assert.equal(reflector.items.get('shop/a')?.metadata.resourceVersion, second.metadata.resourceVersion);
});

test('a bookmark moves the position, so that a quiet watch does not grow too old', async (t) => {
  const { kube, reflector, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  const open = await watch();
  kube.memory.version = 900;
  open.send('BOOKMARK', { metadata: { resourceVersion: '900' } });
  await soon(() => reflector.state.quietMs === 0, 'it was read');
  await turns();
  kube.memory.compacted = 850;
  open.cut();
  await through(() => [...kube.watches].some(({ query }) => query.get('resourceVersion') === '900'), 'the watch goes on from there');
  assert.equal(reflector.state.lists, 1);
});

test('a watch that stalls without a word is made anew, and nothing is missed', async (t) => {
  const { kube, wire, reflector, holds, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  const open = await watch();
  kube.put(THINGS, thing('a', 0));
  await holds('a=0');
  open.stall();
  kube.put(THINGS, thing('a', 2));
  wire.advance(150_000);
  await soon(() => !kube.watches.has(open), 'it is given up');
  await through(() => kube.watches.size === 1, 'there is another');
  await holds('a=2');
});

test('the server may be away for any time: the copy stays, and is right again after it', async (t) => {
  const { kube, reflector, holds, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  await watch();
  await kube.away();
  await through(() => reflector.state.failures >= 5, 'it tried for a while');
  await holds('a=1');
  kube.memory.put(THINGS, thing('b'));
  await kube.listen();
  await through(() => kube.watches.size === 1, 'it is back');
  await holds('a=1', 'b=1');
});

test('a server that ends every watch at once is not asked in a circle', async (t) => {
  const { kube, clock, reflector, watch } = await start(t);
  reflector.start();
  const waits: number[] = [];
  for (let i = 1; i <= 4; i++) {
    (await watch()).end();
    await soon(() => reflector.state.failures === i && clock.waiting === 1, 'it waits');
    waits.push(clock.nextMs!);
    clock.advance(clock.nextMs!);
  }
  assert.deepEqual(waits, [200, 400, 800, 1600]);
  assert.equal(kube.count('GET'), 1 + reflector.state.watches);
});

test('whoever fails to take a change does not stop the others', async (t) => {
  const seen: string[] = [];
  const { kube, reflector, watch } = await start(t, {
    changed: ([change]) => {
      seen.push(change!.key);
      throw new Error('no');
    },
  });
  kube.put(THINGS, thing('a'));
  reflector.start();
  await watch();
  kube.put(THINGS, thing('b'));
  await soon(() => seen.length === 2, 'both were told');
});

test('a process that stood still for minutes catches up', async (t) => {
  const { kube, clock, reflector, holds, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  const open = await watch();
  clock.freeze(600_000);
  kube.put(THINGS, thing('a', 2));
  kube.memory.compacted = kube.memory.version;
  open.cut();
  await through(() => reflector.state.lists === 2, 'it listed again');
  await holds('a=2');
});

test('where the server can, the list is the beginning of the watch', async (t) => {
  const { kube, reflector, told, holds, watch } = await start(t);
  kube.streams = true;
  for (const name of ['a', 'b', 'c']) kube.put(THINGS, thing(name));
  reflector.start();
  await reflector.synced;
  assert.deepEqual(told, ['shop/a ->1,shop/b ->1,shop/c ->1'], 'all of it is told at once');
  const { query } = await watch();
  assert.deepEqual([query.get('resourceVersionMatch'), query.get('resourceVersion')], ['NotOlderThan', null]);
  kube.put(THINGS, thing('a', 2));
  await holds('a=2', 'b=1', 'c=1');
  assert.deepEqual([kube.count('GET'), reflector.state.lists, reflector.state.watches], [1, 1, 1]);
});

test('a stream is as good as a list after a position that was too old, and nobody is told what did not change', async (t) => {
  const { kube, reflector, told, holds, watch, through } = await start(t);
  kube.streams = true;
  kube.put(THINGS, thing('stays'));
  kube.put(THINGS, thing('goes'));
  reflector.start();
  const open = await watch();
  await reflector.synced;
  told.length = 0;
  open.stall();
  kube.remove(THINGS, 'shop', 'goes');
  kube.memory.compacted = kube.memory.version;
  open.cut();
  await through(() => told.length === 1, 'a list was told');
  assert.deepEqual(told, ['shop/goes 1>-']);
  await holds('stays=1');
});

test('a stream that breaks off before its end is nobody’s list: pages are asked for, and a stream again the next time', async (t) => {
  const { kube, reflector, told, watch, through } = await start(t);
  kube.streams = true;
  kube.put(THINGS, thing('a'));
  kube.faults.push({ act: { status: 200, body: { type: 'ADDED', object: thing('ghost') } } });
  reflector.start();
  await through(() => reflector.state.isSynced, 'it has a list');
  assert.deepEqual(told, ['shop/a ->1']);
  const open = await watch();
  assert.deepEqual(
    kube.received.map(({ query }) => (query.has('sendInitialEvents') ? 'stream' : query.has('limit') ? 'pages' : 'watch')),
    ['stream', 'pages', 'watch'],
  );
  kube.memory.compacted = kube.memory.version + 1;
  open.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  kube.memory.compacted = 0;
  await through(() => reflector.state.lists === 2, 'it lists again');
  assert.equal(kube.received.at(-1)?.query.has('sendInitialEvents'), true);
});

test('a server that does not begin watches with lists is asked once, and that is no failure', async (t) => {
  const { kube, clock, reflector, watch, through } = await start(t);
  kube.put(THINGS, thing('a'));
  reflector.start();
  await reflector.synced;
  assert.equal(clock.waiting, 0, 'nothing was waited for');
  const open = await watch();
  open.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  await through(() => reflector.state.lists === 2, 'it lists again');
  assert.equal(kube.received.filter(({ query }) => query.has('sendInitialEvents')).length, 1);
});

test('a server that was restored from a backup, and says nothing of what is older than the position, is listed again', async (t) => {
  const { kube, wire, reflector, holds, watch, through } = await start(t);
  kube.memory.version = 5000;
  kube.put(THINGS, thing('a', 2));
  kube.put(THINGS, thing('b'));
  reflector.start();
  const open = await watch();
  await holds('a=2', 'b=1');
  await soon(() => reflector.state.isFollowing, 'it follows');
  kube.memory.remove(THINGS, 'shop', 'b');
  kube.memory.version = 300;
  kube.memory.history.length = 0;
  kube.memory.put(THINGS, thing('a', 1));
  wire.advance(150_000);
  await soon(() => !kube.watches.has(open), 'it is given up');
  await through(() => reflector.state.lists === 2, 'it lists again');
  await holds('a=1');
  kube.put(THINGS, thing('c'));
  await holds('a=1', 'c=1');
});

test('pages that are too large are asked for smaller', async (t) => {
  const { kube, reflector, holds, through } = await start(t, { rules: { streams: false } }, { maxBody: 2000 });
  for (let i = 0; i < 40; i++) kube.put(THINGS, thing(`t-${i}`));
  reflector.start();
  await through(() => reflector.state.isSynced, 'it is synced');
  await holds(...Array.from({ length: 40 }, (_, i) => `t-${i}=1`));
  const sizes = kube.received.flatMap(({ query }) => query.get('limit') ?? []);
  assert.deepEqual([...new Set(sizes)], ['500', '125', '31', '7']);
});

test('a server that gives the same page again and again is not followed for ever', async (t) => {
  const { kube, reflector, through } = await start(t, { rules: { streams: false } });
  kube.put(THINGS, thing('a'));
  const page = { kind: 'ThingList', apiVersion: 'test.io/v1', metadata: { resourceVersion: '101', continue: 'more' }, items: [] };
  kube.faults.push({ times: 2, act: { status: 200, body: page } });
  reflector.start();
  await through(() => reflector.state.isSynced, 'it is synced');
  assert.equal(kube.received.filter(({ query }) => query.has('limit')).length, 3);
});
