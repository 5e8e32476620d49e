// Messages that answer nothing: their place among replies, and what becomes of them when the client is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../src/route/context.ts';
import { request } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

/** Pushes before and behind its answer; an asynchronous one also while it waits. */
const around = (data: Buffer, { client }: Context) => {
  client.push(2001, `before ${data.toString()}`);
  void Promise.resolve().then(() => client.push(2001, `behind ${data.toString()}`));
  return data;
};

test('a push has seq 0 and the command that the module says, and leaves before the reply of its own handler', async (t) => {
  const { connect } = await served(t, { commands: { 1001: around } });
  const client = await connect();
  client.send(request(1001, 5, 'a'));
  const frames = await client.frames(3);
  assert.deepEqual(
    frames.map(({ cmd, seq, code, data }) => [cmd, seq, code, data]),
    [
      [2001, 0, -1, 'before a'],
      [1002, 5, 0, 'a'],
      [2001, 0, -1, 'behind a'],
    ],
  );
});

test('in a burst every push keeps its place between the replies', async (t) => {
  const handler = (data: Buffer, { client }: Context) => {
    client.push(2001, data);
    return data;
  };
  const { connect } = await served(t, { commands: { 1001: handler, 1003: (data) => data } });
  const client = await connect();
  client.send(...Array.from({ length: 50 }, (_, i) => request(i % 3 === 0 ? 1001 : 1003, i + 1, String(i))));
  const frames = await client.frames(67);
  const expected = Array.from({ length: 50 }, (_, i) => (i % 3 === 0 ? [`push ${i}`, `reply ${i}`] : [`reply ${i}`])).flat();
  assert.deepEqual(
    frames.map(({ cmd, data }) => `${cmd === 2001 ? 'push' : 'reply'} ${data}`),
    expected,
  );
});

test('a push does not wait for replies that are not known yet', async (t) => {
  const gates = new Gates();
  const { pair, serve } = await served(t, { commands: { 1001: gates.handler } });
  const { client, connection } = await pair();
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  serve.clientOf(connection).push(2001, 'news');
  assert.equal((await client.frame()).data, 'news');
  gates.open('a');
  assert.equal((await client.frame()).seq, 1);
});

test('a handler may push to any other client', async (t) => {
  const told: string[] = [];
  const modules = [
    {
      name: 'chat',
      commands: {
        1001: (data: Buffer) => {
          for (const connection of node.serve.connections) told.push(String(node.serve.clientOf(connection).push(2001, data)));
        },
      },
    },
  ];
  const node = await served(t, { modules });
  const clients = [await node.connect(), await node.connect(), await node.connect()];
  await node.count(3);
  clients[0]!.send(request(1001, 1, 'hello all'));
  for (const client of clients) {
    const frames = await client.frames(client === clients[0] ? 2 : 1);
    assert.deepEqual(
      frames.filter(({ cmd }) => cmd === 2001).map(({ data }) => data),
      ['hello all'],
    );
  }
  assert.deepEqual(told, ['true', 'true', 'true']);
});

test('a push to a client that has left is false, and is nothing', async (t) => {
  const { pair, serve, count, stats } = await served(t);
  const { client, connection } = await pair();
  const known = serve.clientOf(connection);
  assert.equal(known.push(2001, 'x'), true);
  await client.frame();
  client.reset();
  await count(0);
  assert.deepEqual([known.push(2001, 'x'), known.isConnected], [false, false]);
  await turns();
  assert.equal(stats.framesOut, 1);
});

test('a module sees how much its client has not read yet', async (t) => {
  const { pair, serve } = await served(t);
  const { client, connection } = await pair();
  const known = serve.clientOf(connection);
  client.socket.pause();
  known.push(2001, Buffer.alloc(8 << 20));
  assert.ok(known.outgoing > 8 << 20);
  await turns();
  assert.ok(known.outgoing > 0);
  client.socket.resume();
  await client.frame();
  await soon(() => known.outgoing === 0, 'everything to be sent');
});
