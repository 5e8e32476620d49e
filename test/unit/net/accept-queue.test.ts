// Who may come in now, who waits, and who is sent away, with a clock that the test moves.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AcceptQueue } from '../../../src/net/accept-queue.ts';

interface Gate {
  queue: AcceptQueue<string>;
  admitted: string[];
  refused: string[];
  /** Lets time pass; what the queue has planned for it happens. */
  pass(ms: number): void;
  setReady(ready: boolean): void;
}

function open(t: TestContext, { rate = 10, burst = 2, limit = 3 }, onAdmit: (gate: Gate, item: string) => void = () => undefined): Gate {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 1000;
  let isReady = true;
  const admitted: string[] = [];
  const refused: string[] = [];
  const gate: Gate = {
    queue: new AcceptQueue<string>({
      rate,
      burst,
      limit,
      now: () => now,
      isReady: () => isReady,
      admit: (item) => {
        admitted.push(item);
        onAdmit(gate, item);
      },
      refuse: (item) => refused.push(item),
    }),
    admitted,
    refused,
    pass: (ms) => {
      // in small steps, since a timer that fires sets the next one
      for (let passed = 0; passed < ms; passed++) {
        now++;
        t.mock.timers.tick(1);
      }
    },
    setReady: (ready) => (isReady = ready),
  };
  t.after(() => gate.queue.close());
  return gate;
}

const addAll = ({ queue }: Gate, ...items: string[]) => items.map((item) => queue.add(item));

test('the burst comes in at once, the next wait, and who does not fit is refused', (t) => {
  const gate = open(t, {});
  assert.deepEqual(addAll(gate, 'a', 'b', 'c', 'd', 'e', 'f'), ['admitted', 'admitted', 'waiting', 'waiting', 'waiting', 'refused']);
  assert.deepEqual([gate.admitted, gate.refused, gate.queue.length], [['a', 'b'], ['f'], 3]);
});

test('who waits comes in at the rate, in the order of arrival', (t) => {
  const gate = open(t, {});
  addAll(gate, 'a', 'b', 'c', 'd', 'e');
  gate.pass(99);
  assert.deepEqual(gate.admitted, ['a', 'b']);
  gate.pass(1);
  assert.deepEqual(gate.admitted, ['a', 'b', 'c']);
  gate.pass(200);
  assert.deepEqual(gate.admitted, ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual([gate.queue.length, gate.refused], [0, []]);
});

test('nobody overtakes who waits', (t) => {
  const gate = open(t, {});
  addAll(gate, 'a', 'b');
  gate.setReady(false);
  addAll(gate, 'c');
  gate.setReady(true);
  gate.pass(1);
  assert.equal(gate.queue.add('d'), 'waiting');
  gate.pass(200);
  assert.deepEqual(gate.admitted, ['a', 'b', 'c', 'd']);
});

test('while nobody could serve them all wait, and come in when somebody can', (t) => {
  const gate = open(t, { burst: 10 });
  gate.setReady(false);
  assert.deepEqual(addAll(gate, 'a', 'b'), ['waiting', 'waiting']);
  gate.pass(1000);
  assert.deepEqual(gate.admitted, []);
  gate.setReady(true);
  gate.queue.pump();
  assert.deepEqual(gate.admitted, ['a', 'b']);
});

test('who has waited for ten seconds is refused', (t) => {
  const gate = open(t, {});
  gate.setReady(false);
  addAll(gate, 'a');
  gate.pass(5000);
  addAll(gate, 'b');
  gate.pass(5100);
  assert.deepEqual([gate.refused, gate.queue.length], [['a'], 1]);
});

test('with a queue of 0 nobody waits', (t) => {
  const gate = open(t, { limit: 0, burst: 1 });
  assert.deepEqual(addAll(gate, 'a', 'b'), ['admitted', 'refused']);
});

test('rate 0 lets everybody in', (t) => {
  const gate = open(t, { rate: 0, burst: 1, limit: 0 });
  const many = Array.from({ length: 500 }, (_, i) => String(i));
  assert.ok(addAll(gate, ...many).every((result) => result === 'admitted'));
});

test('a new rate counts at once for those who wait', (t) => {
  const gate = open(t, { rate: 1, burst: 1, limit: 10 });
  addAll(gate, 'a', 'b', 'c', 'd');
  gate.queue.change(0, 1, 10);
  assert.deepEqual(gate.admitted, ['a', 'b', 'c', 'd']);
});

test('a smaller queue sends nobody away who waits already', (t) => {
  const gate = open(t, { limit: 3, burst: 1 });
  addAll(gate, 'a', 'b', 'c', 'd');
  gate.queue.change(10, 1, 1);
  assert.deepEqual(gate.refused, []);
  assert.equal(gate.queue.add('e'), 'refused');
  gate.pass(1000);
  assert.deepEqual(gate.admitted, ['a', 'b', 'c', 'd']);
});

test('close refuses all who wait, and nothing happens afterwards', (t) => {
  const gate = open(t, {});
  addAll(gate, 'a', 'b', 'c', 'd');
  gate.queue.close();
  assert.deepEqual([gate.refused, gate.queue.length], [['c', 'd'], 0]);
  gate.pass(1000);
  assert.deepEqual(gate.admitted, ['a', 'b']);
});

test('who is let in while others are being let in is not let in twice', (t) => {
  const gate = open(t, { burst: 10, limit: 10 }, ({ queue }) => queue.pump());
  gate.setReady(false);
  addAll(gate, 'a', 'b', 'c', 'd');
  gate.setReady(true);
  gate.queue.pump();
  assert.deepEqual(gate.admitted, ['a', 'b', 'c', 'd']);
});
