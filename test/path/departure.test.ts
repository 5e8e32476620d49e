// A worker that leaves: everybody who is there goes, whenever they came.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Departure } from '../../src/node/departure.ts';
import { request } from '../support/frames.ts';
import { Gates } from '../support/gates.ts';
import { served } from '../support/served.ts';
import { soon, turns } from '../support/turns.ts';

const LONG_MS = 600_000;

test('a client that comes while the last ones of a draining worker are busy is ended, too', async (t) => {
  const gates = new Gates();
  const { serve, pair, count } = await served(t, { commands: { 1001: gates.handler } });
  const { client, connection } = await pair();
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  t.mock.timers.enable({ apis: ['setInterval'] });
  const departure = new Departure(serve, Promise.resolve());
  departure.drain(LONG_MS);
  t.mock.timers.tick(1000);
  assert.equal(connection.ending, 'drain');
  const late = await pair();
  departure.arrived();
  t.mock.timers.tick(1000);
  await late.client.end();
  assert.equal(client.ended, false);
  gates.open('a');
  await client.end();
  await count(0);
  departure.check();
  await departure.done;
});

test('a client that comes while the last ones of a leaving worker are busy is handed over, too', async (t) => {
  const gates = new Gates();
  const { serve, pair } = await served(t, { commands: { 1001: gates.handler } });
  const { client, connection } = await pair();
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  const departure = new Departure(serve, Promise.resolve());
  const gone: string[] = [];
  departure.move(LONG_MS, ({ id }, { handle }, sent) => {
    gone.push(id);
    handle.close();
    sent();
  });
  await soon(() => connection.moving, 'it is about to go');
  await turns();
  const late = await pair();
  departure.arrived();
  await soon(() => gone.includes(late.connection.id), 'the late one goes');
  gates.open('a');
  await soon(() => gone.includes(connection.id), 'the busy one goes');
  departure.check();
  await departure.done;
});

/** How many of forty idle clients have been told to go after so many seconds of a drain of ten. */
async function toldAfter(t: TestContext, seconds: number, perSecond?: number): Promise<number> {
  const { serve, pair, count } = await served(t, {});
  const all = [];
  for (let i = 0; i < 40; i++) all.push(await pair());
  t.mock.timers.enable({ apis: ['setInterval'] });
  const departure = new Departure(serve, Promise.resolve());
  departure.drain(10_000, perSecond);
  t.mock.timers.tick(seconds * 1000);
  const told = all.filter(({ connection }) => connection.ending === 'drain' || connection.state !== 'open').length;
  t.mock.timers.tick(20_000);
  t.mock.timers.reset();
  for (const { client } of all) await client.end();
  await count(0);
  departure.check();
  await departure.done;
  return told;
}

test('clients leave evenly in half of the time, however many the others could take', async (t) => {
  assert.equal(await toldAfter(t, 1), 20);
});

test('clients leave no faster than the others can take them', async (t) => {
  assert.equal(await toldAfter(t, 1, 10), 10);
});

test('clients leave faster than that when some would be cut at the end otherwise', async (t) => {
  assert.equal(await toldAfter(t, 4, 1), 20);
});

test('of clients that are cut each is counted', async (t) => {
  const gates = new Gates();
  const { serve, pair, count, stats } = await served(t, { commands: { 1001: gates.handler } });
  const { client } = await pair();
  const { client: idle } = await pair();
  client.send(request(1001, 1, 'a'));
  await soon(() => gates.waiting.length === 1, 'the handler');
  const departure = new Departure(serve, Promise.resolve(), () => stats.countLimit('drain_ms'));
  departure.drain(100);
  await idle.end();
  await client.end();
  await count(0);
  departure.check();
  await departure.done;
  assert.equal(stats.limits['drain_ms'], 1);
});
