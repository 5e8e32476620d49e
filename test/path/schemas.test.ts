// Commands that declare the types of their requests and replies, from the bytes of a client to the bytes that it gets back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '../../src/config/z.ts';
import { defineModule } from '../../src/route/module.ts';
import { proto } from '../../src/route/types.ts';
import { hex, request, type Seen } from '../support/frames.ts';
import { served } from '../support/served.ts';

interface Order {
  id: number;
  count: number;
}
const Order = proto<Order>(new URL('../support/shop.proto', import.meta.url), 'shop.Order');
const Person = z.object({ name: z.string(), age: z.number().int().min(0).optional() });

const shop = defineModule({
  name: 'shop',
  commands: {
    2001: { request: Person, handler: ({ name, age }) => `${name} is ${age ?? 'of any age'}` },
    2003: { request: Person, reply: Person, handler: async ({ name }) => ({ name: name.toUpperCase() }) },
    2005: { request: Order, reply: Order, handler: ({ id, count }) => ({ id: id + 1, count }) },
    2007: { request: Order, handler: ({ id }) => String(id) },
    2009: { reply: Person, handler: () => ({ name: 'x', age: -1 }) },
    2011: { reply: Order, handler: async () => ({ id: 1.5, count: 1 }) },
    2013: { reply: z.object({ big: z.bigint() }), handler: () => ({ big: 1n }) },
  },
});

async function asker(t: import('node:test').TestContext) {
  const { connect, log } = await served(t, { modules: [shop] });
  const client = await connect();
  const ask = async (cmd: number, data: string | Buffer): Promise<Seen> => {
    client.send(request(cmd, 7, data));
    return client.frame();
  };
  return { ask, log };
}

test('a request that fits reaches its handler as a value', async (t) => {
  const { ask } = await asker(t);
  assert.equal((await ask(2001, '{"name":"ann","age":3}')).data, 'ann is 3');
  assert.equal((await ask(2001, '{"name":"ann"}')).data, 'ann is of any age');
  assert.equal((await ask(2003, '{"name":"ann"}')).data, '{"name":"ANN"}');
  assert.deepEqual(Buffer.from((await ask(2005, hex('0805 1002'))).data), hex('0806 1002'));
  assert.equal((await ask(2007, '')).data, '0');
});

test('a request that does not fit is answered with code 2 and the field, and the connection stays', async (t) => {
  const { ask, log } = await asker(t);
  for (const [cmd, data, says] of [
    [2001, '{"name":5}', /^name: /],
    [2001, '{"name":"ann","age":-1}', /^age: /],
    [2001, '{"age":1}', /^name: /],
    [2003, 'no JSON', /^data is not JSON$/],
    [2005, hex('08'), /^request is no shop\.Order: /],
    [2007, hex('1a05'), /^request is no shop\.Order: /],
  ] as const) {
    const { code, msg, data: answer } = await ask(cmd, data);
    assert.equal(code, 2);
    assert.match(msg, says);
    assert.equal(answer, '');
  }
  assert.deepEqual(log, []);
});

test('a reply that does not fit is answered with code 8 and the field, and logged', async (t) => {
  const { ask, log } = await asker(t);
  for (const [cmd, says] of [
    [2009, /^age: /],
    [2011, /^reply is no shop\.Order: id: integer expected/],
    [2013, /^reply has no JSON: /],
  ] as const) {
    const { code, msg } = await ask(cmd, '');
    assert.equal(code, 8);
    assert.match(msg, says);
    const { level, msg: logged, command } = log.at(-1)!;
    assert.deepEqual([level, logged, command], ['error', 'reply can not be encoded', cmd]);
  }
});
