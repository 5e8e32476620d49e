// What a client gets for a command that nobody answers, and for bytes that are none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, head, hex, request, requests } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon } from '../support/turns.ts';

const commands = { 1001: () => 'good job!' };

test('an unknown command is answered as the original does, byte by byte, and then the connection is closed', async (t) => {
  const { connect, stats } = await served(t, { commands });
  const client = await connect();
  client.send(request(1009, 7, 'x'));
  await client.end();
  assert.deepEqual(
    client.seen.map(({ cmd, seq, body }) => [cmd, seq, body.toString('hex')]),
    [[1010, 7, '12100804120c696e76616c696420636d6421']],
  );
  await soon(() => stats.closed.unknown_command === 1, 'the connection to be closed');
  assert.deepEqual(stats.command('unknown').snapshot().codes, { 4: 1 });
});

test('the answer arrives also when much more has been sent behind the unknown command', async (t) => {
  for (const behind of [requests(5000, 1001, 'x'), Buffer.alloc(3 << 20, 0xff)]) {
    await t.test(`${behind.length} bytes`, async (t) => {
      const { connect } = await served(t, { commands });
      const client = await connect();
      client.send(request(1001, 1), request(1009, 2), behind);
      await client.end();
      assert.deepEqual(
        client.seen.map(({ seq, code }) => [seq, code]),
        [
          [1, 0],
          [2, 4],
        ],
      );
      assert.equal(client.error, undefined);
    });
  }
});

test('replies before an unknown command come first, those that take their time as well', async (t) => {
  const gates = new Gates();
  const { connect } = await served(t, { commands: { ...commands, 1003: { handler: gates.handler, concurrent: 4 } } });
  const client = await connect();
  client.send(request(1003, 1, 'a'), request(1003, 2, 'b'), request(1009, 3), request(1001, 4));
  await soon(() => gates.begun.length === 2, 'the handlers');
  gates.open('b');
  gates.open('a');
  await client.end();
  assert.deepEqual(
    client.seen.map(({ seq, code }) => [seq, code]),
    [
      [1, 0],
      [2, 0],
      [3, 4],
    ],
  );
});

test('system commands, and all others below 1000, are unknown when a client sends them', async (t) => {
  const module = { name: 'greedy', commands: { 21: () => 'never', 999: () => 'never' }, fallback: () => 'never' };
  const { connect } = await served(t, { modules: [module], system: () => ({ code: 0, msg: 'never', data: '' }) });
  for (const [cmd, body] of [
    [21, '1a0131'],
    [23, ''],
    [31, '1a09686561727462656174'],
    [41, ''],
    [0, ''],
    [101, ''],
    [999, ''],
  ] as const) {
    const client = await connect();
    client.send(frame(cmd, 7, hex(body)));
    await client.end();
    assert.deepEqual(
      client.seen.map(({ cmd, seq, code, msg }) => [cmd, seq, code, msg]),
      [[cmd + 1, 7, 4, 'invalid cmd!']],
    );
  }
});

for (const [what, bytes, reason] of [
  ['what is no head', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'frame'],
  ['zeros', Buffer.alloc(15), 'frame'],
  ['a body that does not parse', frame(1001, 2, hex('1a05 61')), 'frame'],
  ['a body with a field that does not end', frame(1001, 2, hex('1a0131 7209')), 'frame'],
  ['a head that announces 2 GiB', head(1001, 2, 0x7fffffff), 'size'],
] as const) {
  test(`${what} closes the connection behind the replies before it, without a word, and no other connection`, async (t) => {
    const { connect, stats, log } = await served(t, { commands });
    const [client, other] = [await connect(), await connect()];
    client.send(request(1001, 1), bytes, request(1001, 3));
    await client.end();
    assert.deepEqual(
      client.seen.map(({ seq }) => seq),
      [1],
    );
    other.send(request(1001, 9));
    assert.equal((await other.frame()).seq, 9);
    await soon(() => stats.closed[reason] === 1, 'the connection to be closed');
    assert.deepEqual(
      log.map(({ level, msg, client: id }) => [level, msg, id]),
      [['info', 'connection closed', 'c1']],
    );
  });
}

test('a body that does not parse is of no interest where nobody answers the command: it is unknown', async (t) => {
  const { connect } = await served(t, { commands });
  const client = await connect();
  client.send(frame(1009, 2, hex('1a05 61')));
  await client.end();
  assert.equal(client.seen[0]?.code, 4);
});

test('an empty body, and a length below zero, are a request without data', async (t) => {
  const { connect } = await served(t, { commands: { 1001: (data: Buffer) => `${data.length} bytes` } });
  const client = await connect();
  client.send(head(1001, 1, 0), head(1001, 2, -5), request(1001, 3, 'abc'));
  assert.deepEqual(
    (await client.frames(3)).map(({ data }) => data),
    ['0 bytes', '0 bytes', '3 bytes'],
  );
});
