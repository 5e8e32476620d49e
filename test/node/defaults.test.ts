// With nothing configured about limits, what the originals' own clients do is let through.

import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNode, type TestNode } from '../support/node.ts';
import { frame } from '../support/raw-client.ts';

const CROWD = fileURLToPath(new URL('../support/crowd.ts', import.meta.url));

interface Seen {
  connected: number;
  failed: number;
  closed: number;
}

async function crowd(t: TestContext, node: TestNode, count: number): Promise<{ child: ChildProcess; seen: Seen }> {
  const child = fork(CROWD, [String(node.port), String(count)]);
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [seen] = (await once(child, 'message')) as [Seen];
  return { child, seen };
}

for (const [how, raw] of [
  ['passed to workers', {}],
  ['accepted by workers', { is_reuseport: true }],
] as const) {
  test(`10,000 silent connections from one address, ${how}, are all served and none is closed`, async (t) => {
    const node = await startNode(t, { worker_cnt: 2, drain_ms: 1000, ...raw });
    const honest = await node.connect();
    const { child, seen } = await crowd(t, node, 10_000);
    assert.deepEqual(seen, { connected: 10_000, failed: 0, closed: 0 });
    const status = await node.statusWhen(({ totals }) => totals.connections === 10_001, 'all are served');
    assert.deepEqual([status.totals.refused, status.totals.closed, status.manager.refused], [{}, {}, {}]);
    assert.equal((await honest.request(2001, 'still quick')).data, 'still quick');
    child.send('look');
    const [later] = (await once(child, 'message')) as [Seen];
    assert.equal(later.closed, 0);
  });
}

test('bursts of 300 requests on 100 connections are answered in order', async (t) => {
  const node = await startNode(t, { worker_cnt: 2, modules: ['test'] });
  const clients = await node.connectAll(100);
  for (const client of clients) client.write(...Array.from({ length: 300 }, (_, i) => frame(1001, i + 1, `${i} - hello`)));
  for (const client of clients) {
    for (let seq = 1; seq <= 300; seq++) assert.deepEqual(await client.next(), { cmd: 1002, seq, code: 0, msg: 'ok', data: 'good job!' });
  }
  const { totals } = await node.status();
  assert.deepEqual(totals.closed, {});
});

test('20,000 requests that are sent before the first reply is read are all answered', async (t) => {
  const node = await startNode(t, { modules: ['test'] });
  const client = await node.connect();
  client.socket.pause();
  client.write(...Array.from({ length: 20_000 }, (_, i) => frame(1001, i + 1, 'hello')));
  await node.statusWhen(({ totals }) => totals.framesIn > 1000, 'the node has begun');
  client.socket.resume();
  for (let seq = 1; seq <= 20_000; seq++) assert.equal((await client.next()).seq, seq);
  assert.deepEqual((await node.status()).totals.closed, {});
});
