// What handlers may still do with a client that has left meanwhile: use its session, and leave nothing behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../../src/ops/ledger.ts';
import { Client, type ClientHost } from '../../../src/session/client.ts';
import { noCluster } from '../../support/no-cluster.ts';

const hostOf = (ledger: Ledger): ClientHost => ({
  ledger,
  push: () => false,
  close: () => undefined,
  ...noCluster,
  isConnected: () => false,
  outgoing: () => 0,
  expired: () => assert.fail('nobody is there to expire for'),
});

function clientThatLeft({ hadSession }: { hadSession: boolean }): { client: Client; ledger: Ledger } {
  const ledger = new Ledger();
  const client = new Client({ id: 'c1', remote: '192.0.2.7:1' }, hostOf(ledger), undefined);
  if (hadSession) client.session.set('early', 1, { ttlMs: 60_000 });
  client.release();
  return { client, ledger };
}

for (const hadSession of [true, false]) {
  test(`a session that is used after its client left (${hadSession ? 'and before' : 'for the first time'}) holds nothing`, () => {
    const { client, ledger } = clientThatLeft({ hadSession });
    assert.equal(client.session.get('early'), undefined);
    client.session.set('late', 1, { ttlMs: 60_000 });
    assert.equal(client.session.has('late'), false);
    assert.equal(client.session.delete('late'), false);
    assert.ok(ledger.isZero(), ledger.toText({ atExit: true }));
  });
}

test('a session that a handler kept in its hand holds nothing either', () => {
  const ledger = new Ledger();
  const client = new Client({ id: 'c1', remote: '192.0.2.7:1' }, hostOf(ledger), undefined);
  const { session } = client;
  client.release();
  session.set('late', 1, { ttlMs: 60_000 });
  client.release();
  assert.ok(ledger.isZero(), ledger.toText({ atExit: true }));
});
