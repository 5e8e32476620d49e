// Clients that come back while the worker is busy with them already, or leaves: sessions that are asked for, kept and given away.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { GateSessions, Luggage, Stray } from '../../src/cluster/gate-sessions.ts';
import { encodeToken } from '../../src/cluster/token.ts';
import * as control from '../../src/wire/client-control.ts';
import { served, type ServedOptions } from '../support/served.ts';
import { soon } from '../support/turns.ts';
import { Greeter } from '../support/wire-greeter.ts';

const secret = Buffer.alloc(16, 5);
const token = encodeToken({ session: 's1', worker: '192.0.2.1:1.1', secret });
const luggage: Luggage = { user: '', userTime: 0, groups: [], pins: [], properties: undefined, requests: 10 };
const strayOf = (session: string): Stray => ({ ...luggage, session, secret });

/** A worker whose cluster is what the test says. */
async function start(t: TestContext, options: ServedOptions = {}) {
  const fetches: PromiseWithResolvers<Stray | undefined>[] = [];
  const given: Stray[] = [];
  const over: string[] = [];
  const cluster = {
    self: '192.0.2.9:1.1',
    isReplaced: false,
    packed: luggage,
    takes: (_stray: Stray): Promise<boolean> => Promise.resolve(true),
    pack: () => cluster.packed,
    unpack: () => true,
    follow: (session: string, _where: unknown, isOver: boolean) => isOver && over.push(session),
    addresses: () => [],
    fetch() {
      const asked = Promise.withResolvers<Stray | undefined>();
      fetches.push(asked);
      return asked.promise;
    },
    async giveAway(stray: Stray) {
      given.push(stray);
      return cluster.takes(stray);
    },
  };
  const node = await served(t, { commands: { 2001: (data) => data }, ...options });
  const { greeter } = node.serve.clients;
  greeter.sessions = cluster as unknown as GateSessions;
  return {
    node,
    greeter,
    cluster,
    fetches,
    given,
    over,
    asked: (n: number) => soon(() => fetches.length === n, `${n} sessions are asked for`),
  };
}

test('of two that come at once with one token the later one gets the session, once', async (t) => {
  const { node, greeter, fetches, asked } = await start(t);
  const [first, second] = [await Greeter.at(t, node), await Greeter.at(t, node)];
  const welcome = first.hello(token);
  await asked(1);
  const other = second.hello(token);
  assert.equal(greeter.give('s1', secret), undefined, 'nobody has it yet');
  await soon(() => node.stats.framesIn === 2, 'both are read');
  fetches[0]!.resolve(strayOf('s1'));
  assert.deepEqual([(await welcome).resumed, (await other).resumed], [true, true]);
  assert.equal(fetches.length, 1);
  await first.wire.end();
  assert.equal((await second.answer(second.say(2001, 'x'))).code, 0);
  assert.equal(greeter.kept, 0);
});

test('a worker that asks for a session while this one does gets it as soon as it has come', async (t) => {
  const { node, greeter, fetches, asked } = await start(t);
  const client = await Greeter.at(t, node);
  const welcome = client.hello(token);
  await asked(1);
  const waiting = greeter.giveOnceHere('s1', secret, '192.0.2.2:1.1');
  const stranger = greeter.giveOnceHere('s1', Buffer.alloc(16, 6), '192.0.2.2:1.1');
  fetches[0]!.resolve(strayOf('s1'));
  assert.equal((await welcome).resumed, true);
  assert.equal((await waiting)?.session, 's1');
  assert.equal(await stranger, undefined);
  await client.wire.end();
  assert.equal(greeter.kept, 0);
});

test('a session that comes for a client that has gone meanwhile is not lost with a worker that leaves', async (t) => {
  const { node, greeter, fetches, given, asked } = await start(t);
  const client = await Greeter.at(t, node);
  client.say(control.clientCommands.hello, control.hello.encode({ token }));
  await asked(1);
  client.wire.reset();
  await node.count(0);
  const closed = greeter.close();
  fetches[0]!.resolve(strayOf('s1'));
  await closed;
  assert.deepEqual(
    given.map(({ session }) => session),
    ['s1'],
  );
});

test('a worker that leaves gives away what it keeps, not all of it at once', async (t) => {
  const { greeter, cluster, given, over } = await start(t);
  for (let i = 0; i < 1000; i++) greeter.keep(strayOf(`s${i}`));
  let most = 0;
  let now = 0;
  cluster.takes = async ({ session }) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    return session !== 's7';
  };
  await greeter.close();
  assert.equal(given.length, 1000);
  assert.ok(most <= 256, `${most} at once`);
  assert.deepEqual(over, ['s7']);
});

test('a session that changes while it goes ahead to a new process goes again', async (t) => {
  const { node, greeter, cluster, given } = await start(t);
  cluster.isReplaced = true;
  const client = await Greeter.at(t, node);
  const { session_id } = await client.hello();
  cluster.takes = () => {
    if (given.length === 1) cluster.packed = { ...luggage, user: 'anna', userTime: 5 };
    return Promise.resolve(true);
  };
  const [connection] = node.serve.connections;
  assert.equal(greeter.move(connection!, 1000), true);
  await client.wire.until(() => client.wire.seen.some(({ cmd }) => cmd === control.clientCommands.move), 'it is asked to move');
  assert.deepEqual(
    given.map(({ session, user }) => [session, user]),
    [
      [session_id, ''],
      [session_id, 'anna'],
    ],
  );
});

test('where nothing is kept for clients that come back, no session goes ahead of its client', async (t) => {
  const { node, greeter, cluster, given } = await start(t, { limits: { resumeMs: 0 } });
  cluster.isReplaced = true;
  const client = await Greeter.at(t, node);
  await client.hello();
  const [connection] = node.serve.connections;
  greeter.move(connection!, 1000);
  await client.wire.until(() => client.wire.seen.some(({ cmd }) => cmd === control.clientCommands.move), 'it is asked to move');
  assert.deepEqual(given, []);
  assert.equal(greeter.keep(strayOf('s1')), false, 'and none is taken that another gives away');
});

test('a copy of a session whose client is here is not kept beside it', async (t) => {
  const { node, greeter } = await start(t);
  const client = await Greeter.at(t, node);
  const { session_id } = await client.hello();
  assert.equal(greeter.keep(strayOf(session_id)), true);
  assert.equal(greeter.kept, 0);
});
