// What each test of the data path ends with: nothing is held any more.

import assert from 'node:assert/strict';
import type { Ledger } from '../../src/ops/ledger.ts';
import type { Serve } from '../../src/node/serve.ts';
import type { Stats } from '../../src/ops/stats.ts';

/** The ledger is at zero, and so is everything else that counts what lives. */
export function assertSettled({ serve, stats, ledger }: { serve: Serve; stats: Stats; ledger: Ledger }): void {
  assert.equal(serve.connections.size, 0, 'connections are left');
  assert.ok(ledger.isZero(), ledger.toText({ atExit: true }));
  const { connections, inFlight, paused } = stats;
  assert.deepEqual({ connections, inFlight, paused }, { connections: 0, inFlight: 0, paused: 0 });
  assert.equal(serve.budget.used, 0, 'the memory budget still counts bytes');
}
