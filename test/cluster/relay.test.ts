// A gate that relays to logic nodes, in real processes: what clients see of it, and of a logic node that dies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, request } from '../support/frames.ts';
import { TestCluster } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

test('a request goes to a logic node and its answer comes back under the seq of the client', async (t) => {
  const { gate } = await TestCluster.start(t);
  const client = await WireClient.connect(gate.port);
  client.send(request(1001, 0x89abcdef, '1 - hello'), request(1001, 0, 'again'));
  const replies = await client.frames(2);
  assert.deepEqual(
    replies.map(({ cmd, seq, code, msg, data }) => ({ cmd, seq, code, msg, data })),
    [0x89abcdef, 0].map((seq) => ({ cmd: 1002, seq, code: 0, msg: 'ok', data: 'good job!' })),
  );
  client.socket.destroy();
});

test('replies leave in the order of the requests, however long each takes', async (t) => {
  const { gate } = await TestCluster.start(t, { logics: 2 });
  const client = await WireClient.connect(gate.port);
  // 2015 may run many at once for one session: the logic node answers the quick ones first
  const all = Array.from({ length: 200 }, (_, i) => request(2015, i + 1, `${(i * 7) % 13} ${i}`));
  client.send(...all);
  const replies = await client.frames(200);
  assert.deepEqual(
    replies.map(({ seq, data }) => [seq, data]),
    all.map((_, i) => [i + 1, `${(i * 7) % 13} ${i}`]),
  );
  client.socket.destroy();
});

test('a client stays with its logic worker, which knows its session; others go elsewhere', async (t) => {
  const { gate } = await TestCluster.start(t, { logics: 2, gate: { worker_cnt: 2 }, logic: { worker_cnt: 2 } });
  const clients = await Promise.all(Array.from({ length: 24 }, () => WireClient.connect(gate.port)));
  const served = await Promise.all(
    clients.map(async (client) => {
      client.send(...[1, 2, 3].map((seq) => request(2005, seq)));
      const seen = (await client.frames(3)).map(({ data }) => JSON.parse(data) as { count: number; id: string; pid: number });
      assert.deepEqual(
        seen.map(({ count }) => count),
        [1, 2, 3],
      );
      assert.equal(new Set(seen.map(({ pid }) => pid)).size, 1);
      return seen[0]!;
    }),
  );
  assert.equal(new Set(served.map(({ id }) => id)).size, 24, 'every client has a session of its own');
  assert.equal(new Set(served.map(({ pid }) => pid)).size, 4, 'every logic worker serves some');
  for (const client of clients) client.socket.destroy();
});

test('a command that nobody answers gets code 4 from the logic node, and the client stays connected', async (t) => {
  const { gate } = await TestCluster.start(t);
  const client = await WireClient.connect(gate.port);
  client.send(request(9999, 1, 'x'), request(1001, 2, 'x'));
  const replies = await client.frames(2);
  assert.deepEqual(
    replies.map(({ seq, code, msg }) => [seq, code, msg]),
    [
      [1, 4, 'invalid cmd!'],
      [2, 0, 'ok'],
    ],
  );
  client.socket.destroy();
});

test('a body that could swallow what is appended closes the client, and nothing reaches a logic node', async (t) => {
  const { gate, logics } = await TestCluster.start(t);
  const client = await WireClient.connect(gate.port);
  client.send(frame(1001, 1, Buffer.from('1a017872ff', 'hex')));
  await client.until(() => client.ended || client.closed, 'the end');
  assert.deepEqual(client.seen, []);
  const { totals } = await logics[0]!.status();
  assert.deepEqual(totals.commands['1001']!.codes, {});
});

test('without a logic node every request is answered with that', async (t) => {
  const cluster = new TestCluster(t);
  const gate = await cluster.addGate();
  const client = await WireClient.connect(gate.port);
  client.send(request(1001, 5, 'x'));
  const [reply] = await client.frames(1);
  assert.deepEqual([reply!.seq, reply!.code, reply!.msg], [5, 15, 'relay to node failed!']);
  client.socket.destroy();
});

test('a logic node that comes later is found', async (t) => {
  const cluster = new TestCluster(t);
  const gate = await cluster.addGate();
  const client = await WireClient.connect(gate.port);
  await cluster.addLogic();
  await cluster.settled();
  await until(async () => {
    const before = client.seen.length;
    client.send(request(1001, before + 1, 'x'));
    await client.until(() => client.seen.length > before, 'an answer');
    return client.seen.at(-1)!.code === 0;
  }, 'the logic node answers');
  client.socket.destroy();
});

test('killed with -9 under load: every request is answered or failed, and the next owner goes on', async (t) => {
  const { gate, logics } = await TestCluster.start(t, { logics: 2, gate: { worker_cnt: 2 } });
  const clients = await Promise.all(Array.from({ length: 20 }, () => WireClient.connect(gate.port)));
  const counts = { sent: 0, ok: 0, failed: 0 };
  let stop = false;
  const running = clients.map(async (client) => {
    for (let seq = 1; !stop; seq += 10) {
      client.send(...Array.from({ length: 10 }, (_, i) => request(2001, seq + i, `${seq + i}`)));
      counts.sent += 10;
      for (const [i, reply] of (await client.frames(10)).entries()) {
        assert.equal(reply.seq, seq + i, 'in order, none twice');
        if (reply.code === 0) {
          assert.equal(reply.data, `${seq + i}`);
          counts.ok++;
        } else {
          assert.equal(reply.msg, 'relay to node failed!');
          assert.ok([14, 18, 20].includes(reply.code), `code ${reply.code}`);
          counts.failed++;
        }
      }
    }
  });
  await until(() => counts.ok > 2000, 'traffic flows');
  for (const pid of logics[0]!.pids()) process.kill(pid, 'SIGKILL');
  await logics[0]!.manager.kill();
  const before = counts.ok;
  await until(() => counts.ok > before + 2000, 'traffic flows again');
  stop = true;
  await Promise.all(running);
  assert.equal(counts.ok + counts.failed, counts.sent, 'none is unexplained');
  for (const client of clients) client.socket.destroy();
});
