// Peers that misbehave on a link, from either side: no worker dies of it, and clients that have nothing to do with them notice nothing.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { WireLoad } from '../support/counted-load.ts';
import { FarWorker, reply, type Script } from '../support/far-worker.ts';
import { head, request, type Seen } from '../support/frames.ts';
import { absurdLogins, hostileFrames, talkTo } from '../support/hostile.ts';
import { randomOf } from '../support/load.ts';
import { NodeProcesses, type NodeProcess } from '../support/node-processes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const TIMEOUT_MS = 500;
/** By session, for clients that have a good node; by data, for those that meet every node again and again. */
const ROUTES = [
  { commands: '1101', to: 'logic', key: 'session' },
  { commands: '4000-4999', to: 'logic', key: 'session' },
  { commands: '2003', to: 'logic', key: 'data', timeout_ms: TIMEOUT_MS },
];

const half = (asked: Seen): Buffer => reply(asked, 0, 'ok', Buffer.alloc(100)).subarray(0, 60);
const NOT_YOURS = Buffer.from('not yours');

/** None answers whether it lives. */
const badAnswers: Readonly<Record<string, NonNullable<Script['answer']>>> = {
  'no frame at all': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'a number that nobody gave': ({ cmd, seq }) => reply({ cmd, seq: seq + 1_000_000 }, 0, 'ok', NOT_YOURS),
  'the number 0': ({ cmd }) => reply({ cmd, seq: 0 }, 0, 'ok', NOT_YOURS),
  'a command that nobody asked': ({ cmd, seq }) => reply({ cmd: cmd + 2, seq }, 0, 'ok', NOT_YOURS),
  'a length of two gigabytes': ({ cmd, seq }) => head(cmd + 1, seq, 0x7fff_ffff),
  'half a frame, and the end': (asked, _far, socket) => {
    socket.end(half(asked));
    return undefined;
  },
  'half a frame, and nothing more': (asked, far) => (far.requests.length === 1 ? half(asked) : undefined),
  'nothing, and it reads no more': (_asked, _far, socket) => {
    socket.pause();
    return undefined;
  },
};

async function started(t: TestContext) {
  const nodes = new NodeProcesses(t, { link_timeout_ms: 1000, link_heartbeat_ms: 500 });
  const all = await Promise.all([nodes.gate({ routes: ROUTES }), nodes.gate({ routes: ROUTES }), nodes.logic(), nodes.logic()]);
  await nodes.settled();
  const [gate, second] = all;
  const calm = await WireLoad.start(gate.port);
  await calm.more(20);
  const before = all.map((node) => node.workers());
  return {
    nodes,
    all,
    gate,
    gates: [gate, second],
    calm,
    async unharmed() {
      await calm.more(20);
      assert.deepEqual([calm.failures, calm.open], [0, calm.clients.length]);
      await calm.stop();
      assert.deepEqual(
        all.map((node) => node.workers()),
        before,
        'no worker has died',
      );
    },
  };
}

/** Of one client after another, now here and now there, what each is told when it logs in; the connection of the one before is ended. */
async function logins(gates: readonly NodeProcess[], count: number): Promise<string[]> {
  const results: string[] = [];
  let last: WireClient | undefined;
  for (let i = 0; i < count; i++) {
    const client = await WireClient.connect(gates[i % gates.length]!.port);
    results.push((await client.send(request(4001, 1, 'anna')).frame()).data);
    await last?.end();
    last?.destroy();
    last = client;
  }
  last?.destroy();
  return results;
}

test('logic nodes that answer with nonsense fail what is given to them, and nothing else', async (t) => {
  const { nodes, gate, unharmed } = await started(t);
  const far = await Promise.all(Object.values(badAnswers).map((answer) => FarWorker.listen(t, { answer, silent: [31] })));
  const pretended = await Promise.all(far.map(({ port }) => nodes.pretend({ type: 'logic', port })));
  await gate.knows(4 + far.length);
  const load = await WireLoad.start(gate.port, { cmd: 2003, clients: 16, depth: 2 });
  await load.more(20);
  for (const [i, { accepted }] of far.entries()) assert.ok(accepted > 0, `one with ${Object.keys(badAnswers)[i]} was asked`);
  await Promise.all(pretended.map((one) => one.go()));
  await gate.knows(4);
  await load.more(20);
  assert.equal(load.open, 16);
  await load.stop();
  assert.ok((load.counts.failed[11] ?? 0) > 0, 'an answer to something else is no answer');
  await unharmed();
});

test('one that claims to be ours and tells nonsense on links to it and from it harms nobody', async (t) => {
  const { nodes, all, gate, gates, unharmed } = await started(t);
  const random = randomOf(20_210_218);
  const answer: Script['answer'] = () => Buffer.concat(hostileFrames(random, 1));
  const [logic, otherGate] = await Promise.all([FarWorker.listen(t, { answer }), FarWorker.listen(t, { answer })]);
  const pretended = await Promise.all([
    nodes.pretend({ type: 'logic', port: logic.port }),
    nodes.pretend({ type: 'gate', port: otherGate.port, gate: '127.0.0.1:1' }),
  ]);
  await gate.knows(6);
  const load = await WireLoad.start(gate.port, { cmd: 2003 });
  for (const [i, type] of ['gate', 'logic', 'other'].entries()) {
    for (const node of all) await talkTo(node.nodePort, 1, { type, port: 60_001 + i }, hostileFrames(random, 6));
  }
  await talkTo(gate.nodePort, 1, { type: 'gate', port: 60_000 }, absurdLogins('anna'));
  await load.more(10);
  assert.ok(logic.requests.length > 0, 'it was asked');
  await until(async () => {
    await logins(gates, 1);
    return otherGate.requests.length > 0;
  }, 'the other is asked, too, when somebody logs in');
  await Promise.all(pretended.map((one) => one.go()));
  await gate.knows(4);
  await load.more(10);
  assert.deepEqual(await logins(gates, 6), ['bound', ...Array.from({ length: 5 }, () => 'replaced')]);
  assert.equal(load.open, load.clients.length);
  await load.stop();
  await unharmed();
});
