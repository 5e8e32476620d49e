// How a client connects, what it does when the connection is lost, and how it ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseMs } from '../../../src/client/backoff.ts';
import { ClientError, createClient } from '../../../src/client/index.ts';
import { fakeClient, turns } from './support.ts';

const isError = (code: ClientError['code'], text: RegExp) => (error: unknown) =>
  error instanceof ClientError && error.code === code && text.test(error.message);

test('tells each state, and connects with the first request', async (t) => {
  const { client, transport, states } = fakeClient(t);
  assert.deepEqual(client.state, { name: 'disconnected', reason: 'not connected yet' });
  const answer = client.request(1001);
  await turns();
  transport.last.reply(transport.last.requests()[0]!);
  await answer;
  await client.close();
  assert.deepEqual(states, [{ name: 'connecting' }, { name: 'connected' }, { name: 'closed' }]);
  assert.equal(transport.last.isEnded, true);
});

test('connect says where it failed and what to do, and tries anew when asked again', async (t) => {
  const { client, transport } = fakeClient(t);
  transport.failures.push('nothing listens there');
  await assert.rejects(client.connect(), isError('connect', /^cannot connect to server:3355: nothing listens there$/));
  assert.deepEqual(client.state, { name: 'disconnected', reason: 'nothing listens there' });
  await client.connect();
  assert.equal(client.state.name, 'connected');
  await client.connect();
  assert.equal(transport.links.length, 2);
});

test('a connection that is not made in time is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { connectTimeoutMs: 300 });
  transport.isSilent = true;
  const connecting = assert.rejects(client.connect(), isError('connect', /no connection within 300 ms; check host and port/));
  t.mock.timers.tick(300);
  await connecting;
  assert.equal(transport.last.isDestroyed, true);
});

test('requests wait for the connection, also through failures, and leave in their order', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport, states } = fakeClient(t, { reconnect: { jitter: 0 } });
  transport.failures.push('refused', 'refused');
  const answers = [client.request(2001, 'a'), client.request(2001, 'b')];
  await turns();
  t.mock.timers.tick(100);
  await turns();
  t.mock.timers.tick(200);
  await turns();
  const requests = transport.last.requests();
  assert.deepEqual(
    requests.map(({ data }) => data),
    ['a', 'b'],
  );
  for (const request of requests) transport.last.reply(request, { data: request.data });
  assert.deepEqual(
    (await Promise.all(answers)).map((answer) => answer.text()),
    ['a', 'b'],
  );
  assert.deepEqual(
    states.filter(({ name }) => name === 'reconnecting'),
    [
      { name: 'reconnecting', attempt: 1, inMs: 100 },
      { name: 'reconnecting', attempt: 2, inMs: 200 },
    ],
  );
});

test('who waits for a connection that never comes is told so, and then nobody tries any more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { reconnect: { jitter: 0 } });
  transport.failures.push(...Array.from({ length: 10 }, () => 'refused'));
  const waiting = assert.rejects(
    client.request(2001, '', { timeoutMs: 150 }),
    isError('timeout', /^no connection for command 2001 from server:3355/),
  );
  await turns();
  t.mock.timers.tick(150);
  await waiting;
  await turns();
  t.mock.timers.tick(10_000);
  await turns();
  assert.equal(client.state.name, 'disconnected');
  const tries = transport.links.length;
  t.mock.timers.tick(100_000);
  await turns();
  assert.equal(transport.links.length, tries);
});

test('when the connection is lost, what was sent fails and is not sent again; what comes then is sent on the next one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport, states } = fakeClient(t, { reconnect: { jitter: 0 } });
  const sent = client.request(2001, 'sent');
  const lost = assert.rejects(sent, isError('closed', /^the connection was lost before the answer came: cut by the test$/));
  await turns();
  transport.last.events.closed(new Error('cut by the test'));
  const waits = client.request(2001, 'waits');
  await lost;
  t.mock.timers.tick(100);
  await turns();
  const [request, ...others] = transport.last.requests();
  assert.deepEqual([request!.data, others.length], ['waits', 0]);
  transport.last.reply(request!);
  await waits;
  assert.deepEqual(states, [
    { name: 'connecting' },
    { name: 'connected' },
    { name: 'disconnected', reason: 'cut by the test' },
    { name: 'reconnecting', attempt: 1, inMs: 100 },
    { name: 'connecting' },
    { name: 'connected' },
  ]);
});

test('what was not written when the connection was lost fails, and does not leave with what is sent on hearing of it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { reconnect: { jitter: 0 } });
  await client.connect();
  client.onState((state) => {
    if (state.name === 'disconnected') client.request(2001, 'again').catch(() => undefined);
  });
  const lost = assert.rejects(client.request(2001, 'lost'), isError('closed', /cut by the test/));
  transport.last.events.closed(new Error('cut by the test'));
  await lost;
  t.mock.timers.tick(100);
  await turns();
  const requests = transport.last.requests();
  assert.deepEqual(
    requests.map(({ data }) => data),
    ['again'],
  );
  transport.last.reply(requests[0]!);
});

test('a connection that was there is opened again though nobody asks, for the sake of pushes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t, { reconnect: { jitter: 0 } });
  await client.connect();
  transport.last.events.closed();
  t.mock.timers.tick(100);
  await turns();
  assert.equal(client.state.name, 'connected');
});

test('a server that lets in and closes at once sees longer and longer pauses', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { client, transport, states } = fakeClient(t, { reconnect: { jitter: 0, maxMs: 350 } });
  await client.connect();
  for (const pause of [100, 200, 350, 350]) {
    transport.last.events.closed();
    t.mock.timers.tick(pause);
    await turns();
  }
  // it stayed longer than the longest pause: a new beginning
  t.mock.timers.tick(400);
  transport.last.events.closed();
  assert.deepEqual(
    states.flatMap((state) => (state.name === 'reconnecting' ? [state.inMs] : [])),
    [100, 200, 350, 350, 100],
  );
});

test('connect does not wait for the pause between two tries', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, transport } = fakeClient(t);
  await client.connect();
  transport.last.events.closed();
  assert.equal(client.state.name, 'reconnecting');
  await client.connect();
  assert.equal(client.state.name, 'connected');
  t.mock.timers.tick(100_000);
  await turns();
  assert.equal(transport.links.length, 2);
});

test('without reconnect a request tries once, and a lost connection stays lost until the next request', async (t) => {
  const { client, transport } = fakeClient(t, { reconnect: false });
  transport.failures.push('refused');
  await assert.rejects(client.request(1001), isError('connect', /cannot connect to server:3355: refused/));
  await client.connect();
  transport.last.events.closed();
  await turns();
  assert.deepEqual([client.state.name, transport.links.length], ['disconnected', 2]);
  const answer = client.request(1001);
  await turns();
  transport.last.reply(transport.last.requests()[0]!);
  await answer;
});

test('bytes that are no frame, or a frame that is too large, end the connection with the reason', async (t) => {
  for (const bytes of [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), Buffer.from('0dea03000015010000001dffffff7f', 'hex')]) {
    const { client, transport } = fakeClient(t, { reconnect: false, maxFrame: 1000 });
    const lost = assert.rejects(client.request(1001), isError('closed', /the server sent something that is not protobuf: .+/));
    await turns();
    transport.last.events.data(bytes);
    await lost;
    assert.equal(transport.last.isDestroyed, true);
  }
});

test('close waits for the answers that are due and takes no new request', async (t) => {
  const { client, transport } = fakeClient(t);
  const answer = client.request(2001);
  await turns();
  const closing = client.close();
  await assert.rejects(client.request(2001), isError('closed', /the client is closed/));
  await assert.rejects(client.connect(), isError('closed', /the client is closed/));
  assert.equal(transport.last.isEnded, false);
  transport.last.reply(transport.last.requests()[0]!, { data: 'last' });
  assert.equal((await answer).text(), 'last');
  await closing;
  assert.equal(transport.last.isEnded, true);
  assert.equal(client.close(), client.close());
});

test('close does not wait longer than it was told', async (t) => {
  const { client } = fakeClient(t);
  const answer = assert.rejects(client.request(2001), isError('closed', /the answer did not come within 5 ms/));
  await turns();
  await client.close({ timeoutMs: 5 });
  await answer;
});

test('close while connecting ends the try', async (t) => {
  const { client, transport } = fakeClient(t);
  transport.isSilent = true;
  const connecting = assert.rejects(client.connect(), isError('closed', /the client was closed/));
  await client.close();
  await connecting;
  assert.equal(transport.last.isDestroyed, true);
});

test('a client that a state handler closes stays closed', async (t) => {
  for (const name of ['connecting', 'connected', 'disconnected', 'reconnecting'] as const) {
    const { client, transport } = fakeClient(t, { reconnect: { minMs: 0 } });
    let closing: Promise<void> | undefined;
    client.onState((state) => {
      if (state.name === name) closing = client.close();
    });
    await client.connect().catch(() => undefined);
    if (closing === undefined) transport.last.events.closed();
    await turns();
    await closing;
    assert.equal(client.state.name, 'closed', name);
  }
});

test('pauses grow to the longest and are left to chance in part', () => {
  const options = { minMs: 100, maxMs: 1000, factor: 2, jitter: 0.5 };
  assert.deepEqual(
    [1, 2, 3, 4, 5, 2000].map((attempt) => pauseMs(attempt, options, 0)),
    [100, 200, 400, 800, 1000, 1000],
  );
  assert.equal(pauseMs(1, options, 1), 50);
});

test('options out of range are refused with the range', () => {
  const make = (options: object) => () => createClient({ host: 'x', port: 1, ...options });
  assert.throws(make({ port: 0 }), /port must be a number from 1 to 65535, got 0/);
  assert.throws(make({ requestTimeoutMs: Infinity }), /requestTimeoutMs must be/);
  assert.throws(make({ reconnect: { minMs: 100, maxMs: 10 } }), /maxMs must be a number from 100/);
  assert.throws(make({ reconnect: { jitter: 2 } }), /jitter must be a number from 0 to 1, got 2/);
  make({ maxInFlight: undefined, reconnect: { factor: undefined } })();
});
