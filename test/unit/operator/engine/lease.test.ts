// Who is the leader: never two at once, whatever clocks, processes and the API server do.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { KubeClient } from '../../../../src/kube/client.ts';
import { Lease, NotLeaderError } from '../../../../src/operator/engine/lease.ts';
import { silentLogger } from '../../../../src/ops/log.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { soon, turns } from '../../../support/turns.ts';

const LEASES = '/apis/coordination.k8s.io/v1/leases';
type Spec = { holderIdentity: string; renewTime: string; leaseTransitions: number; leaseDurationSeconds: number };

function contender(t: TestContext, kube: FaultyKube, identity: string) {
  const clock = new ManualClock();
  const wire = new ManualClock();
  const client = new KubeClient({ access: kube.access, clock: wire });
  const lease = new Lease({ client, namespace: 'ops', name: 'op', identity, clock, log: silentLogger(), random: () => 0.5 });
  let isLost: string | undefined;
  void lease.lost.then((reason) => (isLost = reason));
  t.after(() => client.close());
  t.after(() => lease.release());
  const reached = () => kube.received.length;
  /** Lets its next try happen. */
  const step = async (ms = 2000) => {
    const before = reached();
    clock.advance(ms);
    await soon(() => reached() > before || isLost !== undefined, 'it tries');
    await soon(() => clock.waiting === 1 || isLost !== undefined, 'it waits again');
  };
  const begin = async () => {
    lease.start();
    await soon(() => clock.waiting === 1, 'its first try is over');
  };
  return { clock, wire, lease, step, begin, lost: () => isLost };
}

async function start(t: TestContext) {
  const kube = await FaultyKube.start(t);
  const spec = () => (kube.memory.get(LEASES, 'ops', 'op') as unknown as { spec: Spec }).spec;
  return { kube, spec, one: contender(t, kube, 'one'), two: contender(t, kube, 'two') };
}

test('the first takes it and renews it, with times of six digits', async (t) => {
  const { one, spec } = await start(t);
  await one.begin();
  assert.equal(one.lease.isLeader, true);
  assert.match(spec().renewTime, /^2026-01-01T00:00:00\.000000Z$/);
  assert.equal(spec().leaseDurationSeconds, 15);
  await one.step();
  assert.match(spec().renewTime, /^2026-01-01T00:00:02\.000000Z$/);
  for (let i = 0; i < 20; i++) await one.step();
  assert.equal(one.lease.isLeader, true);
  assert.equal(spec().leaseTransitions, 0);
});

test('another takes it when it has not changed for its duration, by its own clock', async (t) => {
  const { one, two, spec } = await start(t);
  // the clocks of the two machines are ten years apart
  two.clock.jump(10 * 365 * 86_400_000);
  await one.begin();
  await two.begin();
  for (let i = 0; i < 7; i++) {
    await two.step();
    assert.equal(two.lease.isLeader, false, `after ${2 * (i + 1)} s`);
  }
  await two.step();
  assert.equal(two.lease.isLeader, true);
  assert.equal(spec().holderIdentity, 'two');
  assert.equal(spec().leaseTransitions, 1);
  // the first has been away for as long
  one.clock.freeze(16_000);
  assert.equal(one.lease.isLeader, false, 'it knows without asking');
  assert.throws(() => one.lease.assertLeader(), NotLeaderError);
  one.clock.advance(0);
  await soon(() => one.lost() !== undefined, 'it is told');
  assert.equal(spec().holderIdentity, 'two');
});

test('as long as it is renewed nobody else takes it', async (t) => {
  const { one, two } = await start(t);
  await one.begin();
  await two.begin();
  for (let i = 0; i < 20; i++) {
    await one.step();
    await two.step();
    assert.deepEqual([one.lease.isLeader, two.lease.isLeader], [true, false]);
  }
  assert.equal(two.lease.holder, 'one');
});

test('writes stop before anybody else may begin, when the API server is away', async (t) => {
  const { kube, one } = await start(t);
  await one.begin();
  await kube.away();
  let ms = 0;
  while (one.lease.isLeader && ms < 60_000) {
    one.clock.advance(500);
    ms += 500;
    await turns(5);
  }
  assert.equal(ms, 10_000);
  await soon(() => one.lost() !== undefined, 'it is told');
  assert.match(one.lost()!, /^it could not be renewed for 10000 ms$/);
  await kube.listen();
  one.clock.advance(60_000);
  await turns();
  assert.equal(one.lease.isLeader, false, 'it does not come back');
});

test('short faults are lived through: refusals, cut connections, answers that were lost', async (t) => {
  const { kube, one } = await start(t);
  await one.begin();
  for (const act of [{ status: 500 }, 'cut', 'page', 'truncate', { status: 409, reason: 'Conflict' }, { status: 429 }] as const) {
    kube.faults.push({ when: ({ method }) => method === 'PUT', act });
    await one.step();
    await one.step();
    assert.equal(one.lease.isLeader, true, JSON.stringify(act));
  }
  // the change was made and its answer lost: the version is no longer the one we know
  const there = kube.memory.get(LEASES, 'ops', 'op')!;
  kube.put(LEASES, { ...there, spec: { ...(there['spec'] as Spec), renewTime: '2026-01-01T00:00:59.000000Z' } });
  await one.step();
  assert.equal(one.lost(), undefined);
  await one.step();
  assert.equal(one.lease.isLeader, true);
});

test('a holder whom somebody else has replaced stops at once', async (t) => {
  const { kube, one } = await start(t);
  await one.begin();
  const there = kube.memory.get(LEASES, 'ops', 'op')!;
  kube.put(LEASES, { ...there, spec: { ...(there['spec'] as Spec), holderIdentity: 'three' } });
  await one.step();
  assert.equal(one.lost(), 'three holds it now');
  assert.equal(one.lease.isLeader, false);
});

test('of two that try at once one gets it', async (t) => {
  const { one, two } = await start(t);
  one.lease.start();
  two.lease.start();
  await soon(() => one.clock.waiting === 1 && two.clock.waiting === 1, 'both have tried');
  assert.equal(Number(one.lease.isLeader) + Number(two.lease.isLeader), 1);
});

test('after a jump of the time of day nothing is written until it is renewed', async (t) => {
  const { one } = await start(t);
  await one.begin();
  one.clock.jump(3_600_000);
  assert.equal(one.lease.isLeader, false);
  await one.step();
  assert.equal(one.lease.isLeader, true);
  assert.equal(one.lost(), undefined);
  one.clock.jump(-7_200_000);
  assert.equal(one.lease.isLeader, true);
  await one.step();
  assert.equal(one.lease.isLeader, true);
});

test('who stops gives it back, and the next need not wait', async (t) => {
  const { one, two, spec } = await start(t);
  await one.begin();
  await two.begin();
  await one.lease.release();
  assert.equal(one.lease.isLeader, false);
  assert.equal(spec().holderIdentity, '');
  await two.step();
  assert.equal(two.lease.isLeader, true);
  await one.lease.release();
  assert.equal(spec().holderIdentity, 'two', 'what is not ours is not given back');
});

test('a renewal that hangs leaves time for another', async (t) => {
  const { kube, one } = await start(t);
  await one.begin();
  kube.faults.push({ when: ({ method }) => method === 'PUT', act: 'stall' });
  const before = kube.received.length;
  one.clock.advance(2000);
  await soon(() => kube.received.length > before, 'it tries');
  one.wire.advance(5000);
  one.clock.advance(5000);
  await soon(() => one.clock.waiting === 1, 'it has given up on that one');
  await one.step();
  assert.equal(one.lease.isLeader, true);
});

test('no renewal outlasts the lease: who hangs in one is told in time that it is lost', async (t) => {
  const { kube, one } = await start(t);
  await one.begin();
  kube.faults.push({ times: 10, when: ({ method }) => method === 'PUT', act: 'stall' });
  const tries = async (ms: number) => {
    const before = kube.received.length;
    one.clock.advance(ms);
    await soon(() => kube.received.length > before, 'it tries');
  };
  await tries(2000);
  one.clock.advance(5000);
  one.wire.advance(5000);
  await soon(() => one.clock.waiting === 1, 'it has given up on that one');
  await tries(2000);
  one.clock.advance(1000);
  one.wire.advance(1000);
  await soon(() => one.lost() !== undefined, 'it is told');
  assert.equal(one.lost(), 'it could not be renewed for 10000 ms');
});
