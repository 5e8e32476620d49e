// A link to another worker: the handshake, many requests to ours and one at a time to an original, and what becomes of requests when it is lost.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import type { FaultName } from '../../../src/errors.ts';
import { Link, type LinkRequest, type LinkSettings } from '../../../src/net/link.ts';
import { writeRequestBody } from '../../../src/wire/body.ts';
import { FarWorker, reply, type Script } from '../../support/far-worker.ts';
import { seen, type Seen } from '../../support/frames.ts';
import { until } from '../../support/until.ts';

const settings: LinkSettings = {
  connectMs: 1000,
  handshakeMs: 2000,
  heartbeatMs: 60_000,
  answerMs: 3000,
  backoffMs: 50,
  queue: 1000,
  inFlight: 1000,
  maxFrame: 1024 * 1024,
};

interface Sent extends LinkRequest {
  result: { seen: Seen } | { fault: FaultName; wasSent: boolean } | undefined;
}

interface Setup {
  link: Link;
  far: FarWorker;
  events: string[];
  send(cmd: number, data: string, timeoutMs?: number): Sent;
}

async function linked(t: TestContext, script: Script, changed: Partial<LinkSettings> = {}): Promise<Setup> {
  const far = await FarWorker.listen(t, script);
  const events: string[] = [];
  const now = () => performance.now();
  const link = new Link({
    host: '127.0.0.1',
    port: far.port,
    worker: 1,
    self: { nodeType: 'gate', host: '127.0.0.1', port: 1, worker: 3, version: '0' },
    settings: { ...settings, ...changed },
    now,
    events: {
      up: () => events.push('up'),
      lost: (_, why) => events.push(`lost: ${why}`),
      failed: (_, why) => events.push(`failed: ${why}`),
      control: (_, frame) => events.push(`control ${frame.cmd}`),
    },
  });
  const sweep = setInterval(() => link.sweep(now()), 10);
  t.after(() => {
    clearInterval(sweep);
    link.close();
  });
  return {
    link,
    far,
    events,
    send(cmd, data, timeoutMs = 20_000) {
      const request: Sent = {
        seq: 0,
        cmd,
        deadline: now() + timeoutMs,
        isOneWay: false,
        result: undefined,
        write: (out) => writeRequestBody(out, data),
        answered: (frame) => {
          assert.equal(request.result, undefined, 'each request ends once');
          request.result = { seen: seen(frame.cmd, frame.seq, Buffer.from(frame.body)) };
        },
        again: () => assert.fail('nobody gives sessions away here'),
        failed: (fault, wasSent) => {
          assert.equal(request.result, undefined, 'each request ends once');
          request.result = { fault, wasSent };
        },
      };
      link.send(request);
      return request;
    },
  };
}

const ended = (request: Sent) => until(() => request.result, 'the request has ended');
const dataOf = ({ result }: Sent) => (result !== undefined && 'seen' in result ? result.seen.data : result);
const echo = (request: Seen) => reply(request, 0, 'ok', Buffer.from(`${request.data}!`));

test('the first request opens the link, and is answered over it', async (t) => {
  const { send, events, link } = await linked(t, { answer: echo });
  assert.equal(link.state, 'idle');
  const request = send(1001, 'hello');
  await ended(request);
  assert.equal(dataOf(request), 'hello!');
  assert.deepEqual([events, link.state, link.isOurs], [['up'], 'up', true]);
});

test('to one of ours many are on their way at once, and answers come in any order', async (t) => {
  const { send, far } = await linked(t, {
    answer: (_, worker) => (worker.requests.length < 100 ? undefined : Buffer.concat(worker.requests.toReversed().map(echo))),
  });
  const requests = Array.from({ length: 100 }, (_, i) => send(1001, `${i}`));
  await Promise.all(requests.map(ended));
  assert.deepEqual(
    requests.map(dataOf),
    requests.map((_, i) => `${i}!`),
  );
  assert.ok(far.requests.every(({ seq }) => seq !== 0));
  assert.equal(new Set(far.requests.map(({ seq }) => seq)).size, 100);
});

test('to an original one goes at a time, and whatever comes next is its answer', async (t) => {
  let open = 0;
  const { send, link } = await linked(t, {
    isOurs: false,
    answer: (request, _, socket) => {
      assert.equal(++open, 1, 'one at a time');
      setImmediate(() => {
        open--;
        // an original echoes the seq, but nobody should count on it
        socket.write(echo({ ...request, seq: 77 }));
      });
      return undefined;
    },
  });
  const requests = Array.from({ length: 50 }, (_, i) => send(1001, `${i}`));
  await Promise.all(requests.map(ended));
  assert.deepEqual(
    requests.map(dataOf),
    requests.map((_, i) => `${i}!`),
  );
  assert.equal(link.isOurs, false);
});

test('when the link is lost, what was sent fails at once, and what was not is sent on the next', async (t) => {
  let cuts = 0;
  const { send, far, events } = await linked(t, {
    isOurs: false,
    answer: (request, worker) => {
      if (request.data !== '1' || cuts > 0) return echo(request);
      cuts++;
      worker.cut();
      return undefined;
    },
  });
  const requests = ['0', '1', '2', '3'].map((data) => send(1001, data));
  await Promise.all(requests.map(ended));
  assert.deepEqual(requests.map(dataOf), ['0!', { fault: 'closed', wasSent: true }, '2!', '3!']);
  assert.equal(far.accepted, 2);
  assert.match(events.join(), /^up,lost: .*,up$/);
});

test('a node that is not there fails what waits, once the deadline of each has passed', async (t) => {
  const { send, far, events } = await linked(t, {});
  far.close();
  const request = send(1001, 'x', 300);
  await ended(request);
  assert.deepEqual(request.result, { fault: 'timeout', wasSent: false });
  assert.ok(events.length > 1, 'it tried again');
  assert.match(events[0]!, /^failed: connect ECONNREFUSED/);
});

test('a node that accepts and says nothing is given up after the time of the handshake', async (t) => {
  const { send, events } = await linked(t, { silent: [21] }, { handshakeMs: 50 });
  const request = send(1001, 'x', 200);
  await ended(request);
  assert.match(events[0]!, /^failed: it did not answer in time \(asking\)$/);
});

test('one of ours that does not answer in time costs that request, and nothing else', async (t) => {
  const { send, events, link } = await linked(t, { answer: (request) => (request.data === 'slow' ? undefined : echo(request)) });
  const slow = send(1001, 'slow', 100);
  const quick = send(1001, 'quick');
  await Promise.all([ended(slow), ended(quick)]);
  assert.deepEqual([slow.result, dataOf(quick)], [{ fault: 'timeout', wasSent: true }, 'quick!']);
  assert.deepEqual([events, link.state], [['up'], 'up']);
});

test('an original that does not answer in time is left: its answers are known by their order only', async (t) => {
  const { send, events } = await linked(t, { isOurs: false, answer: (request) => (request.data === 'slow' ? undefined : echo(request)) });
  const slow = send(1001, 'slow', 100);
  const next = send(1001, 'next');
  await Promise.all([ended(slow), ended(next)]);
  assert.deepEqual([slow.result, dataOf(next)], [{ fault: 'timeout', wasSent: true }, 'next!']);
  assert.deepEqual(events, ['up', 'lost: no answer in time', 'up']);
});

test('more than may wait is refused at once', async (t) => {
  const { send } = await linked(t, { silent: [21] }, { queue: 2 });
  const requests = ['a', 'b', 'c'].map((data) => send(1001, data));
  assert.deepEqual(
    requests.map(({ result }) => result),
    [undefined, undefined, { fault: 'connectFailed', wasSent: false }],
  );
});

test('a heartbeat goes over a link on which nothing happens, and one without an answer ends it', async (t) => {
  const good = await linked(t, {}, { heartbeatMs: 20 });
  good.link.open();
  await until(() => good.link.state === 'up', 'the link is up');
  const bad = await linked(t, { silent: [31] }, { heartbeatMs: 20, answerMs: 50 });
  bad.link.open();
  await until(() => bad.events.includes('lost: no answer to a heartbeat'), 'the silent one is left');
  assert.deepEqual(good.events, ['up']);
});

test('one of ours that is silent is left, however much is sent to it', async (t) => {
  const { link, send, events } = await linked(t, { silent: [31] }, { heartbeatMs: 50, answerMs: 50 });
  link.open();
  const asking = setInterval(() => send(1001, 'x', 10), 10);
  t.after(() => clearInterval(asking));
  await until(() => events.includes('lost: no answer to a heartbeat'), 'it is left');
});

test('an answer of one of ours to another command fails the request that had its number, and the link stays', async (t) => {
  const { send, events } = await linked(t, {
    answer: (request) => (request.cmd === 1001 ? reply({ cmd: 71, seq: request.seq }, 0, 'ok') : echo(request)),
  });
  const [wrong, right] = [send(1001, 'x'), send(1003, 'y')];
  await Promise.all([ended(wrong), ended(right)]);
  assert.deepEqual(wrong.result, { fault: 'invalidResponse', wasSent: true });
  assert.equal(dataOf(right), 'y!');
  assert.deepEqual(events, ['up']);
});

test('what one of ours asks is not taken for an answer', async (t) => {
  const { send, events } = await linked(t, {
    answer: (request) => Buffer.concat([reply({ cmd: 62, seq: request.seq }, 0, 'ask'), echo(request)]),
  });
  const request = send(1001, 'x');
  await ended(request);
  assert.equal(dataOf(request), 'x!');
  assert.deepEqual(events, ['up', 'control 63']);
});

test('bytes that are no frames end the link', async (t) => {
  const { send, events } = await linked(t, { answer: () => Buffer.from('this is no frame at all, not even one') });
  const request = send(1001, 'x');
  await ended(request);
  assert.deepEqual(request.result, { fault: 'closed', wasSent: true });
  assert.match(events[1]!, /^lost: not a frame head/);
});

test('a link that is ended lets what is in flight be answered', async (t) => {
  const { send, link, far } = await linked(t, {
    answer: (_, worker) => (worker.requests.length < 3 ? undefined : Buffer.concat(worker.requests.map(echo))),
  });
  const requests = ['a', 'b', 'c'].map((data) => send(1001, data));
  await until(() => link.inFlight === 3 || far.requests.length === 3, 'all are on their way');
  link.end();
  await Promise.all(requests.map(ended));
  assert.deepEqual(requests.map(dataOf), ['a!', 'b!', 'c!']);
  await until(() => far.sockets.size === 0, 'it is closed');
});
