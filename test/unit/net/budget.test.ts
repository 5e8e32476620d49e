// The memory of all connections together: who has to go when it is too much, and when others may come again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget } from '../../../src/net/budget.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { Account } from '../../../src/ops/ledger.ts';
import { fc, forAll } from '../../support/property.ts';

/** A budget sees nothing of a connection but that it is the same. */
const connection = (name: string) => ({ id: name }) as unknown as Connection;
const names = (connections: Connection[]) => connections.map(({ id }) => id);

test('what is noted replaces what was noted before', () => {
  const budget = new MemoryBudget(100);
  const a = connection('a');
  budget.note(a, 30);
  budget.note(a, 50);
  budget.note(connection('b'), 5);
  assert.equal(budget.used, 55);
  budget.note(a, 0);
  assert.equal(budget.used, 5);
});

test('nobody has to go while everything fits', () => {
  const budget = new MemoryBudget(100);
  budget.note(connection('a'), 100);
  assert.deepEqual(budget.offenders(), []);
  assert.equal(budget.isFull, false);
});

test('the largest go first, until a fifth of the budget is free', () => {
  const budget = new MemoryBudget(100);
  for (const [name, bytes] of [
    ['small', 10],
    ['largest', 50],
    ['large', 30],
    ['middle', 20],
  ] as const) {
    budget.note(connection(name), bytes);
  }
  assert.deepEqual(names(budget.offenders()), ['largest']);
  budget.note(connection('huge'), 80);
  assert.deepEqual(names(budget.offenders()), ['huge', 'largest']);
});

test('a budget that was exceeded is full until a fifth of it is free', () => {
  const budget = new MemoryBudget(100);
  const [a, b] = [connection('a'), connection('b')];
  budget.note(a, 60);
  budget.note(b, 60);
  budget.offenders();
  assert.equal(budget.isFull, true);
  budget.note(b, 30);
  assert.equal(budget.isFull, true);
  budget.note(b, 20);
  assert.equal(budget.isFull, false);
  budget.note(b, 35);
  assert.equal(budget.isFull, false);
});

test('a budget that was raised is full no more', () => {
  const budget = new MemoryBudget(100);
  budget.note(connection('a'), 150);
  budget.offenders();
  assert.equal(budget.isFull, true);
  budget.limit = 1000;
  assert.equal(budget.isFull, false);
});

test('a budget of 0 is none', () => {
  const budget = new MemoryBudget(0);
  budget.note(connection('a'), 1e9);
  assert.deepEqual(budget.offenders(), []);
  assert.equal(budget.isFull, false);
});

test('the ledger holds what the budget holds', () => {
  const account = new Account();
  const budget = new MemoryBudget(1000, account);
  const all = ['a', 'b', 'c', 'd'].map(connection);
  forAll(fc.array(fc.tuple(fc.nat(3), fc.nat(300))), (steps) => {
    for (const [who, bytes] of steps) budget.note(all[who]!, bytes);
    assert.equal(account.bytes, budget.used);
    for (const one of all) budget.forget(one);
    assert.deepEqual([budget.used, account.held, account.bytes], [0, 0, 0]);
  });
});
