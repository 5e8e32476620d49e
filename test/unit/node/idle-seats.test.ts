// Which session makes place for a new one.

import assert from 'node:assert/strict';
import test from 'node:test';
import { IdleSeats } from '../../../src/node/idle-seats.ts';
import { Seat } from '../../../src/node/seat.ts';

function seat(id: string, lastUsed: number, more: Partial<Pick<Seat, 'user' | 'queue'>> & { running?: number } = {}): Seat {
  const { running = 0, ...rest } = more;
  const made = Object.assign(new Seat(id, '10.0.0.1:5000'), { lastUsed, ...rest });
  for (let i = 0; i < running; i++) made.running.push(1);
  return made;
}

const mapOf = (...seats: Seat[]) => new Map(seats.map((one) => [one.id, one]));

test('the longest idle session makes place', () => {
  const seats = mapOf(seat('a', 5000), seat('b', 2000), seat('c', 3000));
  const idle = new IdleSeats();
  const order = ['b', 'c', 'a'].map((expected) => {
    const found = idle.next(seats, 10_000)!;
    seats.delete(found.id);
    return [found.id, expected];
  });
  for (const [found, expected] of order) assert.equal(found, expected);
  assert.equal(idle.next(seats, 10_000), undefined);
});

test('sessions with requests, of users, and that asked something just now stay', () => {
  const seats = mapOf(
    seat('works', 0, { running: 1 }),
    seat('waits', 0, { queue: [] }),
    seat('anna', 0, { user: 'anna' }),
    seat('now', 9_001),
  );
  const idle = new IdleSeats();
  assert.equal(idle.next(seats, 10_000), undefined);
  assert.equal(idle.next(seats, 10_001)?.id, 'now');
});

test('of many sessions a few are looked at for each place, and all in turn', () => {
  const seats = mapOf(...Array.from({ length: 10_000 }, (_, i) => seat(`${i}`, 0, { user: i === 7000 ? '' : 'somebody' })));
  const idle = new IdleSeats();
  const found = Array.from({ length: 50 }, () => idle.next(seats, 10_000)).filter((one) => one !== undefined);
  assert.deepEqual(
    found.map(({ id }) => id),
    ['7000'],
  );
});
