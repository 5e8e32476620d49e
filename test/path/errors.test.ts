// What a peer learns when a handler fails: a code and a text, never a stack; and where the log has the rest.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../src/errors.ts';
import type { AnyHandler } from '../../src/route/module.ts';
import { request, type Seen } from '../support/frames.ts';
import { served, type LogLine } from '../support/served.ts';

/** The reply of a handler, and what was logged meanwhile. */
async function ask(
  t: TestContext,
  handler: AnyHandler,
  traceId = '',
): Promise<{ reply: Seen; log: LogLine[]; codes: Record<number, number> }> {
  const { connect, log, stats } = await served(t, { commands: { 1001: handler, 1003: () => 'still here' } });
  const client = await connect();
  client.send(request(1001, 7, 'data', traceId), request(1003, 8));
  const [reply, next] = await client.frames(2);
  assert.deepEqual([next!.seq, next!.data], [8, 'still here']);
  assert.deepEqual([reply!.cmd, reply!.seq], [1002, 7]);
  return { reply: reply!, log, codes: stats.command('1001').snapshot().codes };
}

const broken = () => {
  throw new TypeError('password is hunter2');
};

for (const [when, handler] of [
  ['at once', broken],
  ['later', async () => broken()],
] as const) {
  test(`an exception that is thrown ${when} is code 1 with a trace id, and the log has it under that id`, async (t) => {
    const { reply, log, codes } = await ask(t, handler);
    assert.equal(reply.code, 1);
    const id = /^internal error, trace ([0-9a-f]{16})$/.exec(reply.msg)?.[1];
    assert.ok(id !== undefined, reply.msg);
    assert.doesNotMatch(reply.body.toString('latin1'), /hunter2|TypeError|errors\.test|at /);
    assert.equal(log.length, 1);
    const { level, msg, traceId, command, client, err } = log[0]! as LogLine & { err: { message: string; stack: string } };
    assert.deepEqual([level, msg, traceId, command, client], ['error', 'handler failed', id, 1001, 'c1']);
    assert.equal(err.message, 'password is hunter2');
    assert.match(err.stack, /errors\.test\.ts/);
    assert.deepEqual(codes, { 1: 1 });
  });
}

test('the trace id is the one that the client gave', async (t) => {
  const { reply, log } = await ask(t, broken, 'order-77');
  assert.equal(reply.msg, 'internal error, trace order-77');
  assert.equal(log[0]!['traceId'], 'order-77');
});

for (const [when, handler] of [
  ['thrown at once', () => Promise.reject(new Fault('invalidParams', 'age is -1'))],
  [
    'thrown later',
    () => {
      throw new Fault('invalidParams', 'age is -1');
    },
  ],
] as const) {
  test(`a fault that is ${when} is its code and its text, and no line in the log`, async (t) => {
    const { reply, log } = await ask(t, handler);
    assert.deepEqual([reply.code, reply.msg, reply.data], [5, 'age is -1', '']);
    assert.deepEqual(log, []);
  });
}

test('a fault without a text has the text of the table', async (t) => {
  const { reply } = await ask(t, () => {
    throw new Fault('noNode');
  });
  assert.deepEqual([reply.code, reply.msg], [15, 'can not find node']);
});

test('whatever is thrown is code 1: text, nothing, an object', async (t) => {
  for (const thrown of ['text', undefined, null, 5, { code: 7, msg: 'no reply' }]) {
    await t.test(String(thrown), async (t) => {
      const { reply, log } = await ask(t, () => {
        throw thrown;
      });
      assert.equal(reply.code, 1);
      assert.equal(log.length, 1);
    });
  }
});

const answers: [what: string, handler: AnyHandler, code: number, msg: string, data: string][] = [
  ['nothing', () => undefined, 0, 'ok', ''],
  ['text', () => 'héllo', 0, 'ok', 'héllo'],
  ['no text', () => '', 0, 'ok', ''],
  ['bytes', () => new Uint8Array([104, 105]), 0, 'ok', 'hi'],
  ['its own data', (data: Buffer) => data, 0, 'ok', 'data'],
  ['a code', () => ({ code: 77 }), 77, 'ok', ''],
  ['a negative code', () => ({ code: -77, msg: 'less', data: 'x' }), -77, 'less', 'x'],
  ['all parts', () => ({ code: 1, msg: 'fail', data: Buffer.from('why') }), 1, 'fail', 'why'],
  ['an empty object', () => ({}), 0, 'ok', ''],
];

for (const [what, handler, code, msg, data] of answers) {
  test(`a handler may return ${what}`, async (t) => {
    const { reply } = await ask(t, handler);
    assert.deepEqual([reply.code, reply.msg, reply.data], [code, msg, data]);
  });

  test(`a handler may promise ${what}`, async (t) => {
    const { reply } = await ask(t, async (...args) => handler(...args));
    assert.deepEqual([reply.code, reply.msg, reply.data], [code, msg, data]);
  });
}

const wrong: [what: string, value: unknown, says: RegExp][] = [
  ['a number', 5, /^a handler returns nothing, text, bytes or/],
  ['null', null, /^a handler returns nothing, text, bytes or/],
  ['a list', ['x'], /^a reply has code, msg, data and cmd, not "0"; for JSON declare a reply type$/],
  ['JSON', { user: 1 }, /^a reply has code, msg, data and cmd, not "user"; for JSON declare a reply type$/],
  ['half a code', { code: 1.5 }, /^code of a reply must be a whole number of 32 bits, got 1\.5$/],
  ['a code in words', { code: '0' }, /^code of a reply must be a whole number of 32 bits, got 0$/],
  ['a code of 33 bits', { code: 2 ** 31 }, /^code of a reply must be a whole number of 32 bits, got 2147483648$/],
  ['a command below zero', { cmd: -1 }, /^cmd of a reply must be a command number, got -1$/],
  ['a command of 33 bits', { cmd: 2 ** 32 }, /^cmd of a reply must be a command number, got 4294967296$/],
  ['a text that is none', { msg: null }, /^msg of a reply must be text or bytes, got object$/],
  ['data that is a number', { data: 5 }, /^data of a reply must be text or bytes, got number$/],
];

for (const [what, value, says] of wrong) {
  test(`a handler that returns ${what} is answered with code 8, and logged`, async (t) => {
    const { reply, log } = await ask(t, () => value);
    assert.equal(reply.code, 8);
    assert.match(reply.msg, says);
    assert.deepEqual(
      log.map(({ level, msg, command }) => [level, msg, command]),
      [['error', 'reply can not be encoded', 1001]],
    );
  });
}

test('a client that makes a handler fail again and again does not fill the log', async (t) => {
  let now = 1000;
  const { connect, log } = await served(t, { commands: { 1001: broken }, now: () => now });
  const client = await connect();
  client.send(...Array.from({ length: 500 }, (_, i) => request(1001, i + 1)));
  await client.frames(500);
  assert.equal(log.length, 100);
  now += 1000;
  client.send(...Array.from({ length: 500 }, (_, i) => request(1001, i + 1)));
  await client.frames(500);
  assert.equal(log.length, 120);
});
