// A worker that leaves: everybody who is there goes, whenever they came.

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
