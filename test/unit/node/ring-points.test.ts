// The points of a large cluster are made in slices and arrive as they were made.

import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf, type Member } from '../../../src/cluster/member.ts';
import { memberPoints, Ring, type MemberPoints } from '../../../src/cluster/ring.ts';
import type { ToWorker } from '../../../src/node/channel.ts';
import { RingPoints, unpacked } from '../../../src/node/ring-points.ts';

const NODES = 200;
const WORKERS = 8;

function member(n: number, workers = WORKERS): Member {
  const host = `10.0.${n >> 8}.${n & 255}`;
  return { type: 'logic', host, port: 4344, workers, activeTime: 1, name: `logic-${n}`, source: 'file', facts: undefined };
}

/** What a worker has, told in JSON as by the channel between processes. */
class Worker {
  readonly log: string[] = [];
  readonly #points = new Map<string, MemberPoints>();
  members: readonly Member[] = [];

  send(message: ToWorker): void {
    const told = JSON.parse(JSON.stringify(message)) as ToWorker;
    if (told.type === 'points') {
      for (const one of told.points) this.#points.set(one.address, unpacked(one));
      this.log.push(`points ${told.points.length}`);
    } else if (told.type === 'members') {
      this.members = told.members;
      this.log.push(`members ${told.members.length}`);
    }
  }

  ring(): Ring {
    return Ring.of(this.members.map((one) => this.#points.get(addressOf(one))!));
  }
}

/** A manager with one worker. The clock goes on by one with each look at it. */
function shipping() {
  let clock = 0;
  const workers = [new Worker()];
  const ringPoints = new RingPoints(
    () => workers,
    () => clock++,
  );
  return { ringPoints, workers, worker: workers[0]! };
}

test('320,000 points are made while the loop turns and the old list is in use, and make the same ring', async () => {
  const { ringPoints, worker } = shipping();
  const { log } = worker;
  ringPoints.replace([member(0), member(1)]);
  assert.deepEqual(log, ['points 2', 'members 2'], 'a few are there at once');

  const all = Array.from({ length: NODES }, (_, n) => member(n));
  let turns = 0;
  const count = () => {
    if (worker.members.length !== 2) return;
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
  const shipped = worker.ring();
  assert.equal(shipped.size, 320_000);
  assert.deepEqual(shipped.shares(), whole.shares());
  for (let i = 0; i < 10_000; i++) assert.equal(shipped.find(`key-${i}`), whole.find(`key-${i}`));
});

test('of a change only what is new is shipped, and what is gone is forgotten', () => {
  const { ringPoints, worker } = shipping();
  ringPoints.replace([member(0), member(1)]);
  ringPoints.replace([member(1), member(2), member(3, 2)]);
  ringPoints.replace([member(1), member(3, 4)]);
  ringPoints.replace([member(1), member(3, 4)]);
  assert.deepEqual(worker.log, ['points 2', 'members 2', 'points 2', 'members 3', 'points 1', 'members 2', 'members 2']);
  const late = new Worker();
  ringPoints.tellAll(late);
  assert.deepEqual(late.log, ['points 2', 'members 2']);
  assert.deepEqual(late.ring().shares(), worker.ring().shares());
});

test('of several lists during the work the last one counts, and a worker that begins then misses nothing', async () => {
  const { ringPoints, workers, worker } = shipping();
  ringPoints.replace(Array.from({ length: NODES }, (_, n) => member(n)));
  // it is told what there is, and the rest as all others are
  const late = new Worker();
  ringPoints.tellAll(late);
  workers.push(late);
  const last = Array.from({ length: 50 }, (_, n) => member(n * 2, 1 + (n % 3)));
  ringPoints.replace(last);
  await ringPoints.settled();
  assert.deepEqual(
    worker.log.filter((line) => line.startsWith('members')),
    ['members 50'],
  );
  const whole = Ring.of(last.map((one) => memberPoints(addressOf(one), one.workers)));
  for (const one of [worker, late]) assert.deepEqual(one.ring().shares(), whole.shares());
});
