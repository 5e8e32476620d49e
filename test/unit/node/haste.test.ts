// Turns of the event loop are short while a crowd comes in, and as long as they are otherwise.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Haste } from '../../../src/node/haste.ts';
import { turn, turns } from '../../support/turns.ts';

/** Serving somebody takes an eighth of a millisecond; each piece has a hundred bytes. */
class Served {
  now = 0;
  readonly order: string[] = [];
  readonly haste = new Haste<string>(
    () => this.now,
    (who) => this.#serve(who),
  );

  #serve(who: string): void {
    this.now += 0.125;
    this.order.push(who);
  }

  /** Somebody sends; true if it was served at once. */
  sends(who: string, bytes = 100): boolean {
    if (this.haste.putsOff(who, bytes, this.now)) return false;
    this.#serve(who);
    return true;
  }

  /** One newcomer in each of three turns. */
  async crowd(turnMs = 8): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.now += turnMs;
      this.haste.arrived();
      await turn();
    }
  }
}

const clients = Array.from({ length: 12 }, (_, i) => `client ${i + 1}`);

test('without newcomers everybody is served in the turn in which it sends', () => {
  const served = new Served();
  assert.ok(clients.every((client) => served.sends(client)));
});

test('newcomers that come now and then change nothing', async () => {
  const served = new Served();
  for (let i = 0; i < 5; i++) {
    served.now += 8;
    served.haste.arrived();
    await turns(3);
    assert.ok(clients.every((client) => served.sends(client)));
  }
});

test('newcomers of turns that are short anyway change nothing', async () => {
  const served = new Served();
  await served.crowd(1);
  assert.ok(clients.every((client) => served.sends(client)));
});

test('in a crowd a turn serves for half a millisecond, and the others follow in their order, each once', async () => {
  const served = new Served();
  await served.crowd();
  for (const client of clients) served.sends(client);
  assert.deepEqual(served.order, clients.slice(0, 4));
  await turn();
  assert.deepEqual(served.order, clients.slice(0, 8));
  await turn();
  assert.deepEqual(served.order, clients);
  await turn();
  assert.deepEqual(served.order, clients);
});

test('one that waits and goes on sending is served at once', async () => {
  const served = new Served();
  await served.crowd();
  for (const client of clients) served.sends(client);
  assert.ok(served.sends('client 12'));
  await turns();
  assert.deepEqual([...served.order].sort(), [...clients].sort());
});

test('one that has gone while it waited is not served', async () => {
  const served = new Served();
  await served.crowd();
  for (const client of clients) served.sends(client);
  served.haste.forget('client 12');
  await turns();
  assert.deepEqual(served.order, clients.slice(0, 11));
});

test('what waits has a limit in bytes, and whoever comes after it is served at once', async () => {
  const served = new Served();
  await served.crowd();
  for (const client of clients.slice(0, 4)) served.sends(client);
  assert.equal(served.sends('large', 4 * 1024 * 1024), false);
  assert.equal(served.sends('small'), true);
  await turn();
  assert.equal(served.order.at(-1), 'large');
});

test('when the last newcomer was a while ago, turns are as long as before', async () => {
  const served = new Served();
  await served.crowd();
  served.now += 21;
  assert.ok(clients.every((client) => served.sends(client)));
});
