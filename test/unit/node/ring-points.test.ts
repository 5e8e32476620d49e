// The points of a large cluster are made in slices and arrive as they were made.

import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf, type Member } from '../../../src/cluster/member.ts';
import { memberPoints, Ring, type MemberPoints } from '../../../src/cluster/ring.ts';
import { RingPoints, unpacked, type ShippedPoints } from '../../../src/node/ring-points.ts';

const NODES = 200;
const WORKERS = 8;

function member(n: number, workers = WORKERS): Member {
  const host = `10.0.${n >> 8}.${n & 255}`;
  return { type: 'logic', host, port: 4344, workers, activeTime: 1, name: `logic-${n}`, source: 'file', facts: undefined };
}

/** A manager that ships to one worker, and what the worker has. The clock goes on by one with each look at it. */
function shipping() {
  let clock = 0;
  const log: string[] = [];
  const points = new Map<string, MemberPoints>();
  let members: readonly Member[] = [];
  const learn = (list: readonly ShippedPoints[]) => {
    for (const one of JSON.parse(JSON.stringify(list)) as ShippedPoints[]) points.set(one.address, unpacked(one));
  };
  const ringPoints = new RingPoints({
    ship(list) {
      learn(list);
      log.push(`points ${list.length}`);
    },
    members(list) {
      members = list;
      log.push(`members ${list.length}`);
    },
    now: () => clock++,
  });
  const ring = () => Ring.of(members.map((one) => points.get(addressOf(one))!));
  return { ringPoints, log, points, learn, ring, members: () => members };
}

test('320,000 points are made while the loop turns and the old list is in use, and make the same ring', async () => {
  const { ringPoints, log, ring, members } = shipping();
  ringPoints.replace([member(0), member(1)]);
  assert.deepEqual(log, ['points 2', 'members 2'], 'a few are there at once');

  const all = Array.from({ length: NODES }, (_, n) => member(n));
  let turns = 0;
  const count = () => {
    if (members().length !== 2) return;
    turns++;
    setImmediate(count);
  };
  ringPoints.replace(all);
  setImmediate(count);
  await ringPoints.settled();
  const slices = log.slice(2, -1).map((line) => Number(line.split(' ')[1]));
  assert.ok(turns >= slices.length - 2, `with the old list the loop turned ${turns} times during ${slices.length} slices`);
  assert.ok(slices.length >= 10 && slices.every((n) => n <= 11), `slices of ${slices.join(', ')}`);
  assert.equal(log.at(-1), `members ${NODES}`);

  const whole = Ring.of(all.map((one) => memberPoints(addressOf(one), one.workers)));
  const shipped = ring();
  assert.equal(shipped.size, 320_000);
  assert.deepEqual(shipped.shares(), whole.shares());
  for (let i = 0; i < 10_000; i++) assert.equal(shipped.find(`key-${i}`), whole.find(`key-${i}`));
});

test('of a change only what is new is shipped, and what is gone is forgotten', () => {
  const { ringPoints, log } = shipping();
  ringPoints.replace([member(0), member(1)]);
  ringPoints.replace([member(1), member(2), member(3, 2)]);
  ringPoints.replace([member(1), member(3, 4)]);
  ringPoints.replace([member(1), member(3, 4)]);
  assert.deepEqual(log, ['points 2', 'members 2', 'points 2', 'members 3', 'points 1', 'members 2', 'members 2']);
  assert.deepEqual(
    ringPoints.all.map(({ address, workers }) => `${address} ${workers}`),
    ['10.0.0.1:4344 8', '10.0.0.3:4344 4'],
  );
});

test('of several lists during the work the last one counts, and a worker that begins then misses nothing', async () => {
  const { ringPoints, log, ring, points, learn } = shipping();
  ringPoints.replace(Array.from({ length: NODES }, (_, n) => member(n)));
  assert.equal(ringPoints.members.length, 0);
  // a worker that begins now gets what there is, and the rest as all others do
  points.clear();
  learn(ringPoints.all);
  const last = Array.from({ length: 50 }, (_, n) => member(n * 2, 1 + (n % 3)));
  ringPoints.replace(last);
  await ringPoints.settled();
  assert.deepEqual(
    log.filter((line) => line.startsWith('members')),
    ['members 50'],
  );
  assert.deepEqual(ring().shares(), Ring.of(last.map((one) => memberPoints(addressOf(one), one.workers))).shares());
  assert.equal(ringPoints.all.length, 50);
});
