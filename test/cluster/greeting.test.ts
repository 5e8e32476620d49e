// Clients that begin with HELLO, at real gates: sessions that outlive connections, gates and workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Moved } from '../../src/client/index.ts';
import * as control from '../../src/wire/client-control.ts';
import { request } from '../support/frames.ts';
import { ask, count, greeters } from '../support/greeters.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

test('a client that greets gets an id, a token and a heartbeat, and its requests are answered', async (t) => {
  const { gates, connect } = await greeters(t, { gates: 1, gate: { client_heartbeat_ms: 100 } });
  const { client } = await connect(gates[0]!);
  assert.equal(client.session!.resumed, false);
  assert.ok(client.session!.token.length >= 16 && client.session!.token.length <= control.MAX_TOKEN);
  assert.equal((await count(client)).id, client.session!.id);
  assert.ok(client.clock !== undefined && Math.abs(client.clock.offsetMs) < 5000);
});

test('a client that comes back goes on with its session, its user and its groups, at this gate or another', async (t) => {
  const { gates, connect } = await greeters(t);
  const { client: other } = await connect(gates[0]!);
  let { client, cut } = await connect(gates[0]!, { reconnect: false });
  const { id } = client.session!;
  assert.equal(await ask(client, 4001, 'anna'), 'bound');
  assert.equal(await ask(client, 4005, 'room'), 'done');
  const { pid } = await count(client);
  for (const [round, gate] of [gates[1]!, gates[0]!, gates[0]!, gates[1]!].entries()) {
    const { token } = client.session!;
    cut();
    ({ client, cut } = await connect(gate, { sessionToken: token, reconnect: false }));
    const { id: now, resumed, userId } = client.session!;
    assert.deepEqual([now, resumed, userId], [id, true, 'anna'], `round ${round}`);
    const pushes: string[] = [];
    for (const cmd of [5001, 5003, 5007]) client.on(cmd, (push) => pushes.push(push.text()));
    // before it has asked for anything here
    assert.equal(await ask(other, 4003, `anna hello ${round}`), 'delivered');
    assert.equal((JSON.parse(await ask(other, 4007, `room dear ${round}`)) as { delivered: number }).delivered, 1);
    assert.deepEqual(await count(client), { count: round + 2, id, pid });
    assert.equal(await ask(client, 4015, 'ab'), 'true');
    await until(() => pushes.length >= 4, 'all pushes have come');
    assert.deepEqual(pushes, [`hello ${round}`, `dear ${round}`, 'a', 'b']);
    assert.equal(await ask(client, 4013), 'anna');
  }
});

test('a gate that drains sends its clients to another, and nothing that they ask is lost or answered twice', async (t) => {
  const { gates, connect } = await greeters(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => connect(gates[0]!)));
  const moved: Moved[] = [];
  const answers: Promise<void>[] = [];
  let isStopped = false;
  for (const { client } of all) {
    client.onMoved((move) => moved.push(move));
    answers.push(
      (async () => {
        for (let n = 0; !isStopped; n += 5) {
          const got = await Promise.all(Array.from({ length: 5 }, () => count(client)));
          assert.deepEqual(
            got.map((one) => one.count).sort((a, b) => a - b),
            Array.from({ length: 5 }, (_, i) => n + i + 1),
          );
        }
      })(),
    );
  }
  const draining = gates[0]!.manager.drain();
  await Promise.race([draining, ...answers]);
  await draining;
  assert.equal(moved.length, all.length);
  assert.ok(
    moved.every(({ resumed }) => resumed),
    'every session went along',
  );
  isStopped = true;
  await Promise.all(answers);
});

test('workers of a gate come and go, and its clients keep their users, groups and tokens', async (t) => {
  const { gates, connect } = await greeters(t, { gates: 1 });
  const gate = gates[0]!;
  const { client: other } = await connect(gate);
  const { client, cut } = await connect(gate);
  assert.equal(await ask(client, 4001, 'anna'), 'bound');
  assert.equal(await ask(client, 4005, 'room'), 'done');
  const pushes: string[] = [];
  client.on(5001, (push) => pushes.push(push.text()));
  client.on(5003, (push) => pushes.push(push.text()));
  const before = await count(client);
  await gate.manager.roll();
  await until(async () => (await ask(other, 4003, 'anna hello')) === 'delivered', 'the user is found at the new worker');
  await until(async () => (JSON.parse(await ask(other, 4007, 'room dear')) as { delivered: number }).delivered === 1, 'and the group');
  await until(() => pushes.length === 2, 'both have come');
  assert.deepEqual(pushes, ['hello', 'dear']);
  assert.deepEqual(await count(client), { ...before, count: 2 });
  const { session } = client;
  cut();
  await until(() => client.session !== session, 'it is connected again');
  assert.equal(client.session!.resumed, true);
  assert.deepEqual(await count(client), { ...before, count: 3 });
});

test('a session that nobody comes back for is over after resume_ms, and its logic worker forgets it', async (t) => {
  const { gates, cluster, connect } = await greeters(t, { gates: 1, gate: { resume_ms: 300 } });
  const { client, cut } = await connect(gates[0]!, { reconnect: false });
  await count(client);
  const { token } = client.session!;
  const remote = async () => {
    const all = await Promise.all(cluster.logics.map((logic) => logic.status()));
    return all.reduce((sum, { totals }) => sum + totals.cluster.remoteSessions, 0);
  };
  assert.equal(await remote(), 1);
  cut();
  await until(async () => (await remote()) === 0, 'the logic worker forgets it');
  const { client: next } = await connect(gates[0]!, { sessionToken: token });
  assert.equal(next.session!.resumed, false);
});

test('a client that leaves ends its session: the token is worth nothing any more', async (t) => {
  const { gates, connect } = await greeters(t, { gates: 1 });
  const { client } = await connect(gates[0]!);
  const { id, token } = client.session!;
  await count(client);
  await client.close();
  const { client: next } = await connect(gates[0]!, { sessionToken: token });
  assert.equal(next.session!.resumed, false);
  assert.notEqual(next.session!.id, id);
  assert.equal((await count(next)).count, 1);
});

test('a client that is kicked is told why, and its token is worth nothing', async (t) => {
  const { gates, connect } = await greeters(t);
  const { client: other } = await connect(gates[1]!);
  const { client } = await connect(gates[0]!);
  const { token } = client.session!;
  assert.equal(await ask(client, 4001, 'anna'), 'bound');
  assert.equal(await ask(other, 4011, 'anna'), 'delivered');
  const state = await until(() => (client.state.name === 'kicked' ? client.state : undefined), 'it is kicked');
  assert.deepEqual(state, { name: 'kicked', reason: 'go away', code: 7 });
  const { client: next } = await connect(gates[0]!, { sessionToken: token });
  assert.equal(next.session!.resumed, false);
});

test('a client that does not begin with HELLO sees none of it', async (t) => {
  const { gates } = await greeters(t, { gates: 1 });
  const late = await WireClient.connect(gates[0]!.port);
  late.send(request(2001, 1, 'x'), request(101, 2, ''));
  const [first, second] = await late.frames(2);
  assert.deepEqual([first!.code, second!.code], [0, 4]);
  await late.end();
});
