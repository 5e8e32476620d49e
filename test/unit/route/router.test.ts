// Who answers a command, and what is said when the modules of a node do not fit together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stats } from '../../../src/ops/stats.ts';
import type { Context } from '../../../src/route/context.ts';
import type { Module } from '../../../src/route/module.ts';
import { Router } from '../../../src/route/router.ts';

const none = Buffer.alloc(0);
const ctx = { cmd: 1 } as Context;
const module = (name: string, rest: Partial<Module> = {}): Module => ({ name, ...rest });
const router = (...modules: Module[]) => new Router(modules, new Stats());
const refusal = (modules: Module[], stores: string[] = []): string => {
  try {
    new Router(modules, new Stats(), stores);
  } catch (error) {
    return (error as Error).message;
  }
  assert.fail('the modules were not refused');
};

test('each command has the module that claims it', () => {
  const found = router(module('one', { commands: { 2003: () => 'b', 1001: () => 'a' } }), module('two', { commands: { 1500: () => 'c' } }));
  assert.deepEqual(found.list(), [
    { cmd: 1001, module: 'one' },
    { cmd: 1500, module: 'two' },
    { cmd: 2003, module: 'one' },
  ]);
  assert.equal(found.find(1500)?.call(none, ctx), 'c');
  assert.equal(found.find(1500)?.module, 'two');
  assert.equal(found.find(9), undefined);
});

test('the fallback gets what nobody claims, and nothing else', () => {
  const found = router(module('one', { commands: { 1001: () => 'a' } }), module('rest', { fallback: () => 'z' }));
  assert.deepEqual([found.find(1001)?.call(none, ctx), found.find(7)?.call(none, ctx)], ['a', 'z']);
  assert.deepEqual(found.list(), [{ cmd: 1001, module: 'one' }]);
});

test('a route has the options of its command, and counts under its number', () => {
  const stats = new Stats();
  const found = new Router(
    [module('one', { commands: { 1001: { handler: () => 'a', timeoutMs: 7, concurrent: 3 }, 1003: () => 'b' } })],
    stats,
  );
  const route = found.find(1001)!;
  assert.deepEqual([route.timeoutMs, route.concurrent, route.encode], [7, 3, undefined]);
  assert.deepEqual([found.find(1003)?.timeoutMs, found.find(1003)?.concurrent], [undefined, 1]);
  assert.equal(route.stats, stats.command('1001'));
});

test('middlewares wrap every handler of their module, the first one outermost', () => {
  const calls: string[] = [];
  const use = ['outer', 'inner'].map((name) => (_: Context, next: () => unknown) => {
    calls.push(`${name} before`);
    const result = next();
    calls.push(`${name} behind`);
    return `${name}(${String(result)})`;
  });
  const found = router(
    module('wrapped', { use, commands: { 1001: () => 'a' }, fallback: () => 'z' }),
    module('bare', { commands: { 1003: () => 'b' } }),
  );
  assert.equal(found.find(1001)?.call(none, ctx), 'outer(inner(a))');
  assert.equal(found.find(7)?.call(none, ctx), 'outer(inner(z))');
  assert.equal(found.find(1003)?.call(none, ctx), 'b');
  assert.deepEqual(calls.slice(0, 4), ['outer before', 'inner before', 'inner behind', 'outer behind']);
});

test('two modules that claim a command are both named', () => {
  const commands = { 1001: () => 'a' };
  assert.equal(
    refusal([module('one', { commands }), module('two', { commands })]),
    'command 1001 is claimed by the modules "one" and "two"',
  );
});

test('two modules with the same name are named, and so is one that is listed twice', () => {
  assert.equal(refusal([module('one'), module('one')]), 'two modules are called "one"');
  const twice = module('one', { commands: { 1001: () => 'a' }, fallback: () => 'z' });
  assert.equal(refusal([twice, twice]), 'two modules are called "one"');
});

test('two fallbacks are one too many', () => {
  const fallback = () => 'z';
  assert.equal(refusal([module('one', { fallback }), module('two', { fallback })]), 'the modules "one" and "two" both have a fallback');
});

test('a store that is not configured is named with the module that needs it', () => {
  const needy = module('needy', { stores: ['redis.main', 'mysql.main'] });
  assert.equal(refusal([needy], ['mysql.main']), 'module "needy" needs the store "redis.main", which is not configured');
  assert.doesNotThrow(() => new Router([needy], new Stats(), ['mysql.main', 'redis.main']));
});

test('what is no command number is named', () => {
  for (const cmd of ['x', '-1', '1.5', '4294967295', '1e99']) {
    assert.equal(refusal([module('one', { commands: { [cmd]: () => 'a' } })]), `module "one": ${cmd} is not a command number`);
  }
  assert.doesNotThrow(() => router(module('one', { commands: { 0: () => 'a', 4294967294: () => 'b' } })));
});

test('everything that is wrong is said at once', () => {
  const commands = { 1001: () => 'a', x: () => 'b' };
  assert.equal(
    refusal([module('one', { commands: { 1001: () => 'a' } }), module('two', { commands, stores: ['s'] })]),
    'module "two" needs the store "s", which is not configured; command 1001 is claimed by the modules "one" and "two"; module "two": x is not a command number',
  );
});
