// What modules are told of their clients, and what they may remember of them.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Context } from '../../src/route/context.ts';
import type { Module } from '../../src/route/module.ts';
import type { Client } from '../../src/session/client.ts';
import { request } from '../support/frames.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

test('modules are told of a client that comes and goes, in their order, and why it went', async (t) => {
  const told: string[] = [];
  const module = (name: string): Module => ({
    name,
    connected: (client) => told.push(`${name} connected ${client.id} ${client.isConnected}`),
    disconnected: (client, reason) => told.push(`${name} disconnected ${client.id} ${reason}`),
  });
  const { connect, count } = await served(t, { modules: [module('one'), module('two')] });
  const client = await connect();
  await count(1);
  client.send(request(1001, 1));
  await count(0);
  assert.deepEqual(told, [
    'one connected c1 true',
    'two connected c1 true',
    'one disconnected c1 unknown_command',
    'two disconnected c1 unknown_command',
  ]);
});

test('each reason is told', async (t) => {
  const reasons: string[] = [];
  const { connect, count } = await served(t, { modules: [{ name: 'one', disconnected: (_, reason) => reasons.push(reason) }] });
  for (const leave of ['halfClose', 'reset'] as const) {
    const client = await connect();
    await count(1);
    client[leave]();
    await count(0);
  }
  const rude = await connect();
  await count(1);
  rude.send(Buffer.from('no frame at all'));
  await count(0);
  assert.deepEqual(reasons, ['peer', 'reset', 'frame']);
});

test('a module may push and close when a client connects', async (t) => {
  const connected = (client: Client) => {
    client.push(2001, `welcome ${client.remote.split(':')[0]}`);
    if (client.id === 'c2') client.close();
  };
  const { connect } = await served(t, { modules: [{ name: 'one', connected, commands: { 1001: () => 'x' } }] });
  const first = await connect();
  assert.equal((await first.frame()).data, 'welcome 127.0.0.1');
  first.send(request(1001, 1));
  assert.equal((await first.frame()).seq, 1);
  const second = await connect();
  await second.end();
  assert.equal(second.seen[0]?.data, 'welcome 127.0.0.1');
});

test('a hook that fails, now or later, is a line in the log, and the client is served', async (t) => {
  const fails: Module[] = [
    {
      name: 'now',
      connected: () => {
        throw new Error('no');
      },
    },
    { name: 'later', connected: () => Promise.reject(new Error('not yet')) },
    { name: 'fine', commands: { 1001: () => 'x' } },
  ];
  const { connect, log } = await served(t, { modules: fails });
  const client = await connect();
  client.send(request(1001, 1));
  await client.frame();
  await soon(() => log.length === 2, 'both lines');
  assert.deepEqual(
    log.map(({ level, msg, module }) => [level, msg, module]),
    [
      ['error', 'hook of a module failed', 'now'],
      ['error', 'hook of a module failed', 'later'],
    ],
  );
});

function withSession(t: TestContext) {
  const expired: string[] = [];
  const left: string[] = [];
  const module: Module = {
    name: 'one',
    commands: {
      1001: (data: Buffer, ctx: Context) => ctx.session.set('name', data.toString(), { ttlMs: 5000 }),
      1003: (_: Buffer, ctx: Context) => ctx.session.get<string>('name') ?? 'nobody',
    },
    disconnected: (client) => left.push(client.session.get<string>('name') ?? 'nobody'),
    expired: (client, key, value) => expired.push(`${client.id} ${key} ${String(value)}`),
  };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return { module, expired, left };
}

test('a session remembers what it is told, for each client its own', async (t) => {
  const { module } = withSession(t);
  const { connect } = await served(t, { modules: [module] });
  const [ann, ben] = [await connect(), await connect()];
  ann.send(request(1001, 1, 'ann'), request(1003, 2));
  ben.send(request(1003, 1));
  assert.equal((await ann.frames(2))[1]!.data, 'ann');
  assert.equal((await ben.frame()).data, 'nobody');
});

test('a property that has reached its end is told to the module, and gone', async (t) => {
  const { module, expired } = withSession(t);
  const { connect } = await served(t, { modules: [module, { name: 'two', expired: (_, key) => expired.push(`two ${key}`) }] });
  const client = await connect();
  client.send(request(1001, 1, 'ann'));
  await client.frame();
  t.mock.timers.tick(5000);
  assert.deepEqual(expired, ['c1 name ann', 'two name']);
  client.send(request(1003, 2));
  assert.equal((await client.frame()).data, 'nobody');
});

test('a session is there until the client has been told to have left, and then nothing of it expires', async (t) => {
  const { module, expired, left } = withSession(t);
  const { connect, count, ledger } = await served(t, { modules: [module] });
  const client = await connect();
  client.send(request(1001, 1, 'ann'));
  await client.frame();
  assert.deepEqual([ledger.sessions.held, ledger.timers.held], [1, 1]);
  client.halfClose();
  await count(0);
  assert.deepEqual([left, ledger.sessions.held, ledger.timers.held], [['ann'], 0, 0]);
  t.mock.timers.tick(10_000);
  assert.deepEqual(expired, []);
});

test('a handler that is later than its client may use its session, and leaves nothing behind', async (t) => {
  const gate = Promise.withResolvers<void>();
  const late = async (_: Buffer, ctx: Context) => {
    await gate.promise;
    ctx.session.set('late', 1, { ttlMs: 1000 });
    return String(ctx.client.push(2001, 'x'));
  };
  const { pair, count, ledger, stats } = await served(t, { commands: { 1001: late } });
  const { client } = await pair();
  client.send(request(1001, 1));
  await soon(() => stats.inFlight === 1, 'the handler');
  client.reset();
  await count(0);
  gate.resolve();
  await turns();
  assert.ok(ledger.isZero(), ledger.toText());
});
