// A dialect with lines, words for ids and numbers of its own goes through the same data path, unchanged.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../src/errors.ts';
import { Gates } from '../support/gates.ts';
import { served, type ServedOptions } from '../support/served.ts';
import { lineCodec } from '../support/tiny-codec.ts';
import { soon, turns } from '../support/turns.ts';

async function open(t: TestContext, options: ServedOptions = {}) {
  const node = await served(t, { codec: lineCodec(), ...options });
  const client = await node.connect({ raw: true });
  await soon(() => node.serve.connections.size === 1, 'the connection');
  const received = () => client.rest.toString().split('\n').slice(0, -1);
  return {
    ...node,
    client,
    received,
    say: (text: string) => client.send(Buffer.from(text)),
    /** The first `n` lines that came. */
    lines: async (n: number) => {
      await client.until(() => received().length >= n || client.ended, `${n} lines`);
      return received();
    },
  };
}

const commands = {
  1001: (data: Buffer) => data,
  1002: async (data: Buffer) => `later ${data.toString()}`,
  1003: () => ({ cmd: 1055, data: 'under another id' }),
  1004: () => 'nobody reads this',
  1005: () => {
    throw new Fault('invalidParams', 'too much');
  },
};

test('requests are answered under their own ids, in order', async (t) => {
  const { say, lines } = await open(t, { commands });
  say('one 1 hello\ntwo 2 world\nthree 1 \n');
  assert.deepEqual(await lines(3), ['one 1 0 hello', 'two 2 0 later world', 'three 1 0 ']);
});

test('lines may come in any pieces', async (t) => {
  const { client, say, lines } = await open(t, { commands });
  for (const byte of 'one 1 héllo\ntwo 1 x\n') {
    say(byte);
    await turns(1);
  }
  assert.deepEqual(await lines(2), ['one 1 0 héllo', 'two 1 0 x']);
  assert.equal(client.ended, false);
});

test('a request without a reply gets none, and the next one is answered', async (t) => {
  const { say, lines, stats } = await open(t, { commands });
  say('a 4 quiet\nb 1 x\n');
  assert.deepEqual(await lines(1), ['b 1 0 x']);
  assert.deepEqual([stats.framesIn, stats.framesOut], [2, 1]);
});

test('a request without a reply whose handler takes its time holds its place, and then nothing is sent', async (t) => {
  const gates = new Gates();
  const { say, lines } = await open(t, { commands: { ...commands, 1004: gates.handler } });
  say('a 4 quiet\nb 1 x\n');
  await soon(() => gates.waiting.length === 1, 'the handler');
  gates.open('quiet');
  assert.deepEqual(await lines(1), ['b 1 0 x']);
});

test('a reply may go under an id of its own', async (t) => {
  const { say, lines } = await open(t, { commands });
  say('a 3 x\n');
  assert.deepEqual(await lines(1), ['a:55 3 0 under another id']);
});

test('faults go out in the words of the dialect', async (t) => {
  const { say, lines } = await open(t, { commands });
  say('a 5 x\n');
  assert.deepEqual(await lines(1), ['a 5 5 too much']);
});

test('a push has no request', async (t) => {
  const { serve, lines } = await open(t, { commands });
  serve.clientOf([...serve.connections][0]!).push(1009, 'news');
  assert.deepEqual(await lines(1), ['* 9 news']);
});

test('an unknown number is ignored where the dialect says so', async (t) => {
  const { say, lines, stats, client } = await open(t, { commands });
  say('a 98 x\nb 500 x\nc 1001 x\nd 1 y\n');
  assert.deepEqual(await lines(1), ['d 1 0 y']);
  assert.deepEqual(stats.command('unknown').snapshot().codes, { 4: 3 });
  assert.equal(client.ended, false);
});

test('an unknown number is answered, and the connection stays, where the dialect says so', async (t) => {
  const { say, lines, client } = await open(t, { commands, codec: lineCodec({ unknown: 'reply' }) });
  say('a 98 x\nb 500 x\nd 1 y\n');
  assert.deepEqual(await lines(3), ['a 98 4 invalid cmd!', 'b 500 4 invalid cmd!', 'd 1 0 y']);
  assert.equal(client.ended, false);
});

test('an unknown number is answered and the connection closed, where the dialect says so', async (t) => {
  const { say, lines, client } = await open(t, { commands, codec: lineCodec({ unknown: 'reply and close' }) });
  say('a 98 x\nd 1 y\n');
  await client.end();
  assert.deepEqual(await lines(1), ['a 98 4 invalid cmd!']);
});

test('bytes that are no line close this connection, and no other', async (t) => {
  const { connect, say, client, stats } = await open(t, { commands });
  const other = await connect({ raw: true });
  say('no line at all\n');
  await client.end();
  assert.equal(client.rest.length, 0);
  other.send(Buffer.from('a 1 x\n'));
  await other.until(() => other.rest.length > 0, 'the reply');
  assert.equal(other.rest.toString(), 'a 1 0 x\n');
  await soon(() => stats.closed.frame === 1, 'the connection to be closed');
});

test('a line that never ends is judged by max_frame', async (t) => {
  const { say, client, stats } = await open(t, { commands, limits: { maxFrame: 1000 } });
  say('a 1 ' + 'x'.repeat(2000));
  await client.end();
  await soon(() => stats.closed.size === 1, 'the connection to be closed');
  assert.equal(stats.limits['max_frame'], 1);
});
