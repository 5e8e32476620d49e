// A logic worker with as many sessions as it may have (max_remote_sessions).

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { request, type Seen } from '../support/frames.ts';
import { closedGate } from '../support/gate.ts';
import type { TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

/** A client that asks one thing after another. */
async function clientOf(t: TestContext, gate: TestNode) {
  const wire = await WireClient.connect(gate.port);
  t.after(() => void wire.socket.destroy());
  let seq = 0;
  return {
    wire,
    async ask(cmd: number, data = ''): Promise<Seen> {
      const own = ++seq;
      wire.send(request(cmd, own, data));
      await wire.until(() => wire.seen.some((frame) => frame.seq === own), `the answer to ${cmd}`);
      return wire.seen.find((frame) => frame.seq === own)!;
    },
    /** How often the session has counted, this time included; undefined if it was refused. */
    async count(): Promise<number | undefined> {
      const { code, data } = await this.ask(2005);
      return code === 0 ? (JSON.parse(data) as { count: number }).count : undefined;
    },
  };
}

test('for one session more than allowed an idle one makes place, and its client goes on with a new one', async (t) => {
  const cluster = await TestCluster.start(t, { logic: { max_remote_sessions: 3, modules: ['load.ts', 'social.ts'] } });
  const { gate } = cluster;
  const [user, idle, busy, late] = [await clientOf(t, gate), await clientOf(t, gate), await clientOf(t, gate), await clientOf(t, gate)];
  assert.equal((await user.ask(4001, 'anna')).data, 'bound');
  assert.equal(await user.count(), 1);
  assert.equal(await idle.count(), 1);
  const closed = closedGate(t);
  busy.wire.send(request(2021, 1000, closed.name));

  // nobody has been idle for long enough at first: refused with code 7
  const refused = await late.ask(2001, 'too many');
  assert.deepEqual([refused.code, refused.cmd], [7, 2002]);
  assert.equal(await until(() => late.count(), 'the idle one makes place'), 1);
  assert.equal(await late.count(), 2);
  assert.equal(await user.count(), 2, 'a user keeps its session');
  closed.open();
  await busy.wire.until(() => busy.wire.seen.some(({ seq }) => seq === 1000), 'the answer of the one with a request');
  assert.equal(busy.wire.seen[0]!.code, 0);

  // the one that made place is still connected, and introduced to the worker: it is served again as soon as there is place
  assert.equal(await until(() => idle.count(), 'its client is served again'), 1);
  const { totals } = await cluster.logics[0]!.status();
  assert.equal(totals.cluster.remoteSessions, 3);
  assert.ok((totals.limits['max_remote_sessions'] ?? 0) >= 3);
});
