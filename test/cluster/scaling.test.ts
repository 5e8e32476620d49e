// Logic nodes and their workers come and go under load: no request fails, and no session forgets what it knew.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/frames.ts';
import { TestCluster } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

/** Clients that count in their sessions (2005), and notice when a count is not the one before and one. */
class Counters {
  readonly #clients: WireClient[];
  readonly #running: Promise<void>[];
  #stop = false;
  answered = 0;
  readonly complaints: string[] = [];
  readonly pids = new Set<number>();

  private constructor(clients: WireClient[]) {
    this.#clients = clients;
    this.#running = clients.map((client, i) => this.#run(client, i));
  }

  static async start(port: number, count: number): Promise<Counters> {
    return new Counters(await Promise.all(Array.from({ length: count }, () => WireClient.connect(port))));
  }

  async #run(client: WireClient, i: number): Promise<void> {
    for (let seq = 1; !this.#stop; seq += 5) {
      client.send(...Array.from({ length: 5 }, (_, k) => request(2005, seq + k)));
      for (const [k, reply] of (await client.frames(5)).entries()) {
        this.answered++;
        const n = seq + k;
        if (reply.seq !== n || reply.code !== 0)
          this.complaints.push(`client ${i} request ${n}: seq ${reply.seq} code ${reply.code} ${reply.msg}`);
        else {
          const { count, pid } = JSON.parse(reply.data) as { count: number; pid: number };
          this.pids.add(pid);
          if (count !== n) this.complaints.push(`client ${i} request ${n}: its session counted ${count}`);
        }
      }
    }
  }

  async more(n: number): Promise<void> {
    const wanted = this.answered + n;
    await until(() => this.answered >= wanted || this.complaints.length > 0, `${n} more answers`);
    assert.deepEqual(this.complaints.slice(0, 5), []);
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await Promise.all(this.#running);
    for (const client of this.#clients) client.socket.destroy();
    assert.deepEqual(this.complaints.slice(0, 5), []);
  }
}

test('a logic node that drains gives its sessions to the others, and no request fails', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 2, gate: { worker_cnt: 2 }, logic: { worker_cnt: 2, drain_ms: 5000 } });
  const counters = await Counters.start(cluster.gate.port, 30);
  await counters.more(1000);
  const leaving = cluster.logics[0]!;
  const pids = leaving.pids();
  assert.ok(
    pids.some((pid) => counters.pids.has(pid)),
    'it has sessions',
  );
  await leaving.manager.drain();
  await counters.more(1000);
  counters.pids.clear();
  await counters.more(1000);
  assert.ok(
    pids.every((pid) => !counters.pids.has(pid)),
    'the others have them now',
  );
  await counters.stop();
});

test('a logic node that comes takes new sessions, and leaves those that are there where they are', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 1 });
  const counters = await Counters.start(cluster.gate.port, 20);
  await counters.more(500);
  const added = await cluster.addLogic();
  await cluster.settled();
  await counters.more(500);
  assert.ok(!counters.pids.has(added.pids()[0]!));
  const fresh = await Counters.start(cluster.gate.port, 20);
  await until(() => fresh.pids.has(added.pids()[0]!), 'the new node serves some of them');
  await fresh.more(500);
  await fresh.stop();
  await counters.stop();
});

test('workers of a logic node from 1 to 3 to 1: sessions move and forget nothing', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 1, logic: { drain_ms: 5000 } });
  const [logic] = cluster.logics;
  const early = await Counters.start(cluster.gate.port, 10);
  await early.more(300);
  await logic!.manager.setWorkers(3);
  await until(
    () => cluster.gate.manager.membership.members.some(({ type, workers }) => type === 'logic' && workers === 3),
    'the gate knows',
  );
  const later = await Counters.start(cluster.gate.port, 20);
  await later.more(500);
  await until(() => later.pids.size > 1, 'new workers serve');
  await logic!.manager.setWorkers(1);
  await until(() => logic!.pids().length === 1 && logic!.manager.pool.living.length === 1, 'the others have left');
  await later.more(500);
  await later.stop();
  await early.stop();
});

test('workers of a logic node are rolled: their sessions go on in those that take their places', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 1, logic: { worker_cnt: 2, drain_ms: 5000 } });
  const [logic] = cluster.logics;
  const counters = await Counters.start(cluster.gate.port, 20);
  await counters.more(500);
  const before = logic!.pids();
  await logic!.manager.roll();
  await counters.more(500);
  counters.pids.clear();
  await counters.more(500);
  assert.ok(before.every((pid) => !counters.pids.has(pid)));
  await counters.stop();
});

test('workers of the gate come and go: the logic nodes keep the sessions of its clients', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 2, gate: { worker_cnt: 2, drain_ms: 5000 } });
  const counters = await Counters.start(cluster.gate.port, 20);
  await counters.more(500);
  for (const count of [4, 1, 3]) {
    await cluster.gate.manager.setWorkers(count);
    await counters.more(500);
  }
  await counters.stop();
});
