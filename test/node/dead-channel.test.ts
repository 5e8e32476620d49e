// The time between the end of a worker's channel and the end of its process: it still counts as serving, and can not be reached.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startNode } from '../support/node.ts';

test('clients that come while the only worker can not be reached are served by the next one', async (t) => {
  const node = await startNode(t, { modules: ['silent.ts'], restart_min_ms: 10 });
  const [worker] = node.manager.pool.serving();
  const silent = once(worker!.child, 'disconnect');
  await (await node.connect()).request(2003);
  await silent;
  assert.equal(worker!.state, 'serving');
  const clients = await node.connectAll(20);
  const answers = await Promise.all(clients.map((client) => client.request(2001, 'still here')));
  assert.ok(answers.every(({ data }) => data === 'still here'));
  assert.notEqual(node.pids()[0], worker!.pid);
});
