// Connections to the API server: kept as long as the certificates are the same.

import assert from 'node:assert/strict';
import test from 'node:test';
import { KubeClient } from '../../../src/kube/client.ts';
import { Connections } from '../../../src/kube/connections.ts';
import { FaultyKube } from '../../support/kube-faults.ts';
import { soon } from '../../support/turns.ts';

test('new certificates mean new connections, the same ones the same', () => {
  const connections = new Connections(new URL('https://127.0.0.1:1'));
  const first = connections.agent('requests', { ca: 'one' });
  assert.equal(connections.agent('requests', { ca: 'one' }), first);
  assert.notEqual(connections.agent('watches', { ca: 'one' }), first, 'watches take no connection from requests');
  const second = connections.agent('requests', { ca: 'two' });
  assert.notEqual(second, first);
  assert.equal(connections.agent('requests', { ca: 'two' }), second);
  connections.close();
});

test('what was in use when the certificates changed is not kept when it is free', async (t) => {
  const kube = await FaultyKube.start(t);
  let ca = 'one';
  const credentials = async () => ({ ...(await kube.access.credentials(false)), tls: { ca } });
  const client = new KubeClient({ access: { ...kube.access, credentials } });
  t.after(() => client.close());
  const watch = client.watch('/api/v1/pods', {
    query: { resourceVersion: 0 },
    signal: new AbortController().signal,
    silenceMs: 60_000,
  });
  const over = watch.next();
  await soon(() => kube.watches.size === 1, 'a watch is open');
  ca = 'two';
  await client.get('/api/v1/pods');
  assert.equal(kube.open, 2);
  [...kube.watches][0]!.end();
  assert.equal((await over).done, true);
  await soon(() => kube.open === 1, 'the connection of the first certificates is closed');
});
