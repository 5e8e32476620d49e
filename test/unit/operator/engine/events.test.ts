// Events for people, and conditions with their times.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { KubeClient } from '../../../../src/kube/client.ts';
import { withTimes } from '../../../../src/operator/engine/conditions.ts';
import { Recorder, type EventRules } from '../../../../src/operator/engine/events.ts';
import { silentLogger } from '../../../../src/ops/log.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { soon } from '../../../support/turns.ts';

const EVENTS = '/apis/events.k8s.io/v1/events';
const about = (name = 'demo') => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'shop', uid: `uid of ${name}` } });
const happening = (note = 'it began', reason = 'Started') => ({ type: 'Normal' as const, reason, action: 'Start', note });

async function start(t: TestContext, rules: Partial<EventRules> = {}) {
  const kube = await FaultyKube.start(t);
  const clock = new ManualClock();
  const client = new KubeClient({ access: kube.access });
  t.after(() => client.close());
  const recorder = new Recorder({ client, clock, log: silentLogger(), controller: 'kimserver.io/toy', instance: 'x'.repeat(200), rules });
  const told = async () => {
    await recorder.flush(5000);
    return kube.memory.list(EVENTS) as unknown as {
      note: string;
      eventTime: string;
      reportingInstance: string;
      series?: { count: number };
    }[];
  };
  return { kube, clock, recorder, told };
}

test('the same event again is counted, not written anew', async (t) => {
  const { kube, clock, recorder, told } = await start(t);
  for (let i = 0; i < 3; i++) recorder.emit(about(), happening());
  recorder.emit(about(), happening('it went on'));
  recorder.emit(about('other'), happening());
  const events = await told();
  assert.equal(events.length, 3);
  assert.equal(events[0]?.series?.count, 3);
  assert.equal(events[0]?.eventTime, '2026-01-01T00:00:00.000000Z');
  assert.equal(events[0]?.reportingInstance.length, 128);
  clock.advance(360_000);
  recorder.emit(about(), happening());
  assert.equal((await told()).length, 4, 'after a while it is news again');
  assert.equal(kube.count('PATCH'), 2);
});

test('one object can not flood the others', async (t) => {
  const { clock, recorder, told } = await start(t);
  for (let i = 0; i < 100; i++) recorder.emit(about(), happening(`number ${i}`));
  recorder.emit(about('quiet'), happening());
  assert.equal((await told()).length, 26);
  assert.equal(recorder.dropped, 75);
  clock.advance(300_000);
  recorder.emit(about(), happening('later'));
  recorder.emit(about(), happening('too soon'));
  assert.equal((await told()).length, 27);
});

test('a server that is away, or refuses, costs the events and nothing else', async (t) => {
  const { kube, recorder, told } = await start(t, { maxKept: 10 });
  kube.faults.push({ act: { status: 403, reason: 'Forbidden' } }, { act: 'cut' });
  recorder.emit(about(), happening('one'));
  recorder.emit(about(), happening('two'));
  recorder.emit(about(), happening('three'));
  assert.equal((await told()).length, 2);
  assert.equal(recorder.dropped, 1);
  for (let i = 0; i < 50; i++) recorder.emit(about(`thing-${i}`), happening());
  assert.ok(recorder.dropped > 20, 'those that wait are limited');
});

test('a condition keeps its time until its status turns', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
  const ready = { type: 'Ready', status: 'False', reason: 'Starting', message: '', observedGeneration: 1 } as const;
  const first = withTimes([ready], undefined, at(1));
  assert.deepEqual(first, [{ ...ready, lastTransitionTime: '2026-01-01T00:00:01Z' }]);
  const second = withTimes([{ ...ready, reason: 'Waiting', observedGeneration: 2 }], first, at(2));
  assert.equal(second[0]?.lastTransitionTime, '2026-01-01T00:00:01Z');
  assert.equal(second[0]?.reason, 'Waiting');
  assert.deepEqual(withTimes([{ ...ready }], first, at(3)), first, 'the same again is the same');
  assert.equal(withTimes([{ ...ready, status: 'True' }], second, at(4))[0]?.lastTransitionTime, '2026-01-01T00:00:04Z');
});

test('a server that is away for a moment costs no event, and none is told twice', async (t) => {
  const { kube, clock, recorder, told } = await start(t);
  kube.faults.push({ act: 'lost' });
  recorder.emit(about(), happening('its answer was lost'));
  assert.equal((await told()).length, 1);
  kube.faults.push({ times: 3, act: { status: 500 } });
  recorder.emit(about(), happening('it came late'));
  for (const ms of [1000, 5000]) {
    await soon(() => clock.nextMs === ms, `it tries again after ${ms} ms`);
    clock.advance(ms);
  }
  assert.equal((await told()).length, 2);
  assert.equal(recorder.dropped, 0);
});

test('an event that was not taken is news the next time', async (t) => {
  const { kube, recorder, told } = await start(t);
  kube.faults.push({ act: { status: 403, reason: 'Forbidden' } });
  recorder.emit(about(), happening());
  assert.equal((await told()).length, 0);
  recorder.emit(about(), happening());
  const [event] = await told();
  assert.equal(event?.series, undefined, 'nothing is counted on what is not there');
});

test('what could not be told by the end is dropped', async (t) => {
  const { kube, clock, recorder } = await start(t);
  kube.faults.push({ times: 10, act: { status: 500 } });
  for (const note of ['one', 'two', 'three']) recorder.emit(about(), happening(note));
  await soon(() => clock.waiting === 1, 'it waits to try again');
  recorder.close();
  await recorder.flush(0);
  assert.equal(recorder.dropped, 3);
  recorder.emit(about(), happening('four'));
  assert.equal(recorder.dropped, 4);
});
