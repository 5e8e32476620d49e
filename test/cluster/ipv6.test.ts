// A cluster whose nodes have addresses of IPv6: colons and dots in node ids are told apart.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { createClient } from '../../src/client/index.ts';
import type { LinkView, MembersReply, RouteView, SessionView } from '../../src/ops/admin-schema.ts';
import { kim } from '../support/kim.ts';
import type { TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';

const HOST = '::1';
const isThere = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === HOST));
const skip = isThere ? false : `this machine has no IPv6 address ${HOST}; enable IPv6 on its loopback interface`;

const json = async <T>(node: TestNode, path: string): Promise<T> => JSON.parse(await node.get(path)) as T;

test('nodes on ::1 find each other, relay, push and tell of each other', { skip }, async (t) => {
  const cluster = await TestCluster.start(t, {
    gate: { gate_advertise: '[::1]:3355', gate_host: HOST, node_host: HOST, admin_host: HOST },
    logic: { node_host: HOST, admin_host: HOST, modules: ['load.ts', 'social.ts'] },
  });
  const { gate } = cluster;
  const [logic] = cluster.logics as [TestNode];
  const client = createClient({ host: HOST, port: gate.port });
  t.after(() => client.close());
  assert.equal((await client.request(2001, 'hello')).text(), 'hello');
  assert.equal((await client.request(4001, 'anna')).text(), 'bound');
  assert.equal((await client.request(4003, 'anna hi')).text(), 'delivered');

  const { members } = await json<MembersReply>(logic, '/members');
  assert.deepEqual(
    members.map(({ address, type, isSelf, leftAloneBy }) => ({ address, type, isSelf, leftAloneBy })),
    [
      { address: `${HOST}:${gate.nodePort}`, type: 'gate', isSelf: false, leftAloneBy: [] },
      { address: `${HOST}:${logic.nodePort}`, type: 'logic', isSelf: true, leftAloneBy: [] },
    ],
  );
  assert.equal(members[0]!.gate, '[::1]:3355');
  const { links } = await json<{ links: LinkView[] }>(gate, '/links');
  assert.deepEqual(
    links.map(({ peer, type, direction, state }) => ({ peer, type, direction, state })),
    [{ peer: `${HOST}:${logic.nodePort}.1`, type: 'logic', direction: 'outgoing', state: 'up' }],
  );
  const { routes } = await json<{ routes: RouteView[] }>(gate, '/routes');
  assert.deepEqual(routes[0]!.shares, { [`${HOST}:${logic.nodePort}.1`]: 1 });
  const session = await json<SessionView>(logic, '/sessions/anna');
  assert.deepEqual(session, { user: 'anna', node: `${HOST}:${gate.nodePort}.1`, isHere: false });
  const here = await json<SessionView>(gate, '/sessions/anna');
  assert.match(here.remote!, /^::1:\d+$/);

  const called = await kim(['call', `[${HOST}]:${gate.port}`, '2001', 'from outside']);
  assert.deepEqual([called.code, /from outside/.test(called.out)], [0, true], called.err);
  const status = await kim(['status', new URL(gate.manager.adminUrl!).host]);
  assert.match(status.out, /^members {5}1 gate \(1 worker, file\), 1 logic \(1 worker, file\)$/m);
  assert.match(status.out, new RegExp(`^listeners +gate \\[::1\\]:${gate.port} \\(protobuf\\)`, 'm'));

  // one that leaves and comes back under another port is another node
  await logic.end();
  const next = await cluster.addLogic({ node_host: HOST, admin_host: HOST });
  await cluster.settled();
  assert.equal((await client.request(2001, 'again')).text(), 'again');
  const [link] = (await json<{ links: LinkView[] }>(gate, '/links')).links.filter(({ state }) => state === 'up');
  assert.equal(link!.peer, `${HOST}:${next.nodePort}.1`);
});
