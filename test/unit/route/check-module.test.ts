// What a module file has to export, and what is said when it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '../../../src/config/z.ts';
import { defineModule } from '../../../src/route/module.ts';
import { checkModule } from '../../../src/route/router.ts';
import { proto } from '../../../src/route/types.ts';

const WHERE = '/srv/chat.ts';
const handler = () => 'x';

const refused: [what: string, value: unknown, says: string][] = [
  ['nothing', undefined, 'its default export is not what defineModule returns'],
  ['null', null, 'its default export is not what defineModule returns'],
  ['a function', () => ({}), 'its default export is not what defineModule returns'],
  ['a module without a name', {}, '"name" must be a short lower-case word, got undefined'],
  ['a name with a space', { name: 'My chat' }, '"name" must be a short lower-case word, got "My chat"'],
  ['a name that is too long', { name: 'x'.repeat(64) }, `"name" must be a short lower-case word, got "${'x'.repeat(64)}"`],
  [
    'a misspelled key',
    { name: 'chat', comands: {} },
    'unknown key "comands"; there is: name, start, stop, use, commands, connected, disconnected, drain, export, import, expired, fallback, stores',
  ],
  ['a start that is no function', { name: 'chat', start: 5 }, '"start" must be a function'],
  ['a fallback that is no function', { name: 'chat', fallback: { handler } }, '"fallback" must be a function'],
  ['a single middleware', { name: 'chat', use: handler }, '"use" must be a list of functions'],
  ['a list of other things', { name: 'chat', use: [handler, 5] }, '"use" must be a list of functions'],
  ['stores that are no list', { name: 'chat', stores: 'redis' }, '"stores" must be a list of names'],
  ['stores that have no names', { name: 'chat', stores: [5] }, '"stores" must be a list of names'],
  ['commands that are a list', { name: 'chat', commands: [handler] }, '"commands" must be an object of handlers by command number'],
  ['commands that are a number', { name: 'chat', commands: 5 }, '"commands" must be an object of handlers by command number'],
  [
    'commands that are a map',
    { name: 'chat', commands: new Map([[1001, handler]]) },
    '"commands" must be an object of handlers by command number',
  ],
  ['a command that is text', { name: 'chat', commands: { 1001: 'x' } }, 'command 1001 must be a handler or { handler, ... }'],
  ['a command that is null', { name: 'chat', commands: { 1001: null } }, 'command 1001 must be a handler or { handler, ... }'],
  ['a command without a handler', { name: 'chat', commands: { 1001: {} } }, 'command 1001 has no handler'],
  [
    'a misspelled option',
    { name: 'chat', commands: { 1001: { handler, timeout: 5 } } },
    'command 1001 has the unknown key "timeout"; there is: handler, timeoutMs, concurrent, request, reply',
  ],
  [
    'a deadline of 0',
    { name: 'chat', commands: { 1001: { handler, timeoutMs: 0 } } },
    'command 1001: "timeoutMs" must be a whole number from 1 to 2147483647, got 0',
  ],
  [
    'half a deadline',
    { name: 'chat', commands: { 1001: { handler, timeoutMs: 0.5 } } },
    'command 1001: "timeoutMs" must be a whole number from 1 to 2147483647, got 0.5',
  ],
  [
    'a deadline in words',
    { name: 'chat', commands: { 1001: { handler, timeoutMs: '5s' } } },
    'command 1001: "timeoutMs" must be a whole number from 1 to 2147483647, got "5s"',
  ],
  [
    'a deadline past what a timer can count',
    { name: 'chat', commands: { 1001: { handler, timeoutMs: 2 ** 31 } } },
    'command 1001: "timeoutMs" must be a whole number from 1 to 2147483647, got 2147483648',
  ],
  [
    'concurrent 0',
    { name: 'chat', commands: { 1001: { handler, concurrent: 0 } } },
    'command 1001: "concurrent" must be a whole number from 1 to 2147483647, got 0',
  ],
  [
    'a request type that is text',
    { name: 'chat', commands: { 1001: { handler, request: 'Order' } } },
    'command 1001: "request" must be a schema or what proto() returns',
  ],
  [
    'a reply type that is null',
    { name: 'chat', commands: { 1001: { handler, reply: null } } },
    'command 1001: "reply" must be a schema or what proto() returns',
  ],
  [
    'a reply type that is a class',
    { name: 'chat', commands: { 1001: { handler, reply: class {} } } },
    'command 1001: "reply" must be a schema or what proto() returns',
  ],
];

for (const [what, value, says] of refused) {
  test(`${what} is refused with the file and the reason`, () => {
    assert.throws(
      () => checkModule(value, WHERE),
      (error: unknown) => {
        assert.equal((error as Error).message, `${WHERE} is not a module: ${says}; see docs/modules.md`);
        return true;
      },
    );
  });
}

test('a module may have everything that a module may have', () => {
  const Order = proto(new URL('../../support/shop.proto', import.meta.url), 'Order');
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
  const full = defineModule({
    name: 'chat-2_x',
    start: handler,
    stop: handler,
    use: [(_, next) => next()],
    commands: {
      1001: handler,
      1003: { handler, timeoutMs: 2147483647, concurrent: 64, request: z.any() },
      1005: { handler: () => ({}), request: Order, reply: Order },
      1007: { handler, request: Object.assign(() => undefined, schema) },
    },
    connected: handler,
    disconnected: handler,
    expired: handler,
    fallback: handler,
    stores: ['redis.main'],
  });
  assert.equal(checkModule(full, WHERE), full);
  assert.doesNotThrow(() => checkModule({ name: 'a' }, WHERE));
});
