// Modules at work: the shipped ones with every text of the original, fallbacks, and middlewares around handlers.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { shipped } from '../../src/modules/index.ts';
import type { Context } from '../../src/route/context.ts';
import { loadModules } from '../../src/route/load.ts';
import type { Module } from '../../src/route/module.ts';
import { hex, request } from '../support/frames.ts';
import { served } from '../support/served.ts';

async function asker(t: TestContext, modules: readonly Module[]) {
  const { connect } = await served(t, { modules });
  const client = await connect();
  return async (cmd: number, data: string | Buffer = '') => {
    client.send(request(cmd, 7, data));
    const { code, msg, data: answer } = await client.frame();
    return [code, msg, answer];
  };
}

test('module test answers as module_test of the original, text by text', async (t) => {
  const ask = await asker(t, await loadModules(['module_test.so'], '/nowhere', shipped));
  assert.deepEqual(await ask(1001, '1 - hello'), [0, 'ok', 'good job!']);
  assert.deepEqual(await ask(1001), [0, 'ok', 'good job!']);
  assert.deepEqual(await ask(1003, '1 - hello'), [0, 'ok', 'test mysql done!']);
  assert.deepEqual(await ask(1005, '1 - hello'), [0, 'ok', 'test redis done!']);
  assert.deepEqual(await ask(1007, '{"user_id": 5, "user_name":"hello - 5"}'), [0, 'done', 'test session!']);
  assert.deepEqual(await ask(1007, '{"user_id": "u5", "user_name":"hello"}'), [0, 'done', 'test session!']);
  for (const wrong of ['', 'hello', '[]', 'null', '5', '{}', '{"user_id": 5}', '{"user_name": "x"}', '{"user_id": {}, "user_name": "x"}']) {
    assert.deepEqual(await ask(1007, wrong), [1, 'fail', 'invalid json data!'], wrong);
  }
});

test('the frame of 26 bytes that everybody tries first gets its reply of 32', async (t) => {
  const { connect } = await served(t, { modules: await loadModules(['test'], '/nowhere', shipped) });
  const client = await connect({ raw: true });
  client.send(hex('0de9030000 1501000000 1d0b000000 1a0931202d2068656c6c6f'));
  await client.until(() => client.rest.length >= 32, '32 bytes');
  assert.deepEqual(client.rest, hex('0dea030000 1501000000 1d11000000 120412026f6b1a09676f6f64206a6f6221'));
});

test('a session of module test leaves nothing behind', async (t) => {
  const { connect, ledger } = await served(t, { modules: await loadModules(['test'], '/nowhere', shipped) });
  const client = await connect();
  client.send(request(1007, 1, '{"user_id": 5, "user_name":"x"}'));
  await client.frame();
  assert.equal(ledger.timers.held, 0);
});

test('module echo answers 1101 with what it gets', async (t) => {
  const ask = await asker(t, await loadModules(['echo'], '/nowhere', shipped));
  assert.deepEqual(await ask(1101, 'hello'), [0, 'ok', 'hello']);
});

test('a fallback gets every command that nobody claims, with its number', async (t) => {
  const fallback = (data: Buffer, ctx: Context) => `${ctx.cmd} ${data.toString()}`;
  const ask = await asker(t, [
    { name: 'one', commands: { 1001: () => 'mine' } },
    { name: 'rest', fallback },
  ]);
  assert.deepEqual(await ask(1001), [0, 'ok', 'mine']);
  assert.deepEqual(await ask(1003, 'x'), [0, 'ok', '1003 x']);
  assert.deepEqual(await ask(0xfffffffe, 'y'), [0, 'ok', '4294967294 y']);
});

test('middlewares see a request on its way in and its answer on the way out, in order', async (t) => {
  const calls: string[] = [];
  const wrap = (name: string) => async (ctx: Context, next: () => unknown) => {
    calls.push(`${name} in ${ctx.cmd}`);
    const answer = String(await next());
    calls.push(`${name} out ${answer}`);
    return `${name}(${answer})`;
  };
  const ask = await asker(t, [
    { name: 'one', use: [wrap('a'), wrap('b')], commands: { 1001: () => 'x' } },
    { name: 'two', commands: { 1003: () => 'y' } },
  ]);
  assert.deepEqual(await ask(1001), [0, 'ok', 'a(b(x))']);
  assert.deepEqual(calls, ['a in 1001', 'b in 1001', 'b out x', 'a out b(x)']);
  assert.deepEqual(await ask(1003), [0, 'ok', 'y']);
  assert.equal(calls.length, 4);
});

test('a middleware may answer without the handler, and turn errors into answers', async (t) => {
  const calls: string[] = [];
  const guard = (ctx: Context, next: () => unknown) =>
    ctx.session.get('user') === undefined ? { code: 401, msg: 'log in first' } : next();
  const rescue = async (_: Context, next: () => unknown) => {
    try {
      return await next();
    } catch (error) {
      return { code: 500, msg: (error as Error).message };
    }
  };
  const fail = () => {
    calls.push('handler');
    throw new Error('out of order');
  };
  const login = { name: 'login', commands: { 1001: (_: Buffer, ctx: Context) => ctx.session.set('user', 'ann') } };
  const ask = await asker(t, [login, { name: 'shop', use: [rescue, guard], commands: { 1003: fail } }]);
  assert.deepEqual(await ask(1003), [401, 'log in first', '']);
  assert.deepEqual(calls, []);
  await ask(1001);
  assert.deepEqual(await ask(1003), [500, 'out of order', '']);
  assert.deepEqual(calls, ['handler']);
});

test('a middleware that fails fails its request', async (t) => {
  const use = [
    () => {
      throw new Error('no');
    },
  ];
  const ask = await asker(t, [{ name: 'one', use, commands: { 1001: () => 'x' } }]);
  assert.equal((await ask(1001))[0], 1);
});
