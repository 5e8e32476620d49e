// How connections end: whoever closes first, every reply that was due arrives, and nothing is left behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../src/route/context.ts';
import { head, request, requests } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

test('a client that closes its sending side gets the replies to what it sent', async (t) => {
  const { connect, stats } = await served(t, { commands: { 1001: () => 'good job!' } });
  const client = await connect();
  client.send(requests(500, 1001, 'x')).halfClose();
  await client.end();
  assert.equal(client.seen.length, 500);
  await soon(() => stats.closed.peer === 1, 'the connection to be closed');
});

test('a client that closes its sending side gets replies that take their time, too', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: { 1001: gates.handler, 1003: () => 'x' } });
  const client = await connect();
  client.send(request(1001, 1, 'a'), request(1003, 2), request(1001, 3, 'b')).halfClose();
  await soon(() => gates.waiting.length === 1, 'the first handler');
  await turns();
  gates.open('a');
  await soon(() => gates.waiting.length === 1, 'the second handler');
  assert.equal(client.ended, false);
  gates.open('b');
  await client.end();
  assert.deepEqual(
    client.seen.map(({ seq }) => seq),
    [1, 2, 3],
  );
});

test('a client that closes in the middle of a frame is closed, and gets the replies to the whole ones', async (t) => {
  const { connect, stats } = await served(t, { commands: { 1001: () => 'x' } });
  const client = await connect();
  client.send(request(1001, 1), head(1001, 2, 100), Buffer.alloc(50)).halfClose();
  await client.end();
  assert.equal(client.seen.length, 1);
  await soon(() => stats.closed.peer === 1, 'the connection to be closed');
});

test('a client that half-closes and reads slowly gets everything, and then the end', async (t) => {
  const { pair, stats } = await served(t, { commands: { 1001: () => 'x'.repeat(9000) }, limits: { outgoingLimit: 1 << 30 } });
  const { client, connection } = await pair();
  client.socket.pause();
  let sent = 0;
  // small writes, each below the high-water mark of the stream, until the kernel takes no more
  while (connection.socket.writableLength === 0) {
    const before = stats.framesOut;
    client.send(request(1001, ++sent));
    await soon(() => stats.framesOut > before, 'the reply');
  }
  client.halfClose();
  await soon(() => connection.peerEnded, 'the end of the peer');
  client.socket.resume();
  await client.end();
  assert.equal(client.seen.length, sent);
});

test('a client that is gone while its request is handled costs nothing but the handler', async (t) => {
  const gates = new Gates();
  const { connect, count, log } = await served(t, { commands: { 1001: { handler: gates.handler, concurrent: 9 } } });
  const client = await connect();
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'));
  await soon(() => gates.begun.length === 2, 'the handlers');
  client.reset();
  await count(0);
  gates.open('a');
  gates.fail('b', new Error('late'));
  await turns();
  assert.equal(log.filter(({ level }) => level === 'error').length, 1, 'the error of a handler is for the log in any case');
});

test('a reset in the middle of replies is counted, and hurts nobody', async (t) => {
  const { connect, stats, count } = await served(t, { commands: { 1001: () => 'x'.repeat(50_000) } });
  const [rude, polite] = [await connect(), await connect()];
  rude.socket.pause();
  rude.send(requests(200, 1001));
  await soon(() => stats.paused === 1, 'replies to pile up');
  rude.reset();
  polite.send(requests(20, 1001));
  await polite.frames(20);
  await count(1);
  assert.deepEqual(stats.closed, { reset: 1 });
});

test('a module that closes its client still answers it, and takes nothing more', async (t) => {
  const close = (data: Buffer, ctx: Context) => {
    ctx.client.close();
    return data;
  };
  const { connect, stats } = await served(t, { commands: { 1001: close, 1003: () => 'x' } });
  const client = await connect();
  client.send(request(1003, 1), request(1001, 2, 'bye'), request(1003, 3));
  await client.end();
  assert.deepEqual(
    client.seen.map(({ seq, data }) => `${seq} ${data}`),
    ['1 x', '2 bye'],
  );
  await soon(() => stats.closed.module === 1, 'the connection to be closed');
});

test('a module that closes its client while others are in flight answers them first', async (t) => {
  const gates = new Gates();
  const slow = { handler: gates.handler, concurrent: 4 };
  const close = { handler: (_: Buffer, ctx: Context) => ctx.client.close(), concurrent: 4 };
  const { connect } = await served(t, { commands: { 1001: slow, 1003: close } });
  const client = await connect();
  client.send(request(1001, 1, 'a'), request(1001, 2, 'b'), request(1003, 3), request(1001, 4, 'c'));
  await soon(() => gates.begun.length === 2, 'the handlers');
  await turns();
  gates.open('b');
  gates.open('a');
  await client.end();
  assert.deepEqual(
    [client.seen.map(({ seq }) => seq), gates.begun],
    [
      [1, 2, 3],
      ['a', 'b'],
    ],
  );
});

test('a client may be closed out of nowhere, after what was pushed to it', async (t) => {
  const { pair, serve, stats } = await served(t);
  const { client, connection } = await pair();
  const { push, close } = { push: () => serve.clientOf(connection).push(2001, 'bye'), close: () => serve.clientOf(connection).close() };
  push();
  close();
  close();
  await client.end();
  assert.deepEqual(
    client.seen.map(({ cmd, seq, data }) => [cmd, seq, data]),
    [[2001, 0, 'bye']],
  );
  await soon(() => stats.closed.module === 1, 'the connection to be closed');
  assert.deepEqual([push(), serve.clientOf(connection).isConnected], [false, false]);
});

test('a connection that was accepted paused is read', async (t) => {
  const { connect } = await served(t, { commands: { 1001: () => 'x' }, pauseOnConnect: true });
  const client = await connect();
  client.send(request(1001, 1));
  assert.equal((await client.frame()).seq, 1);
});

test('a client that never closes its side is let go of', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { serve, connect, count, stats } = await served(t);
  const client = await connect({ stays: true });
  await count(1);
  serve.end([...serve.connections][0]!, 'idle');
  await client.end();
  await turns();
  assert.equal(serve.connections.size, 1);
  t.mock.timers.tick(5000);
  await count(0);
  assert.deepEqual(stats.closed, { idle: 1 });
});

test('a connection whose address is unknown has left already', async (t) => {
  const { serve, connect, stats } = await served(t, {
    arrive: (serve, socket, codec) => {
      Object.defineProperty(socket, 'remoteAddress', { value: undefined });
      serve.accept(socket, codec);
    },
  });
  const client = await connect();
  await client.end();
  assert.deepEqual([serve.connections.size, stats.accepted, stats.refused], [0, 0, { reset: 1 }]);
});
