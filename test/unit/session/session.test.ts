// What is remembered of a client: how long, how it moves to another process, and that nothing of it stays behind.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { serialize } from 'node:v8';
import { Ledger } from '../../../src/ops/ledger.ts';
import { Session } from '../../../src/session/session.ts';

interface Opened {
  session: Session;
  ledger: Ledger;
  expired: [string, unknown][];
}

function open(t: TestContext): Opened {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ledger = new Ledger();
  const expired: [string, unknown][] = [];
  const session = new Session('c1', ledger, (key, value) => expired.push([key, value]));
  t.after(() => {
    session.close();
    assert.ok(ledger.isZero(), ledger.toText());
  });
  return { session, ledger, expired };
}

test('properties are set, read, listed, replaced and deleted', (t) => {
  const { session } = open(t);
  assert.deepEqual([session.get('user'), session.has('user'), session.keys()], [undefined, false, []]);
  session.set('user', { id: 1 });
  session.set('room', undefined);
  assert.deepEqual(session.get('user'), { id: 1 });
  assert.deepEqual([session.has('room'), session.get('room'), session.keys()], [true, undefined, ['user', 'room']]);
  session.set('user', 2);
  assert.equal(session.get('user'), 2);
  assert.equal(session.delete('user'), true);
  assert.equal(session.delete('user'), false);
  assert.deepEqual(session.keys(), ['room']);
});

test('a property lives for its ttlMs, and its end is told when it is gone', (t) => {
  const { session, expired, ledger } = open(t);
  session.set('code', 'abc', { ttlMs: 5000 });
  assert.equal(ledger.timers.held, 1);
  t.mock.timers.tick(4999);
  assert.equal(session.get('code'), 'abc');
  t.mock.timers.tick(1);
  assert.deepEqual([session.has('code'), expired], [false, [['code', 'abc']]]);
  assert.equal(ledger.timers.held, 0);
});

test('setting a property again begins its life anew, or makes it live for ever', (t) => {
  const { session, expired } = open(t);
  session.set('a', 1, { ttlMs: 100 });
  session.set('b', 1, { ttlMs: 100 });
  t.mock.timers.tick(99);
  session.set('a', 2, { ttlMs: 100 });
  session.set('b', 2);
  t.mock.timers.tick(99);
  assert.deepEqual([session.get('a'), session.get('b'), expired], [2, 2, []]);
  t.mock.timers.tick(10_000);
  assert.deepEqual([session.keys(), expired], [['b'], [['a', 2]]]);
});

test('a life that no timer can count is refused, and the property stays what it was', (t) => {
  const { session } = open(t);
  session.set('a', 1);
  for (const ttlMs of [0, -1, NaN, Infinity, 2 ** 31]) {
    assert.throws(() => session.set('a', 2, { ttlMs }), new RegExp(`^Error: ttlMs of "a" must be from 1 to 2147483647, got ${ttlMs}$`));
  }
  assert.equal(session.get('a'), 1);
  session.set('a', 3, { ttlMs: 2 ** 31 - 1 });
});

test('a deleted property does not expire', (t) => {
  const { session, expired } = open(t);
  session.set('a', 1, { ttlMs: 100 });
  session.delete('a');
  t.mock.timers.tick(1000);
  assert.deepEqual(expired, []);
});

test('a hook may set the property again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ledger = new Ledger();
  let times = 0;
  const session: Session = new Session('c1', ledger, (key) => {
    if (++times < 3) session.set(key, times, { ttlMs: 10 });
  });
  session.set('tick', 0, { ttlMs: 10 });
  for (let i = 0; i < 10; i++) t.mock.timers.tick(10);
  assert.equal(times, 3);
  session.close();
  assert.ok(ledger.isZero(), ledger.toText());
});

test('a session holds 1024 properties, and says so when one more comes', (t) => {
  const { session } = open(t);
  for (let i = 0; i < 1024; i++) session.set(String(i), i);
  session.set('7', 'again');
  assert.throws(() => session.set('more', 1), /^Error: session c1 already holds 1024 properties; "more" was not added$/);
  session.delete('7');
  session.set('more', 1);
});

test('a closed session has ended its timers and tells nobody', (t) => {
  const { session, expired, ledger } = open(t);
  session.set('a', 1, { ttlMs: 100 });
  session.close();
  assert.ok(ledger.isZero(), ledger.toText());
  t.mock.timers.tick(1000);
  assert.deepEqual([expired, session.keys()], [[], []]);
});

test('a closed session remembers nothing more: handlers that are late can not make it leak', (t) => {
  const { session, ledger } = open(t);
  session.close();
  session.close();
  session.set('late', 1, { ttlMs: 100 });
  assert.equal(session.has('late'), false);
  assert.ok(ledger.isZero(), ledger.toText());
});

test('a session moves with its values, and its lives begin anew', (t) => {
  const from = open(t);
  const values = {
    text: 'é',
    big: 12n,
    date: new Date(5),
    map: new Map([[1, new Set(['x'])]]),
    bytes: new Uint8Array([1, 2]),
    none: undefined,
  };
  for (const [key, value] of Object.entries(values)) from.session.set(key, value);
  from.session.set('short', 1, { ttlMs: 100 });
  t.mock.timers.tick(60);
  const { bytes, lost } = from.session.save();
  assert.deepEqual(lost, []);
  from.session.close();
  const expired: string[] = [];
  const ledger = new Ledger();
  const to = new Session('c1', ledger, (key) => expired.push(key));
  to.restore(bytes!);
  assert.deepEqual(Object.fromEntries(to.keys().map((key) => [key, to.get(key)])), { ...values, short: 1 });
  t.mock.timers.tick(99);
  assert.deepEqual(expired, []);
  t.mock.timers.tick(1);
  assert.deepEqual(expired, ['short']);
  to.close();
  assert.ok(ledger.isZero(), ledger.toText());
});

test('what can not be copied stays behind and is named', (t) => {
  const { session } = open(t);
  session.set('ok', 1);
  session.set('function', () => 1);
  session.set('socket', { write: () => 1 });
  const { bytes, lost } = session.save();
  assert.deepEqual(lost, ['function', 'socket']);
  const other = new Session('c1', new Ledger(), () => undefined);
  other.restore(bytes!);
  assert.deepEqual(other.keys(), ['ok']);
});

test('an empty session is nothing to move', (t) => {
  const { session } = open(t);
  assert.deepEqual(session.save(), { bytes: undefined, lost: [] });
});

test('bytes that no session was saved as are refused, and nothing of them is kept', (t) => {
  const { session } = open(t);
  const saved = (value: unknown) => serialize(value);
  const strange = [
    Buffer.from('nonsense'),
    Buffer.alloc(0),
    saved(5),
    saved({ length: 1 }),
    saved([['good', 1, undefined], 'bad']),
    saved([
      ['good', 1, undefined],
      [5, 1, undefined],
    ]),
    saved([
      ['good', 1, undefined],
      ['life', 1, 1e300],
    ]),
    saved([
      ['good', 1, undefined],
      ['life', 1, '5'],
    ]),
    saved(Array.from({ length: 1025 }, (_, i) => [`${i}`, i, undefined])),
    // as a list that is said to be long
    Buffer.from('ff0f41ffffffff0f', 'hex'),
    Buffer.from('ff0f61ffffffff0f', 'hex'),
  ];
  for (const bytes of strange) assert.throws(() => session.restore(bytes), { fault: 'invalidMessage' }, bytes.toString('hex').slice(0, 40));
  assert.deepEqual(session.keys(), []);
  session.restore(saved([['__proto__', { polluted: true }, undefined]]));
  assert.deepEqual(session.get('__proto__'), { polluted: true });
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
