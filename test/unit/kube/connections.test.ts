// Connections to the API server: kept as long as the certificates are the same.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Connections } from '../../../src/kube/connections.ts';

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
