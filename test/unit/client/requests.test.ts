// Requests and their answers, pushes, and the limits of a client.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerError, ClientError, type Answer } from '../../../src/client/index.ts';
import { faults } from '../../../src/errors.ts';
import { PendingRequests, type Pending } from '../../../src/client/pending.ts';
import { fakeClient, pushBytes, replyBytes, turns } from './support.ts';

const failsWith = (code: ClientError['code'], text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ClientError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

test('gives each answer to its request, in whatever order they come', async (t) => {
  const { client, transport } = fakeClient(t);
  const answers = ['a', 'b', 'c'].map((data) => client.request(2001, data));
  await turns();
  const requests = transport.last.requests();
  assert.deepEqual(
    requests.map(({ cmd, seq, data }) => [cmd, seq, data]),
    [
      [2001, 1, 'a'],
      [2001, 2, 'b'],
      [2001, 3, 'c'],
    ],
  );
  for (const request of requests.toReversed()) transport.last.reply(request, { data: `for ${request.data}` });
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map((answer) => [answer.cmd, answer.seq, answer.text()]),
    [
      [2002, 1, 'for a'],
      [2002, 2, 'for b'],
      [2002, 3, 'for c'],
    ],
  );
  assert.equal(client.inFlight, 0);
});

test('answers that come byte by byte are whole answers', async (t) => {
  const { client, transport } = fakeClient(t);
  const answer = client.request(1001);
  await turns();
  for (const byte of replyBytes(transport.last.requests()[0]!, { data: 'good job!' })) transport.last.events.data(Buffer.of(byte));
  assert.equal((await answer).text(), 'good job!');
});

test('requests of one turn leave in one write', async (t) => {
  const { client, transport } = fakeClient(t);
  await client.connect();
  for (let i = 0; i < 100; i++) client.request(1001).catch(() => undefined);
  await turns();
  assert.equal(transport.last.writes.length, 1);
  assert.equal(transport.last.requests().length, 100);
});

test('a code other than 0 is an answer, and orThrow makes an error of it', async (t) => {
  const { client, transport } = fakeClient(t);
  const [known, own] = [client.request(2001), client.request(2001)];
  await turns();
  const [first, second] = transport.last.requests();
  transport.last.reply(first!, { code: 18, msg: '' });
  transport.last.reply(second!, { code: -7, msg: 'no such room' });
  const answer = await known;
  assert.equal(answer.ok, false);
  assert.throws(
    () => answer.orThrow(),
    (error: unknown) =>
      error instanceof AnswerError && error.code === 18 && error.fault === 'timeout' && error.message.includes(faults.timeout.cure),
  );
  const error = await own.then((a) => a.orThrow()).catch((e: unknown) => e);
  assert.ok(error instanceof AnswerError);
  assert.deepEqual([error.code, error.fault, error.message], [-7, undefined, 'command 2002 carries code -7: no such room']);
});

test('an answer shows data as bytes, text and JSON', async (t) => {
  const { client, transport } = fakeClient(t);
  const answers = [client.request(2001), client.request(2001)];
  await turns();
  const [first, second] = transport.last.requests();
  transport.last.reply(first!, { data: '{"id":7}' });
  transport.last.reply(second!, { data: 'not json' });
  const [good, bad] = (await Promise.all(answers)) as [Answer, Answer];
  assert.deepEqual([good.orThrow(), good.data, good.json<{ id: number }>().id], [good, Buffer.from('{"id":7}'), 7]);
  assert.throws(() => bad.json(), /the data of command 2002 is not JSON: "not json"/);
});

test('a trace id goes along', async (t) => {
  const { client, transport } = fakeClient(t);
  client.request(2001, Buffer.from('x'), { traceId: 'abc' }).catch(() => undefined);
  await turns();
  assert.deepEqual(transport.last.requests(), [{ cmd: 2001, seq: 1, data: 'x', traceId: 'abc' }]);
});

test('messages that answer nothing go to the handlers of their command, until they are taken off', async (t) => {
  const { client, transport } = fakeClient(t);
  const seen: string[] = [];
  const offs = ['first', 'second'].map((name) => client.on(3001, (push) => seen.push(`${name} ${push.text()}`)));
  client.on(3002, (late) => seen.push(`late ${late.seq}`));
  await client.connect();
  const { events } = transport.last;
  events.data(Buffer.concat([pushBytes(3001, 'a'), pushBytes(9999, 'for nobody'), replyBytes({ cmd: 3001, seq: 77 })]));
  offs[0]!();
  events.data(pushBytes(3001, 'b'));
  offs[1]!();
  events.data(pushBytes(3001, 'c'));
  assert.deepEqual(seen, ['first a', 'second a', 'late 77', 'second b']);
});

test('a request without an answer fails after its time, and a late answer hurts nobody', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { requestTimeoutMs: 500 });
  const own = client.request(2001, '', { timeoutMs: 100 });
  const usual = client.request(2003);
  await turns();
  const [late] = transport.last.requests();
  t.mock.timers.tick(100);
  await assert.rejects(own, failsWith('timeout', /^no answer for command 2001 from server:3355 within 100 ms$/));
  assert.equal(client.inFlight, 1);
  transport.last.reply(late!);
  t.mock.timers.tick(400);
  await assert.rejects(usual, failsWith('timeout', /within 500 ms/));
  assert.equal(client.inFlight, 0);
});

test('above maxInFlight a request is refused at once, and one answer makes room again', async (t) => {
  const { client, transport } = fakeClient(t, { maxInFlight: 2 });
  const first = client.request(2001);
  client.request(2001).catch(() => undefined);
  await assert.rejects(client.request(2001), failsWith('overload', /2 requests have no answer yet; .* raise maxInFlight/));
  await turns();
  transport.last.reply(transport.last.requests()[0]!);
  await first;
  const third = client.request(2001);
  await turns();
  transport.last.reply(transport.last.requests()[0]!);
  assert.equal((await third).ok, true);
});

test('a server that takes nothing makes requests fail instead of memory grow', async (t) => {
  const { client, transport } = fakeClient(t, { maxUnsent: 1000 });
  client.request(2001, 'x'.repeat(1001)).catch(() => undefined);
  await assert.rejects(client.request(2001), failsWith('overload', /the server did not take 10\d\d bytes yet/));
  await turns();
  transport.last.unsent = 1001;
  await assert.rejects(client.request(2001), failsWith('overload', /1001 bytes/));
  transport.last.unsent = 0;
  client.request(2001).catch(() => undefined);
  assert.equal(client.inFlight, 2);
});

test('what can not be sent is refused with the reason', async (t) => {
  const { client, transport } = fakeClient(t, { maxFrame: 100 });
  await assert.rejects(client.request(-1), failsWith('invalid', /-1 is no command number/));
  await assert.rejects(client.request(1.5), failsWith('invalid', /1.5 is no command number/));
  await assert.rejects(client.request(1001, 'x'.repeat(101)), failsWith('invalid', /101 bytes of data, more than maxFrame \(100\)/));
  await assert.rejects(client.request(1001, '', { timeoutMs: 0 }), failsWith('invalid', /timeoutMs must be from 1/));
  await assert.rejects(client.request(1001, 7 as unknown as string), failsWith('invalid', /data must be text or bytes/));
  assert.equal(transport.links.length, 0);
});

test('what a handler throws reaches the process and does not stop the messages behind it', async (t) => {
  const { client, transport } = fakeClient(t);
  const seen: string[] = [];
  const later = t.mock.method(globalThis, 'queueMicrotask', () => undefined);
  client.on(3001, () => {
    throw new Error('a defect of the application');
  });
  client.on(3003, (push) => seen.push(push.text()));
  await client.connect();
  transport.last.events.data(Buffer.concat([pushBytes(3001, ''), pushBytes(3003, 'still here')]));
  assert.deepEqual(seen, ['still here']);
  assert.throws(later.mock.calls[0]!.arguments[0] as () => void, /a defect of the application/);
});

test('numbers of requests go round, never are 0 and never those of a request without an answer', () => {
  const pending = new PendingRequests(0xfffffffd);
  const add = (seq: number) => pending.add({ seq, timer: undefined, unsent: undefined } as unknown as Pending);
  add(1);
  assert.deepEqual([pending.nextSeq(), pending.nextSeq(), pending.nextSeq(), pending.nextSeq()], [0xfffffffe, 0xffffffff, 2, 3]);
});
