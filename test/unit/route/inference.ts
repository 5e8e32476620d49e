// What TypeScript knows inside a handler. Nothing here runs: the compiler is the test, and each @ts-expect-error has to be an error.

import { z } from '../../../src/config/z.ts';
import { defineModule } from '../../../src/route/module.ts';
import { proto } from '../../../src/route/types.ts';

const Order = proto<{ id: number; count: number }>('shop.proto', 'shop.Order');
const Name = z.object({ name: z.string(), age: z.number().optional() });

defineModule({
  name: 'plain',
  commands: {
    // without a type the request is its bytes, and the answer is nothing, text, bytes or parts of a reply
    2001: (data) => data.toString('utf8').length.toString(),
    2003: (data, ctx) => ({ msg: ctx.traceId, data }),
    2005: () => undefined,
    2007: async () => new Uint8Array(3),
    2009: { handler: (data) => data.subarray(1), timeoutMs: 5, concurrent: 2 },
    2011: async (data, ctx) => {
      ctx.session.set('seen', data.length, { ttlMs: 5 });
    },
  },
  fallback: (data, ctx) => `${ctx.cmd} ${data.length}`,
});

defineModule({
  name: 'typed',
  commands: {
    2001: { request: Name, handler: ({ name, age }) => `${name.toUpperCase()} ${age?.toFixed(1)}` },
    2003: { reply: z.object({ id: z.number() }), handler: (data) => ({ id: data.length }) },
    2005: { request: Name, reply: Name, handler: (request) => request },
    2007: { request: Name, reply: Name, handler: async (request) => ({ name: request.name }) },
    2009: { request: Order, handler: (order) => `${order.count * order.id}` },
    2011: { request: Order, reply: Order, handler: (order) => ({ id: order.id, count: 0 }) },
    2013: { request: Order, reply: Name, handler: (order) => ({ name: order.id.toFixed() }) },
    2015: { request: Name, reply: Order, handler: (who) => ({ id: who.name.length, count: who.age ?? 0 }) },
    2017: (data) => data,
  },
});

defineModule({
  name: 'hooks',
  use: [(ctx, next) => (ctx.cmd === 1 ? 'no' : next())],
  start: (host) => host.log.info('started', { worker: host.node.worker }),
  connected: (client) => void client.push(2, 'hello'),
  disconnected: (client, reason) => client.id + reason,
  expired: (_client, key, value) => key + String(value),
});

// @ts-expect-error a module has a name
defineModule({ commands: {} });

// @ts-expect-error there is no such hook
defineModule({ name: 'wrong', conected: () => undefined });

// @ts-expect-error a number is no answer
defineModule({ name: 'wrong', commands: { 2001: () => 5 } });

// @ts-expect-error and neither is a list, promised or not
defineModule({ name: 'wrong', commands: { 2001: async () => [] } });

// @ts-expect-error bytes have no name
defineModule({ name: 'wrong', commands: { 2001: (data) => String(data.name) } });

// @ts-expect-error the schema has no such field
defineModule({ name: 'wrong', commands: { 2001: { request: Name, handler: ({ nme }) => String(nme) } } });

// @ts-expect-error the type has no such field
defineModule({ name: 'wrong', commands: { 2001: { request: Order, handler: (order) => String(order.price) } } });

// @ts-expect-error id is a number
defineModule({ name: 'wrong', commands: { 2001: { reply: z.object({ id: z.number() }), handler: () => ({ id: 'x' }) } } });

// @ts-expect-error count is missing
defineModule({ name: 'wrong', commands: { 2001: { reply: Order, handler: () => ({ id: 1 }) } } });

// @ts-expect-error where there is a reply type, text is no answer
defineModule({ name: 'wrong', commands: { 2001: { request: Name, reply: Name, handler: () => 'text' } } });

// @ts-expect-error a handler is missing
defineModule({ name: 'wrong', commands: { 2001: { timeoutMs: 5 } } });
