// The whole engine against a server that misbehaves: whatever happens on the way, it ends up the same, and then it keeps still.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FaultyKube, type Fault } from '../../../support/kube-faults.ts';
import { gardens, toyController, type Bed } from '../../../support/toy-controller.ts';
import { until } from '../../../support/until.ts';

const GARDENS = '/apis/test.kimserver.io/v1/gardens';
const MAPS = '/api/v1/configmaps';
const LEASES = '/apis/coordination.k8s.io/v1/leases';
const garden = (beds: number, plant = 'fern', name = 'g') => ({ ...gardens, metadata: { name, namespace: 'shop' }, spec: { beds, plant } });
/** Waits that are short, since these are real. */
const quick = {
  backoff: { minMs: 5, maxMs: 20 },
  reflector: { backoff: { minMs: 5, maxMs: 20 }, silenceMs: 200 },
  settleMs: 1,
  graceMs: 2000,
};

async function start(t: TestContext, options: Parameters<typeof toyController>[1] = {}) {
  const kube = await FaultyKube.start(t);
  const toy = toyController(kube.access, { rules: quick, ...options });
  t.after(() => toy.controller.stop());
  const beds = () =>
    (kube.memory.list(MAPS) as unknown as Bed[])
      .map(({ metadata, data }) => `${metadata.name}=${data['plant']}`)
      .sort()
      .join();
  const settled = (expected: string) => until(() => beds() === expected, `the beds are ${expected}; they are ${beds()}`);
  return { kube, ...toy, settled };
}

function holderOf(kube: FaultyKube): string | undefined {
  const spec = kube.memory.get(LEASES, 'ops', 'toy')?.['spec'] as { readonly holderIdentity?: string } | undefined;
  return spec?.holderIdentity;
}

/** Garbage collection, which is not ours. */
function collect(kube: FaultyKube): void {
  for (const { metadata } of kube.memory.list(MAPS)) kube.remove(MAPS, 'shop', metadata.name);
}

test('many changes become few looks, and nothing is written when nothing changes', async (t) => {
  const { kube, controller, reconciled, settled } = await start(t);
  controller.start();
  for (let beds = 1; beds <= 3; beds++) kube.put(GARDENS, garden(beds));
  await settled('g-bed-0=fern,g-bed-1=fern,g-bed-2=fern');
  await until(() => kube.memory.get(GARDENS, 'shop', 'g')?.['status'] !== undefined, 'the status is there');
  const [looks, writes] = [reconciled.length, kube.count('PATCH') + kube.count('POST')];
  for (let i = 0; i < 5; i++) {
    controller.look('shop/g');
    await until(() => reconciled.length > looks + i, 'it has looked');
  }
  assert.equal(kube.count('PATCH') + kube.count('POST'), writes);
  kube.put(GARDENS, garden(1, 'rose'));
  await settled('g-bed-0=rose');
  kube.remove(GARDENS, 'shop', 'g');
  collect(kube);
  await settled('');
});

test('it ends up the same whatever fails on the way', async (t) => {
  const faults: Fault['act'][] = [
    'cut',
    'page',
    'truncate',
    { status: 500 },
    { status: 429 },
    { status: 409, reason: 'Conflict' },
    { status: 504 },
  ];
  const { kube, controller, settled } = await start(t);
  for (const act of faults)
    kube.faults.push(
      { act, times: 2 },
      { act, when: ({ method }) => method === 'PATCH' },
      { act, when: ({ query }) => query.has('watch') },
    );
  controller.start();
  kube.put(GARDENS, garden(3));
  await settled('g-bed-0=fern,g-bed-1=fern,g-bed-2=fern');
  for (const how of ['cut', 'truncate', 'end', 'stall'] as const) {
    for (const watch of kube.watches) watch[how]();
    kube.put(GARDENS, garden(2, how));
    await settled(`g-bed-0=${how},g-bed-1=${how}`);
  }
  await kube.away();
  kube.memory.put(GARDENS, garden(1, 'late'));
  await kube.listen();
  await settled('g-bed-0=late');
  kube.memory.compacted = kube.memory.version;
  kube.cutAll();
  kube.put(GARDENS, garden(2, 'after'));
  await settled('g-bed-0=after,g-bed-1=after');
});

test('it ends up the same without a single event, by looking again from time to time', async (t) => {
  const { kube, controller, settled } = await start(t, {
    rules: { ...quick, resyncMs: 20, reflector: { ...quick.reflector, silenceMs: 30 } },
  });
  kube.put(GARDENS, garden(2));
  controller.start();
  await settled('g-bed-0=fern,g-bed-1=fern');
  const muted = setInterval(() => {
    for (const watch of kube.watches) watch.stall();
  }, 1);
  t.after(() => clearInterval(muted));
  kube.put(GARDENS, garden(1, 'rose'));
  await settled('g-bed-0=rose');
});

test('one that fails does not hold up the others', async (t) => {
  const { kube, controller, errors, settled } = await start(t);
  kube.put(MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bad-bed-0', namespace: 'shop' }, data: { plant: 'oak' } });
  kube.put(GARDENS, garden(1, 'fern', 'bad'));
  kube.put(GARDENS, garden(1));
  controller.start();
  await settled('bad-bed-0=oak,g-bed-0=fern');
  assert.ok(errors.length > 0);
  assert.match(controller.metrics.meter.text(), /controller_runtime_reconcile_errors_total\{controller="toy"\} [1-9]/);
});

test('of two operators one works; when it stops the other goes on at once, and when it loses its lease it writes nothing more', async (t) => {
  const kube = await FaultyKube.start(t);
  const lease = { namespace: 'ops', name: 'toy', rules: { durationMs: 2000, renewDeadlineMs: 1500, retryMs: 20 } };
  const [one, two, three] = ['one', 'two', 'three'].map((identity) => toyController(kube.access, { rules: quick, lease, identity }));
  for (const { controller } of [one!, two!, three!]) t.after(() => controller.stop());
  const holder = () => holderOf(kube);
  one!.controller.start();
  await until(() => one!.controller.lease?.isLeader, 'the first leads');
  two!.controller.start();
  kube.put(GARDENS, garden(1));
  await until(() => kube.memory.list(MAPS).length === 1, 'the work is done');
  assert.equal(two!.reconciled.length, 0);
  assert.match(two!.controller.metrics.meter.text(), /leader_election_master_status\{name="toy"\} 0/);
  await one!.controller.stop();
  assert.equal(await one!.controller.ended, 'it was given back');
  await until(() => two!.controller.lease?.isLeader && two!.reconciled.length > 0, 'the second has taken over');
  assert.equal(holder(), 'two');

  const there = kube.memory.get(LEASES, 'ops', 'toy')!;
  kube.put(LEASES, { ...there, spec: { ...(there['spec'] as object), holderIdentity: 'somebody' } });
  assert.equal(await two!.controller.ended, 'somebody holds it now');
  const writes = kube.count('PATCH');
  kube.put(GARDENS, garden(3));
  await assert.rejects(two!.controller.client.request('PATCH', `${MAPS}/x`, { body: {} }), /two is not the leader, so nothing was written/);
  await two!.controller.stop();
  assert.equal(kube.count('PATCH'), writes);
  assert.equal(holder(), 'somebody', 'a lease that is not held is not given back');
});

test('a reconcile that runs when the lease is lost is told at once', async (t) => {
  const begun = Promise.withResolvers<AbortSignal>();
  const lease = { namespace: 'ops', name: 'toy', rules: { durationMs: 2000, renewDeadlineMs: 1500, retryMs: 20 } };
  const { kube, controller } = await start(t, {
    lease,
    reconcile: async ({ signal }) => {
      begun.resolve(signal);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    },
  });
  kube.put(GARDENS, garden(1));
  controller.start();
  const signal = await begun.promise;
  controller.assertLeader();
  const there = kube.memory.get(LEASES, 'ops', 'toy')!;
  kube.put(LEASES, { ...there, spec: { ...(there['spec'] as object), holderIdentity: 'somebody' } });
  await controller.ended;
  assert.equal((signal.reason as Error).message, 'the lease is lost: somebody holds it now');
  assert.throws(() => controller.assertLeader(), /is not the leader/);
});

test('who can not list does not take the lease', async (t) => {
  const lease = { namespace: 'ops', name: 'toy' };
  const { kube, controller } = await start(t, { lease });
  kube.faults.push({ times: 20, when: ({ path }) => path === MAPS, act: { status: 403, reason: 'Forbidden' } });
  controller.start();
  await until(() => kube.count('GET', MAPS) >= 10, 'it tries to list');
  assert.equal(kube.memory.get(LEASES, 'ops', 'toy'), undefined);
  await until(() => controller.lease?.isLeader, 'it leads when it knows everything');
});

test('a process that dies after any of its requests leaves nothing that the next one can not finish, and nothing is made twice', async (t) => {
  const rules = { ...quick, graceMs: 0 };
  for (let alive = 1; alive <= 16; alive++) {
    const kube = await FaultyKube.start(t);
    kube.put(GARDENS, garden(2));
    let asked = 0;
    const credentials = async () => {
      if (asked++ >= alive) throw new Error('dead');
      return kube.access.credentials(false);
    };
    const dying = toyController({ ...kube.access, credentials }, { rules });
    dying.controller.start();
    await until(() => asked >= alive, `request ${alive} was sent`);
    await dying.controller.stop();
    const next = toyController(kube.access, { rules });
    next.controller.start();
    await until(
      () => kube.memory.get(GARDENS, 'shop', 'g')?.['status'] !== undefined && kube.memory.list(MAPS).length === 2,
      'it is finished',
    );
    await next.controller.stop();
    const made = kube.memory.history.filter(({ collection, type }) => collection === MAPS && type === 'ADDED');
    assert.deepEqual(
      made.map(({ object }) => object.metadata.name),
      ['g-bed-0', 'g-bed-1'],
    );
    assert.equal(kube.memory.history.filter(({ collection }) => collection === MAPS).length, 2, 'and nothing was changed afterwards');
  }
});

test('stopping finishes what runs, tells its events and gives the lease back', async (t) => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const lease = { namespace: 'ops', name: 'toy' };
  const { kube, controller } = await start(t, {
    lease,
    reconcile: async ({ object }, { events, client }) => {
      begun.resolve();
      await go.promise;
      await client.request('PATCH', `/api/v1/namespaces/shop/configmaps/last`, {
        body: { metadata: { name: 'last', namespace: 'shop' } },
        contentType: 'application/apply-patch+yaml',
      });
      if (object) events.emit(object, { type: 'Normal', reason: 'Done', action: 'Finish', note: 'it is done' });
    },
  });
  kube.put(GARDENS, garden(1));
  controller.start();
  await begun.promise;
  const stopped = controller.stop();
  go.resolve();
  await stopped;
  assert.equal(kube.memory.list(MAPS)[0]?.metadata.name, 'last');
  assert.equal(kube.memory.list('/apis/events.k8s.io/v1/events').length, 1);
  assert.equal(holderOf(kube), '');
  await until(() => kube.watches.size === 0, 'nothing is watched any more');
});

test('what the copy has not seen is not acted upon', async (t) => {
  const { kube, controller, reconciled, settled } = await start(t, {
    rules: { ...quick, reflector: { ...quick.reflector, silenceMs: 60_000 } },
  });
  kube.put(GARDENS, garden(1));
  controller.start();
  await settled('g-bed-0=fern');
  await until(() => kube.memory.get(GARDENS, 'shop', 'g')?.['status'] !== undefined, 'it has settled');
  for (const watch of kube.watches) if (watch.path === MAPS) watch.stall();
  kube.put(GARDENS, garden(2));
  await settled('g-bed-0=fern,g-bed-1=fern');
  const writes = kube.count('PATCH', 'configmaps');
  const looks = reconciled.length;
  controller.look('shop/g');
  await until(
    () => /reconcile_total\{controller="toy",result="requeue"\} [1-9]/.test(controller.metrics.meter.text()),
    'it waits for its copy',
  );
  assert.equal(kube.count('PATCH', 'configmaps'), writes);
  assert.ok(reconciled.length <= looks + 1);
  for (const watch of kube.watches) if (watch.path === MAPS) watch.cut();
  kube.put(GARDENS, garden(1, 'rose'));
  await settled('g-bed-0=rose');
});
