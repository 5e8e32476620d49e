// Users, groups and messages across a cluster of real processes: two gates, two logic nodes, clients anywhere.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { request, type Seen } from '../support/frames.ts';
import type { TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';
import { WireClient } from '../support/wire-client.ts';

async function social(t: TestContext) {
  const cluster = await TestCluster.start(t, { logics: 2, logic: { modules: ['social.ts', 'load.ts'] }, gate: { worker_cnt: 2 } });
  const second = await cluster.addGate({ worker_cnt: 2 });
  await cluster.settled();
  return { gates: [cluster.gate, second] as const };
}

/** A client that asks one thing after another, and keeps what it was sent without asking. */
class Member {
  readonly wire: WireClient;
  #seq = 0;

  private constructor(wire: WireClient) {
    this.wire = wire;
  }

  static async at(gate: TestNode): Promise<Member> {
    return new Member(await WireClient.connect(gate.port));
  }

  async ask(cmd: number, data: string): Promise<Seen> {
    const seq = ++this.#seq;
    this.wire.send(request(cmd, seq, data));
    await this.wire.until(() => this.wire.seen.some((frame) => frame.seq === seq), `the answer to ${cmd}`);
    return this.wire.seen.find((frame) => frame.seq === seq)!;
  }

  async pushed(count: number): Promise<[cmd: number, data: string][]> {
    const pushes = () => this.wire.seen.filter(({ seq }) => seq === 0);
    await this.wire.until(() => pushes().length >= count, `${count} pushes`);
    return pushes().map(({ cmd, data }) => [cmd, data]);
  }
}

test('a user is reached at whichever gate, from any logic node, in the order of the pushes', async (t) => {
  const { gates } = await social(t);
  const users = await Promise.all(Array.from({ length: 8 }, (_, i) => Member.at(gates[i % 2]!)));
  for (const [i, user] of users.entries()) assert.equal((await user.ask(4001, `user-${i}`)).data, 'bound');
  for (const [i, from] of users.entries()) {
    for (const [j] of users.entries()) assert.equal((await from.ask(4003, `user-${j} ${i} to ${j}`)).data, 'delivered');
  }
  for (const [j, user] of users.entries()) {
    assert.deepEqual(
      await user.pushed(8),
      users.map((_, i) => [5001, `${i} to ${j}`]),
    );
  }
  assert.equal((await users[0]!.ask(4003, 'nobody hello')).data, 'unknown');
  assert.equal((await users[3]!.ask(4013, '')).data, 'user-3', 'the logic worker knows who asks');
  for (const { wire } of users) wire.socket.destroy();
});

test('a second login replaces the first, wherever each is', async (t) => {
  const { gates } = await social(t);
  const [first, second, other] = await Promise.all([Member.at(gates[0]), Member.at(gates[1]), Member.at(gates[0])]);
  assert.equal((await first.ask(4001, 'anna')).data, 'bound');
  assert.equal((await second.ask(4001, 'anna')).data, 'replaced');
  await first.wire.until(() => first.wire.ended || first.wire.closed, 'the first is ended');
  assert.equal((await other.ask(4003, 'anna hi')).data, 'delivered');
  assert.deepEqual(await second.pushed(1), [[5001, 'hi']]);
  for (const { wire } of [first, second, other]) wire.socket.destroy();
});

test('members of a group get what is pushed to it, at all gates, and nobody else', async (t) => {
  const { gates } = await social(t);
  const members = await Promise.all(Array.from({ length: 10 }, (_, i) => Member.at(gates[i % 2]!)));
  const stranger = await Member.at(gates[0]);
  for (const member of members) assert.equal((await member.ask(4005, 'room')).data, 'done');
  assert.deepEqual(JSON.parse((await stranger.ask(4007, 'room hello')).data), { delivered: 10, slow: 0, failed: 0 });
  for (const member of members) assert.deepEqual(await member.pushed(1), [[5003, 'hello']]);
  assert.equal((await members[0]!.ask(4019, 'room')).data, 'done');
  assert.deepEqual(JSON.parse((await stranger.ask(4007, 'room again')).data), { delivered: 9, slow: 0, failed: 0 });
  assert.deepEqual(JSON.parse((await stranger.ask(4009, 'all')).data), { delivered: 11, slow: 0, failed: 0 });
  assert.deepEqual(await stranger.pushed(1), [[5005, 'all']]);
  for (const { wire } of [...members, stranger]) wire.socket.destroy();
});

test('a handler pushes to its client before it answers', async (t) => {
  const { gates } = await social(t);
  const client = await Member.at(gates[0]);
  assert.equal((await client.ask(4015, 'abc')).data, 'true');
  assert.deepEqual(
    client.wire.seen.map(({ seq, data }) => [seq, data]),
    [
      [0, 'a'],
      [0, 'b'],
      [0, 'c'],
      [1, 'true'],
    ],
  );
  client.wire.socket.destroy();
});

test('a kicked user is gone, and unknown afterwards', async (t) => {
  const { gates } = await social(t);
  const [anna, other] = await Promise.all([Member.at(gates[0]), Member.at(gates[1])]);
  await anna.ask(4001, 'anna');
  assert.equal((await other.ask(4011, 'anna')).data, 'delivered');
  await anna.wire.until(() => anna.wire.ended || anna.wire.closed, 'the end');
  const after = (await other.ask(4003, 'anna hi')).data;
  assert.ok(after === 'absent' || after === 'unknown', after);
  for (const { wire } of [anna, other]) wire.socket.destroy();
});
