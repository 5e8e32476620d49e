// Users and messages in a cluster in which some gates are in C++: those are left out, and are sent nothing that they do not know.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CppServer } from '../support/cpp-server.ts';
import { request } from '../support/frames.ts';
import { TestCluster } from '../support/nodes.ts';
import { WireClient } from '../support/wire-client.ts';

test('users, groups and everybody are reached past gates and logic nodes in C++, which see none of it', async (t) => {
  const far = await Promise.all([CppServer.listen(t, { type: 'gate', workers: 2 }), CppServer.listen(t, { type: 'gate', kind: 'kim' })]);
  const members = far.map(({ member }) => member);
  const raw = { members, discovery: ['file', 'static'] };
  const cluster = new TestCluster(t);
  const logic = await cluster.addLogic({ ...raw, modules: ['social.ts'] });
  const gates = [await cluster.addGate({ ...raw, worker_cnt: 2 }), await cluster.addGate(raw)];
  for (const node of [logic, ...gates]) await node.statusWhen(() => node.manager.membership.members.length === 5, 'all know each other');
  const clients = await Promise.all(gates.flatMap((gate) => [WireClient.connect(gate.port), WireClient.connect(gate.port)]));
  t.after(() => clients.forEach((client) => client.destroy()));
  let seq = 0;
  const ask = async (client: WireClient, cmd: number, data: string) => {
    const mine = ++seq;
    client.send(request(cmd, mine, data));
    await client.until(() => client.seen.some((frame) => frame.seq === mine), `the answer to ${cmd}`);
    const { code, data: answer } = client.seen.find((frame) => frame.seq === mine)!;
    return [code, answer];
  };
  for (const [i, client] of clients.entries()) {
    assert.deepEqual(await ask(client, 4001, `user-${i}`), [0, 'bound']);
    await ask(client, 4005, 'room');
  }
  for (const i of clients.keys()) assert.deepEqual(await ask(clients[0]!, 4003, `user-${i} hello`), [0, 'delivered']);
  assert.deepEqual(await ask(clients[0]!, 4003, 'nobody hello'), [0, 'unknown']);
  const delivered = '{"delivered":4,"slow":0,"failed":0}';
  assert.deepEqual(await ask(clients[0]!, 4007, 'room hi'), [0, delivered]);
  assert.deepEqual(await ask(clients[0]!, 4009, 'all of you'), [0, delivered]);
  for (const client of clients) {
    await client.until(() => client.seen.filter((frame) => frame.seq === 0).length >= 3, 'three messages');
    assert.deepEqual(
      client.seen
        .filter((frame) => frame.seq === 0)
        .map(({ cmd, data }) => `${cmd} ${data}`)
        .sort(),
      ['5001 hello', '5003 hi', '5005 all of you'],
    );
  }
  for (const { violations, requests } of far) assert.deepEqual([violations, requests], [[], []]);
});
