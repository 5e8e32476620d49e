// Clients that mean harm, each kind beside an honest one on the same worker: it gets every reply, and memory stays bounded.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import { honestClient } from '../support/honest.ts';
import { randomOf } from '../support/load.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { frame, rawFrame, type RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import type { NodeStatus } from '../../src/ops/snapshot.ts';

const MIB = 1024 * 1024;
/** Beyond what a test allows the node to keep: buffers that are free and not collected yet, far less than the attackers ask for. */
const BREATH = 192 * MIB;

/** Runs an attack beside an honest client; `over` says from /status when it has been dealt with. */
async function underAttack(
  t: TestContext,
  raw: Record<string, unknown>,
  attack: (node: TestNode) => unknown,
  over: (status: NodeStatus) => boolean,
): Promise<{ status: NodeStatus; grown: number }> {
  const node = await startNode(t, raw);
  const honest = await honestClient(node);
  await attack(node);
  const status = await node.statusWhen(over, 'the attack is over');
  const { wrong, grown } = await honest.stop();
  assert.deepEqual(wrong, []);
  assert.equal(status.workers[0]!.restarts, 0);
  return { status, grown };
}

const ended = (clients: RawClient[]) => until(() => clients.every((client) => client.ended !== undefined), 'all attackers are closed');

test('clients that never read are closed, the largest first, when they fill the memory of the worker', async (t) => {
  const { status, grown } = await underAttack(
    t,
    { worker_memory: '8MiB', outgoing_deadline_ms: 60_000 },
    async (node) => {
      const clients = await node.connectAll(100);
      for (const client of clients) {
        client.socket.pause();
        client.write(...Array.from({ length: 400 }, (_, i) => frame(2007, i + 1, '65536')));
      }
    },
    ({ totals }) => (totals.closed['memory'] ?? 0) >= 20,
  );
  assert.equal(status.totals.limits['worker_memory'], status.totals.closed['memory']);
  assert.ok(status.totals.limits['outgoing_limit']! > 0);
  assert.ok(grown < 8 * MIB + BREATH, `grew by ${grown / MIB} MiB`);
});

for (const is_reuseport of [false, true]) {
  test(`while memory is short nobody new is let in, and who waits is served after${is_reuseport ? ', with is_reuseport as well' : ''}`, async (t) => {
    const node = await startNode(t, { worker_memory: '8MiB', outgoing_deadline_ms: 60_000, is_reuseport });
    const [worker] = node.manager.pool.serving();
    const attackers = await node.connectAll(60);
    for (const client of attackers) {
      client.socket.pause();
      client.write(...Array.from({ length: 400 }, (_, i) => frame(2007, i + 1, '65536')));
    }
    await until(() => worker!.isFull, 'the worker lets nobody in');
    const late = await node.connect();
    const answer = late.request(2001, 'patience');
    for (const client of attackers) client.destroy();
    assert.equal((await answer).data, 'patience');
    assert.equal(worker!.isFull, false, 'it was served when there was room again');
  });
}

test('clients that do not read what they asked for are closed after the deadline', async (t) => {
  const { status } = await underAttack(
    t,
    { outgoing_deadline_ms: 300 },
    async (node) => {
      for (const client of await node.connectAll(5)) {
        client.socket.pause();
        client.write(...Array.from({ length: 200 }, (_, i) => frame(2007, i + 1, '65536')));
      }
    },
    ({ totals }) => totals.closed['slow_reader'] === 5,
  );
  assert.equal(status.totals.limits['outgoing_deadline_ms'], 5);
});

test('clients that send a byte at a time are closed when a frame takes longer than frame_ms', async (t) => {
  const { status, grown } = await underAttack(
    t,
    { frame_ms: 500 },
    async (node) => {
      const clients = await node.connectAll(100);
      const bytes = frame(2001, 1, 'x'.repeat(5000));
      let at = 0;
      const drip = setInterval(() => {
        at++;
        for (const client of clients) if (client.ended === undefined) client.write(bytes.subarray(at, at + 1));
      }, 5);
      for (const client of clients) client.write(bytes.subarray(0, 1));
      await ended(clients);
      clearInterval(drip);
    },
    ({ totals }) => totals.connections === 1,
  );
  assert.deepEqual(status.totals.closed, { slow_sender: 100 });
  assert.equal(status.totals.limits['frame_ms'], 100);
  assert.ok(grown < BREATH, `grew by ${grown / MIB} MiB`);
});

test('a head that announces 2 GiB is closed before a byte of it is kept, and 8 MiB that do not come cost nothing', async (t) => {
  const { status, grown } = await underAttack(
    t,
    { frame_ms: 600 },
    async (node) => {
      const [greedy, slow] = [await node.connectAll(50), await node.connectAll(200)];
      for (const client of greedy) client.write(rawFrame(2001, 1, 0x7fffffff, Buffer.alloc(1000)));
      for (const client of slow) client.write(rawFrame(2001, 1, 8 * MIB, Buffer.alloc(1000)));
      await ended([...greedy, ...slow]);
    },
    ({ totals }) => totals.connections === 1,
  );
  assert.deepEqual(status.totals.closed, { size: 50, slow_sender: 200 });
  assert.equal(status.totals.limits['max_frame'], 50);
  assert.ok(grown < BREATH, `grew by ${grown / MIB} MiB`);
});

test('random bytes close their own connection and nothing else', async (t) => {
  const random = randomOf(11);
  const { status } = await underAttack(
    t,
    { frame_ms: 500, first_byte_ms: 500 },
    async (node) => {
      const clients = await node.connectAll(200);
      for (const client of clients) {
        client.write(Buffer.from(Uint8Array.from({ length: 1 + random() * 4000 }, () => random() * 256)));
      }
      await ended(clients);
    },
    ({ totals }) => totals.connections === 1,
  );
  const reasons = Object.keys(status.totals.closed);
  assert.ok(reasons.includes('frame'));
  assert.deepEqual(
    reasons.filter((reason) => !['frame', 'size', 'slow_sender', 'unknown_command', 'reset'].includes(reason)),
    [],
  );
});

test('connections of which one end is closed or silent do not stay', async (t) => {
  const { status } = await underAttack(
    t,
    { first_byte_ms: 400 },
    async (node) => {
      const silent = await node.connectAll(100);
      const halfOpen = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = net.connect({ port: node.port, host: '127.0.0.1', allowHalfOpen: true });
          await once(socket, 'connect');
          socket.resume();
          socket.end();
          return socket;
        }),
      );
      await Promise.all(halfOpen.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, 'close')));
      await ended(silent);
    },
    ({ totals }) => totals.connections === 1,
  );
  assert.deepEqual(status.totals.closed, { peer: 100, first_byte: 100 });
  assert.equal(status.totals.limits['first_byte_ms'], 100);
});

test('a flood of connections is let in at accept_rate, and what does not fit into the queue is refused', async (t) => {
  const { status } = await underAttack(
    t,
    { accept_rate: 200, accept_burst: 100, accept_queue: 200 },
    async (node) => {
      const sockets = Array.from({ length: 2000 }, () => net.connect({ port: node.port, host: '127.0.0.1' }));
      for (const socket of sockets) socket.on('error', () => undefined);
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      for (const socket of sockets) socket.destroy();
    },
    ({ manager, totals }) => manager.passQueue === 0 && totals.connections === 1 && manager.accepted > 1000,
  );
  const refused = status.manager.refused['accept_queue']!;
  assert.ok(refused > 500, `${refused} were refused`);
  assert.ok(status.manager.limits['accept_rate']! > 0);
  assert.equal(status.manager.limits['accept_queue'], refused);
  assert.equal(status.manager.passes + refused, status.manager.accepted);
});

test('resets in the middle of a reply are nothing but closed connections', async (t) => {
  const { status, grown } = await underAttack(
    t,
    {},
    async (node) => {
      for (let round = 0; round < 5; round++) {
        const clients = await node.connectAll(30);
        for (const client of clients) client.write(frame(2003, 1, '1 x'), frame(2007, 2, '4000000'), frame(2003, 3, '50 x'));
        await Promise.all(clients.map((client) => until(() => client.received > 1000, 'the reply has begun')));
        for (const client of clients) client.socket.resetAndDestroy();
      }
    },
    ({ totals }) => totals.connections === 1,
  );
  assert.deepEqual(status.totals.closed, { reset: 150 });
  assert.equal(status.totals.inFlight, 0);
  assert.ok(grown < 150 * 4 * MIB, `grew by ${grown / MIB} MiB`);
});
