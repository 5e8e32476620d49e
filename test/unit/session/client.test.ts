// A client as modules see it, before and after it has left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../../src/ops/ledger.ts';
import { Client, type ClientHost } from '../../../src/session/client.ts';
import { noCluster } from '../../support/no-cluster.ts';

function make() {
  const ledger = new Ledger();
  const asked: string[] = [];
  const connection = { id: 'c7', remote: '192.0.2.7:51332', state: 'open', outgoing: 12 };
  const host: ClientHost = {
    ledger,
    push: (client, cmd, data) => asked.push(`push ${client.id} ${cmd} ${String(data)}`) > 0,
    close: (client) => asked.push(`close ${client.id}`),
    ...noCluster,
    isConnected: () => connection.state === 'open',
    outgoing: () => connection.outgoing,
    expired: (client, key, value) => asked.push(`expired ${client.id} ${key} ${String(value)}`),
  };
  const client = new Client(connection, host, connection);
  return { client, ledger, asked, connection };
}

test('a client has the name of its connection, and asks its host for the rest', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, asked, connection } = make();
  assert.deepEqual([client.id, client.remote, client.isConnected, client.outgoing], ['c7', '192.0.2.7:51332', true, 12]);
  assert.equal(client.push(2001, 'hi'), true);
  client.close();
  client.session.set('code', 1, { ttlMs: 10 });
  t.mock.timers.tick(10);
  assert.deepEqual(asked, ['push c7 2001 hi', 'close c7', 'expired c7 code 1']);
  connection.state = 'closing';
  assert.equal(client.isConnected, false);
  client.release();
});

test('a session is made when it is first asked for', () => {
  const { client, ledger } = make();
  assert.deepEqual([client.hasSession, ledger.sessions.held], [false, 0]);
  assert.equal(client.session, client.session);
  assert.deepEqual([client.hasSession, ledger.sessions.held], [true, 1]);
  client.release();
  assert.ok(ledger.isZero(), ledger.toText());
});

test('a module that remembers something of a client that has left makes nothing leak', () => {
  for (const used of [true, false]) {
    const { client, ledger } = make();
    if (used) client.session.set('before', 1, { ttlMs: 1000 });
    client.release();
    client.session.set('late', 1, { ttlMs: 1000 });
    assert.equal(client.session.has('late'), false);
    assert.ok(ledger.isZero(), ledger.toText());
  }
});
