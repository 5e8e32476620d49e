// The client of the Kubernetes API, against a server that does everything that servers do.

import assert from 'node:assert/strict';
import test from 'node:test';
import { KubeClient, type KubeClientOptions } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/error.ts';
import { RateLimiter } from '../../../src/kube/limiter.ts';
import type { WatchEvent } from '../../../src/kube/types.ts';
import { FaultyKube } from '../../support/kube-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { soon, turns } from '../../support/turns.ts';

const PODS = '/api/v1/namespaces/shop/pods';
const pod = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop' }, unknownToUs: { a: [1] } });

async function start(t: Parameters<typeof FaultyKube.start>[0], options: Partial<KubeClientOptions> = {}) {
  const kube = await FaultyKube.start(t);
  const client = new KubeClient({ access: kube.access, ...options });
  t.after(() => client.close());
  return { kube, client };
}

const refusal = (expected: Partial<KubeError>) => (error: unknown) => {
  assert.ok(error instanceof KubeError, String(error));
  for (const [key, value] of Object.entries(expected)) assert.deepEqual(error[key as keyof KubeError], value, `${key} of ${error.message}`);
  return true;
};

test('objects come and go whole, over one connection', async (t) => {
  const { kube, client } = await start(t);
  const made = await client.request<ReturnType<typeof pod>>('POST', PODS, {
    body: pod('a'),
    query: { fieldManager: 'me', dryRun: undefined },
  });
  assert.deepEqual(made.unknownToUs, { a: [1] });
  for (let i = 0; i < 20; i++) assert.deepEqual((await client.get<typeof made>(`${PODS}/a`)).unknownToUs, { a: [1] });
  assert.equal(kube.connections, 1);
  assert.equal(kube.received[0]?.query.toString(), 'fieldManager=me');
});

test('a refusal is an error with status, reason and the words of the server', async (t) => {
  const { kube, client } = await start(t);
  await assert.rejects(
    client.get(`${PODS}/none`),
    refusal({ status: 404, reason: 'NotFound', message: `cannot get ${PODS}/none: none not found` }),
  );
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "other" using v1', field: '.data.a' }];
  kube.faults.push({ act: { status: 409, reason: 'Conflict', details: { causes } } });
  await assert.rejects(client.request('PATCH', `${PODS}/a`, { body: {} }), refusal({ status: 409, causes }));
  kube.faults.push({ act: 'page' });
  await assert.rejects(client.get(PODS), /answered 502: <html>bad gateway/);
});

test('what asks to come again is asked again, as long as there is time', async (t) => {
  const { kube, client } = await start(t);
  kube.put('/api/v1/pods', pod('a'));
  kube.faults.push({ times: 3, act: { status: 429, headers: { 'retry-after': '0' } } });
  await client.get(`${PODS}/a`);
  assert.equal(kube.received.length, 4);
  kube.faults.push({ act: { status: 429, headers: { 'retry-after': '30' } } });
  await assert.rejects(client.get(`${PODS}/a`, { timeoutMs: 1000 }), refusal({ status: 429, retryAfterMs: 30_000 }));
  kube.faults.push({ act: { status: 500 } });
  await assert.rejects(client.get(`${PODS}/a`), refusal({ status: 500 }));
});

test('credentials that were refused are read again once', async (t) => {
  const kube = await FaultyKube.start(t);
  const asked: boolean[] = [];
  let token = 'old';
  const credentials = async (refused: boolean) => {
    asked.push(refused);
    if (refused) token = kube.token;
    return { headers: { authorization: `Bearer ${token}` }, tls: {} };
  };
  const client = new KubeClient({ access: { ...kube.access, credentials } });
  t.after(() => client.close());
  await client.get(PODS);
  assert.deepEqual(asked, [false, true]);
  kube.token = 'never';
  const broken = new KubeClient({ access: { ...kube.access, credentials: async () => ({ headers: {}, tls: {} }) } });
  t.after(() => broken.close());
  await assert.rejects(broken.get(PODS), refusal({ status: 401 }));
  const abort = new AbortController();
  await assert.rejects(broken.watch(PODS, { signal: abort.signal, silenceMs: 1000 }).next(), refusal({ status: 401 }));
});

test('an answer that does not come, or not to its end, is given up at the deadline', async (t) => {
  const clock = new ManualClock();
  const { kube, client } = await start(t, { clock });
  kube.faults.push({ act: 'stall' });
  const late = client.get(PODS, { timeoutMs: 7000 });
  late.catch(() => undefined);
  await soon(() => kube.received.length === 1, 'the request is there');
  clock.advance(7000);
  await assert.rejects(late, refusal({ status: 0, reason: 'Timeout', message: `cannot get ${PODS}: no answer within 7000 ms` }));
  await client.get(PODS);
  assert.equal(clock.waiting, 0, 'nothing is left that waits');
});

test('connections that break are told apart from answers', async (t) => {
  const { kube, client } = await start(t);
  kube.faults.push({ act: 'cut' });
  await assert.rejects(client.request('POST', PODS, { body: pod('a') }), refusal({ status: 0, reason: 'Unreachable' }));
  kube.faults.push({ act: 'truncate' });
  await assert.rejects(client.get(PODS), refusal({ status: 0, reason: 'Cut' }));
  await kube.away();
  await assert.rejects(client.get(PODS), refusal({ status: 0, reason: 'Unreachable' }));
  await kube.listen();
  await client.get(PODS);
});

test('a kept connection that the server closed meanwhile costs one more try, but nothing is created twice', async (t) => {
  const { kube, client } = await start(t);
  await client.get(PODS);
  kube.faults.push({ act: 'cut' });
  await client.get(PODS);
  assert.equal(kube.count('GET'), 3);
  kube.faults.push({ act: 'cut' });
  await assert.rejects(client.request('POST', PODS, { body: pod('a') }), refusal({ status: 0, reason: 'Stale' }));
  assert.equal(kube.count('POST'), 1);
});

test('answers and lines beyond the limit are not taken', async (t) => {
  const { kube, client } = await start(t, { maxBody: 1000 });
  kube.put('/api/v1/pods', { ...pod('big'), data: 'x'.repeat(2000) });
  await assert.rejects(client.get(PODS), refusal({ status: 0, reason: 'TooLarge' }));
  const watch = client.watch(PODS, { query: { resourceVersion: 0 }, signal: new AbortController().signal, silenceMs: 10_000 });
  await assert.rejects(watch.next(), refusal({ status: 0, reason: 'TooLarge' }));
});

test('writes are asked about right before they leave, reads are not', async (t) => {
  const { kube, client } = await start(t, {
    beforeWrite: () => {
      throw new Error('not the leader');
    },
  });
  await client.get(PODS);
  await assert.rejects(client.request('PATCH', `${PODS}/a`, { body: {} }), /^Error: not the leader$/);
  assert.equal(kube.received.length, 1);
});

test('a write that waits for a connection is asked about when it has one', async (t) => {
  let mayWrite = true;
  const { kube, client } = await start(t, {
    beforeWrite: () => {
      if (!mayWrite) throw new Error('not the leader any more');
    },
  });
  const held = new AbortController();
  kube.faults.push({ times: 16, act: 'stall' });
  const stalled = Array.from({ length: 16 }, () => client.get(PODS, { signal: held.signal }).catch(() => undefined));
  await soon(() => kube.received.length === 16, 'all connections are taken');
  const write = client.request('POST', PODS, { body: pod('late') });
  write.catch(() => undefined);
  await turns();
  mayWrite = false;
  held.abort();
  await Promise.all(stalled);
  await assert.rejects(write, /^Error: not the leader any more$/);
  assert.equal(kube.count('POST'), 0);
});

test('who stops gives up what it waits for', async (t) => {
  const { kube, client } = await start(t);
  kube.faults.push({ act: 'stall' });
  const abort = new AbortController();
  const asked = client.get(PODS, { signal: abort.signal });
  asked.catch(() => undefined);
  await soon(() => kube.received.length === 1, 'the request is there');
  abort.abort();
  await assert.rejects(asked, refusal({ status: 0, reason: 'Aborted' }));
  await assert.rejects(client.get(PODS, { signal: abort.signal }), refusal({ reason: 'Aborted' }));
  assert.equal(kube.received.length, 1);
});

async function watching(t: Parameters<typeof FaultyKube.start>[0], clock?: ManualClock) {
  const { kube, client } = await start(t, clock ? { clock } : {});
  const seen: WatchEvent<{ metadata: { name: string } }>[] = [];
  const abort = new AbortController();
  t.after(() => abort.abort());
  const ended = (async () => {
    const events = client.watch<{ metadata: { name: string } }>(PODS, {
      query: { resourceVersion: 0 },
      signal: abort.signal,
      silenceMs: 90_000,
    });
    for await (const event of events) seen.push(event);
  })();
  ended.catch(() => undefined);
  await soon(() => kube.watches.size === 1, 'the watch is open');
  return { kube, seen, abort, ended, watch: [...kube.watches][0]! };
}

test('a watch yields what happens until the server ends it', async (t) => {
  const { kube, seen, ended, watch } = await watching(t);
  kube.put('/api/v1/pods', pod('a'));
  kube.put('/api/v1/pods', { ...pod('a'), spec: { text: 'zwölf' } });
  kube.remove('/api/v1/pods', 'shop', 'a');
  watch.send('BOOKMARK', { metadata: { resourceVersion: '900' } });
  watch.end();
  await ended;
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'],
  );
});

test('a watch that breaks off, or says what no watch says, throws', async (t) => {
  for (const [how, expected] of [
    ['cut', { reason: 'Cut' }],
    ['truncate', { reason: 'Cut' }],
    ['ERROR', { status: 410, reason: 'Expired' }],
    ['NOISE', { reason: 'BadAnswer' }],
  ] as const) {
    const { ended, watch } = await watching(t);
    if (how === 'cut' || how === 'truncate') watch[how]();
    else watch.send(how, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    await assert.rejects(ended, refusal(expected));
  }
});

test('a watch behind a dead connection is given up when it has been silent for too long', async (t) => {
  const clock = new ManualClock();
  const { kube, seen, ended, watch } = await watching(t, clock);
  for (const [name, count] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    kube.put('/api/v1/pods', pod(name));
    await soon(() => seen.length === count, 'the event is there');
    clock.advance(89_000);
  }
  watch.stall();
  kube.put('/api/v1/pods', pod('c'));
  clock.advance(1000);
  await assert.rejects(ended, refusal({ reason: 'Silent', message: `cannot watch ${PODS}: nothing came for 90000 ms` }));
  assert.equal(clock.waiting, 0);
});

test('what became of each request is told', async (t) => {
  const seen: string[] = [];
  const { kube, client } = await start(t, { observe: ({ method, code }) => seen.push(`${method} ${code}`) });
  await client.get(PODS);
  await assert.rejects(client.get(`${PODS}/none`));
  kube.faults.push({ act: 'cut' });
  await assert.rejects(client.request('POST', PODS, { body: pod('a') }));
  assert.deepEqual(seen, ['GET 200', 'GET 404', 'POST <error>']);
});

test('when one kept connection turns out to be closed none of them is trusted any more', async (t) => {
  const { kube, client } = await start(t);
  await Promise.all(Array.from({ length: 6 }, () => client.get(PODS)));
  const kept = kube.connections;
  assert.equal(kept, 6);
  kube.faults.push({ times: 6, when: () => kube.connections === kept, act: 'cut' });
  await client.get(PODS);
  assert.equal(kube.connections, kept + 1);
});

test('who gives up while the credentials are read sends nothing, at whatever moment that is', async (t) => {
  const { kube } = await start(t);
  for (let moments = 0; moments < 12; moments++) {
    const abort = new AbortController();
    const credentials = async () => {
      let left = moments;
      const step = (): void => (left-- === 0 ? abort.abort() : queueMicrotask(step));
      step();
      return kube.access.credentials(false);
    };
    const client = new KubeClient({ access: { ...kube.access, credentials } });
    t.after(() => client.close());
    await assert.rejects(client.request('POST', PODS, { body: pod('a'), signal: abort.signal }), refusal({ reason: 'Aborted' }));
  }
  await turns();
  assert.equal(kube.received.length, 0);
});

test('a server that asks to come again in years is asked again in two minutes', async (t) => {
  const { kube, client } = await start(t);
  kube.faults.push({ act: { status: 503, headers: { 'retry-after': '99999999' } } });
  await assert.rejects(client.get(PODS), refusal({ status: 503, retryAfterMs: 120_000 }));
  kube.faults.push({ act: { status: 503, headers: { 'retry-after': '-5' } } });
  await assert.rejects(client.get(PODS), refusal({ status: 503, retryAfterMs: undefined }));
});

test('requests wait for their turn, and are told if it does not come in time; watches do not wait', async (t) => {
  const clock = new ManualClock();
  const waited: number[] = [];
  const limiter = new RateLimiter({ perSecond: 10, burst: 2 }, clock);
  const { kube, client } = await start(t, { clock, limiter, limited: (_, seconds) => waited.push(seconds) });
  await client.get(PODS);
  await client.get(PODS);
  const third = client.get(PODS);
  await turns();
  assert.equal(kube.received.length, 2);
  clock.advance(100);
  await third;
  assert.deepEqual(waited, [0, 0, 0.1]);
  const late = /^KubeError: cannot get \/api\/v1\/namespaces\/shop\/pods: too many requests wait before it for its turn to come in time$/;
  await assert.rejects(client.get(PODS, { timeoutMs: 50 }), late);
  const abort = new AbortController();
  t.after(() => abort.abort());
  const watch = client.watch(PODS, { query: { resourceVersion: 0 }, signal: abort.signal, silenceMs: 1000 });
  watch.next().catch(() => undefined);
  await soon(() => kube.watches.size === 1, 'the watch is open');
});
