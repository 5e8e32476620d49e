// How many clients a worker serves, and how many from one address.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/frames.ts';
import { served } from '../support/served.ts';

const commands = { 1001: () => 'x' };

test('one client more than max_clients is closed, the others are served', async (t) => {
  const { connect, count, stats } = await served(t, { commands, limits: { maxClients: 2 } });
  const clients = [await connect(), await connect()];
  await count(2);
  const third = await connect();
  await third.end();
  assert.equal(third.seen.length, 0);
  for (const client of clients) {
    client.send(request(1001, 1));
    await client.frame();
  }
  assert.deepEqual([stats.refused, stats.limits, stats.accepted, stats.connections], [{ max_clients: 1 }, { max_clients: 1 }, 2, 2]);
});

test('who leaves makes room', async (t) => {
  const { connect, count } = await served(t, { commands, limits: { maxClients: 1 } });
  for (let i = 0; i < 3; i++) {
    const client = await connect();
    client.send(request(1001, 1));
    await client.frame();
    client.halfClose();
    await count(0);
  }
});

test('a new limit counts for the next client, and closes nobody', async (t) => {
  const { serve, connect, count } = await served(t, { commands, limits: { maxClients: 5 } });
  const clients = [await connect(), await connect(), await connect()];
  await count(3);
  serve.limits = { ...serve.limits, maxClients: 1 };
  await (await connect()).end();
  clients[2]!.send(request(1001, 1));
  await clients[2]!.frame();
});

test('an address has its own limit, others do not notice', async (t) => {
  const { connect, count, stats } = await served(t, { commands, limits: { maxClientsPerAddress: 2 } });
  const first = await connect();
  await connect();
  await count(2);
  await (await connect()).end();
  assert.deepEqual([stats.refused, stats.limits], [{ max_clients_per_address: 1 }, { max_clients_per_address: 1 }]);
  const other = await connect({ localAddress: '127.0.0.2' });
  other.send(request(1001, 1));
  await other.frame();
  first.halfClose();
  await count(2);
  const next = await connect();
  next.send(request(1001, 1));
  await next.frame();
});

test('with max_clients_per_address 0 an address may have as many as there are', async (t) => {
  const { connect, count } = await served(t, { commands, limits: { maxClientsPerAddress: 0 } });
  for (let i = 0; i < 30; i++) await connect();
  await count(30);
});
