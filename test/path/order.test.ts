// Replies leave in the order of their requests, whoever is done first; one request of a client at a time unless its module says otherwise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, type Seen } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const ECHO = 1001;
const SLOW = 1003;
const MANY = 1005;
const FEW = 1007;
const NEXT_TURN = 1009;

/** A command that answers at once, one that waits, and two that wait three and two at a time. */
function commandsOf(gates: Gates) {
  return {
    [ECHO]: (data: Buffer) => data,
    [SLOW]: gates.handler,
    [MANY]: { handler: gates.handler, concurrent: 3 },
    [FEW]: { handler: gates.handler, concurrent: 2 },
    [NEXT_TURN]: async (data: Buffer) => {
      await turns(data.length % 3);
      return data;
    },
  };
}

const answers = (frames: Seen[]) => frames.map(({ seq, data }) => `${seq} ${data}`);

test('replies of handlers that answer at once and later leave in the order of the requests', async (t) => {
  const { connect } = await served(t, { commands: commandsOf(new Gates()) });
  const client = await connect();
  const expected: string[] = [];
  for (let seq = 1; seq <= 200; seq++) {
    const data = `${'x'.repeat(seq % 7)}${seq}`;
    client.send(request(seq % 3 === 0 ? NEXT_TURN : ECHO, seq, data));
    expected.push(`${seq} ${data}`);
  }
  assert.deepEqual(answers(await client.frames(200)), expected);
});

test('requests of one client are handled one at a time', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: commandsOf(gates) });
  const client = await connect();
  client.send(request(SLOW, 1, 'a'), request(SLOW, 2, 'b'), request(ECHO, 3, 'c'));
  await soon(() => gates.begun.length > 0, 'the first request');
  await turns();
  assert.deepEqual([gates.begun, client.seen.length], [['a'], 0]);
  gates.open('a');
  assert.deepEqual(answers(await client.frames(1)), ['1 a']);
  await soon(() => gates.begun.length > 1, 'the second request');
  gates.open('b');
  assert.deepEqual(answers(await client.frames(2)), ['2 b', '3 c']);
});

test('a client that waits holds up nobody else', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: commandsOf(gates) });
  const [slow, quick] = [await connect(), await connect()];
  slow.send(request(SLOW, 1, 'a'));
  await soon(() => gates.begun.length > 0, 'the slow request');
  quick.send(request(ECHO, 1, 'b'), request(SLOW, 2, 'c'));
  assert.deepEqual(answers(await quick.frames(1)), ['1 b']);
  await soon(() => gates.begun.length > 1, 'the other slow request');
  gates.open('c');
  assert.deepEqual(answers(await quick.frames(1)), ['2 c']);
  gates.open('a');
  assert.deepEqual(answers(await slow.frames(1)), ['1 a']);
});

test('a command that says concurrent: 3 has three requests of a client at once, and the replies keep their order', async (t) => {
  const gates = new Gates();
  const { connect, stats } = await served(t, { commands: commandsOf(gates) });
  const client = await connect();
  for (const [i, text] of ['a', 'b', 'c', 'd', 'e'].entries()) client.send(request(MANY, i + 1, text));
  await soon(() => gates.begun.length === 3, 'three requests');
  await turns();
  assert.deepEqual([gates.begun, stats.inFlight], [['a', 'b', 'c'], 3]);
  gates.open('c');
  gates.open('b');
  await turns();
  assert.deepEqual([gates.begun, client.seen.length], [['a', 'b', 'c'], 0]);
  gates.open('a');
  assert.deepEqual(answers(await client.frames(3)), ['1 a', '2 b', '3 c']);
  await soon(() => gates.begun.length === 5, 'the others');
  gates.open('e');
  gates.open('d');
  assert.deepEqual(answers(await client.frames(2)), ['4 d', '5 e']);
});

test('a command that is handled alone waits for those before it, and those behind wait for it', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: commandsOf(gates) });
  const client = await connect();
  client.send(request(MANY, 1, 'a'), request(MANY, 2, 'b'), request(SLOW, 3, 'alone'), request(MANY, 4, 'c'));
  await soon(() => gates.begun.length === 2, 'the first two');
  gates.open('b');
  await turns();
  assert.deepEqual(gates.begun, ['a', 'b']);
  gates.open('a');
  await soon(() => gates.begun.length === 3, 'the one that is alone');
  await turns();
  assert.deepEqual(gates.waiting, ['alone']);
  gates.open('alone');
  await soon(() => gates.begun.length === 4, 'the last');
  gates.open('c');
  assert.deepEqual(answers(await client.frames(4)), ['1 a', '2 b', '3 alone', '4 c']);
});

test('among commands with different numbers the smaller one counts', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: commandsOf(gates) });
  const client = await connect();
  client.send(request(FEW, 1, 'a'), request(MANY, 2, 'b'), request(MANY, 3, 'c'));
  await soon(() => gates.begun.length === 2, 'two requests');
  await turns();
  assert.deepEqual(gates.begun, ['a', 'b']);
  gates.open('a');
  await soon(() => gates.begun.length === 3, 'the third');
  for (const text of ['b', 'c']) gates.open(text);
  assert.deepEqual(answers(await client.frames(3)), ['1 a', '2 b', '3 c']);
});

test('an answer that is known at once waits behind one that is not', async (t) => {
  const gates = new Gates();
  const commands = { ...commandsOf(gates), [ECHO]: { handler: (data: Buffer) => data, concurrent: 3 } };
  const { connect } = await served(t, { commands });
  const client = await connect();
  client.send(request(MANY, 1, 'a'), request(ECHO, 2, 'b'), request(ECHO, 3, 'c'));
  await soon(() => gates.begun.length === 1, 'the first request');
  await turns();
  assert.equal(client.seen.length, 0);
  gates.open('a');
  assert.deepEqual(answers(await client.frames(3)), ['1 a', '2 b', '3 c']);
});

test('a handler that fails later keeps its place as well', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: commandsOf(gates) });
  const client = await connect();
  client.send(request(MANY, 1, 'a'), request(MANY, 2, 'b'), request(ECHO, 3, 'c'));
  await soon(() => gates.begun.length === 2, 'both requests');
  gates.fail('b', new Error('no'));
  gates.open('a');
  const frames = await client.frames(3);
  assert.deepEqual(
    frames.map(({ seq, code }) => [seq, code]),
    [
      [1, 0],
      [2, 1],
      [3, 0],
    ],
  );
});

test('whatever can be awaited is awaited, also when it answers before it returns', async (t) => {
  const thenable = (answer: string) => ({ then: (resolve: (value: string) => void) => resolve(answer) });
  const failing = () => ({
    then: () => {
      throw new Error('a then that throws');
    },
  });
  const { connect, log } = await served(t, { commands: { 1001: () => thenable('now'), 1003: failing } });
  const client = await connect();
  client.send(request(1001, 1), request(1001, 2), request(1003, 3), request(1001, 4));
  const frames = await client.frames(4);
  assert.deepEqual(
    frames.map(({ seq, code, data }) => `${seq} ${code} ${data}`),
    ['1 0 now', '2 0 now', '3 1 ', '4 0 now'],
  );
  assert.equal(log.filter(({ msg }) => msg === 'handler failed').length, 1);
});
