// What a request must not cost: no promise for a value, one write for a burst, and the reply in the turn that read the request.

import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { test } from 'node:test';
import { request, requests } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served, writesOf, type Served } from '../support/served.ts';
import { soon } from '../support/turns.ts';
import { lineCodec } from '../support/tiny-codec.ts';

/** Counts the promises that are made while the data path works on what a socket has read. */
function countPromises({ serve }: Served): { count: number } {
  const made = { count: 0 };
  const hook = createHook({
    init: (_, type) => {
      if (type === 'PROMISE') made.count++;
    },
  });
  const data = serve.data.bind(serve);
  serve.data = (...received) => {
    hook.enable();
    data(...received);
    hook.disable();
  };
  return made;
}

test('a handler that returns a value costs no promise, one that promises does', async (t) => {
  const node = await served(t, { commands: { 1001: () => 'good job!', 1003: async () => 'good job!' } });
  const made = countPromises(node);
  const client = await node.connect();
  client.send(requests(100, 1001, 'x'));
  await client.frames(100);
  assert.equal(made.count, 0);
  client.send(requests(1, 1003, 'x'));
  await client.frames(1);
  assert.ok(made.count > 0, 'promises are not seen at all');
});

test('faults, parsed requests and middlewares cost no promise either', async (t) => {
  const use = [(_: unknown, next: () => unknown) => next()];
  const fail = () => {
    throw new Error('no');
  };
  const node = await served(t, { modules: [{ name: 'one', use, commands: { 1001: () => ({ code: 7, msg: 'seven' }), 1003: fail } }] });
  const made = countPromises(node);
  const client = await node.connect();
  client.send(requests(10, 1001), requests(10, 1003));
  await client.frames(20);
  assert.equal(made.count, 0);
});

test('a reply is written before anything else happens', async (t) => {
  const order: string[] = [];
  const handler = () => {
    order.push('handler');
    process.nextTick(() => order.push('tick'));
    void Promise.resolve().then(() => order.push('promise'));
    return 'x';
  };
  const { pair } = await served(t, { commands: { 1001: handler } });
  const { client, connection } = await pair();
  const { socket } = connection;
  const write = socket.write.bind(socket);
  socket.write = (bytes: Uint8Array) => {
    order.push('write');
    return write(bytes);
  };
  client.send(request(1001, 1));
  await client.frame();
  assert.deepEqual(order, ['handler', 'write', 'tick', 'promise']);
});

test('the replies to a burst leave in one write', async (t) => {
  const { pair } = await served(t, { commands: { 1001: () => 'good job!' } });
  const { client, connection } = await pair();
  const writes = writesOf(connection);
  client.send(requests(300, 1001, 'x'));
  await client.frames(300);
  assert.deepEqual(writes, [300 * 32]);
});

test('replies that become known in one turn leave in one write, and what is pushed meanwhile in the same', async (t) => {
  const gates = new Gates();
  const { pair, serve } = await served(t, { commands: { 1001: { handler: gates.handler, concurrent: 64 } } });
  const { client, connection } = await pair();
  client.send(...Array.from({ length: 40 }, (_, i) => request(1001, i + 1, String(i))));
  await soon(() => gates.begun.length === 40, 'all requests');
  const writes = writesOf(connection);
  for (const text of gates.waiting) gates.open(text);
  serve.clientOf(connection).push(2000, 'hello');
  await client.frames(41);
  assert.equal(writes.length, 1);
});

test('many pushes of one turn leave in one write', async (t) => {
  const { pair, serve } = await served(t);
  const { client, connection } = await pair();
  const writes = writesOf(connection);
  for (let i = 0; i < 100; i++) serve.clientOf(connection).push(2000, String(i));
  assert.equal(writes.length, 0);
  await client.frames(100);
  assert.equal(writes.length, 1);
});

test('a large burst is written in parts, so that its replies do not pile up in memory', async (t) => {
  const { pair } = await served(t, { commands: { 1001: () => 'x'.repeat(10_000) } });
  const { client, connection } = await pair();
  const writes = writesOf(connection);
  client.send(requests(100, 1001));
  await client.frames(100);
  assert.ok(Math.max(...writes) < 64 * 1024 + 11_000, `the largest write has ${Math.max(...writes)} bytes`);
});

test('a dialect that takes one segment for one message gets a write for each', async (t) => {
  const { serve, connect } = await served(t, {
    commands: { 1001: (data) => data, 1002: async (data) => data },
    codec: lineCodec({ coalesce: false }),
  });
  const client = await connect({ raw: true });
  await soon(() => serve.connections.size === 1, 'the connection');
  const connection = [...serve.connections][0]!;
  const writes = writesOf(connection);
  client.send(Buffer.from('a 1 one\nb 2 two\nc 1 three\n'));
  serve.clientOf(connection).push(1009, 'pushed');
  await client.until(() => client.rest.toString().split('\n').length === 5, 'four lines');
  assert.deepEqual(
    writes,
    client.rest
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => line.length + 1),
  );
});
