// "kim up" with two tiers, edited under load: what clients of ours see of replicas that come and go.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createClient, type Client, type Moved } from '../../src/client/index.ts';
import { KimUp } from '../support/kim-up.ts';
import { until } from '../support/until.ts';

/** Clients that ask one request after another, several at a time, each with data of its own. */
class Traffic {
  sent = 0;
  right = 0;
  readonly wrong: string[] = [];
  readonly #clients: Client[];
  readonly #running: Promise<void>[];
  readonly moves: Moved[] = [];
  readonly #sessions: (string | undefined)[];
  #stop = false;

  constructor(clients: Client[]) {
    this.#clients = clients;
    this.#sessions = clients.map(({ session }) => session?.id);
    for (const client of clients) client.onMoved((moved) => this.moves.push(moved));
    this.#running = clients.flatMap((client, i) => Array.from({ length: 5 }, (_, k) => this.#run(client, `${i}.${k}`)));
  }

  async #run(client: Client, name: string): Promise<void> {
    for (let n = 0; !this.#stop; n++) {
      const data = `${name}.${n}`;
      this.sent++;
      try {
        const answer = await client.request(1101, data, { timeoutMs: 15_000 });
        if (answer.code === 0 && answer.text() === data) this.right++;
        else this.wrong.push(`${data}: code ${answer.code} ${answer.text()}`);
      } catch (error) {
        this.wrong.push(`${data}: ${(error as Error).message}`);
      }
    }
  }

  async more(n: number): Promise<void> {
    const wanted = this.right + n;
    await until(() => this.right >= wanted || this.wrong.length > 0, `${n} more answers`);
    assert.deepEqual(this.wrong.slice(0, 5), []);
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await Promise.all(this.#running);
    assert.deepEqual(
      this.#clients.map(({ session }) => session?.id),
      this.#sessions,
      'every client has the session that it began with',
    );
    await Promise.all(this.#clients.map((client) => client.close()));
    assert.deepEqual(this.wrong.slice(0, 5), []);
    assert.equal(this.right, this.sent, 'every request has its answer, once');
  }
}

async function traffic(t: TestContext, up: KimUp): Promise<Traffic> {
  const clients = Array.from({ length: 16 }, () => createClient({ host: '127.0.0.1', port: up.port, hello: 'auto' }));
  t.after(() => Promise.all(clients.map((client) => client.close())));
  await Promise.all(clients.map((client) => client.connect()));
  return new Traffic(clients);
}

test('logic nodes 2 -> 4 -> 1 and gates 1 -> 3 -> 1 under load: nothing is lost, nothing doubled', { timeout: 120_000 }, async (t) => {
  const up = await KimUp.serving(t, { gates: 1, logics: 2 });
  const load = await traffic(t, up);
  await load.more(500);
  let later: Traffic | undefined;
  const count = (text: string) => up.lines.filter((line) => String(line['text']).startsWith(text)).length;
  const steps = [
    { gates: 1, logics: 4, serve: 2, end: 0 },
    { gates: 1, logics: 1, serve: 2, end: 3 },
    { gates: 3, logics: 1, serve: 4, end: 3 },
    { gates: 1, logics: 1, serve: 4, end: 5 },
  ];
  for (const { gates, logics, serve, end } of steps) {
    up.edit({ gates, logics });
    await until(() => count('serves') >= serve && count('ended') >= end, `${gates} gates and ${logics} logic nodes`);
    await load.more(500);
    await later?.more(500);
    // these find all gates, of which two go
    if (gates === 3) later = await traffic(t, up);
    await later?.more(500);
  }
  await load.stop();
  await later?.stop();
  assert.ok(later!.moves.length > 0 && later!.moves.every(({ resumed }) => resumed), 'clients of the gates that went have moved');
});

test('gates whose processes are replaced give their clients to the new ones, under load: nothing is lost, nothing doubled', async (t) => {
  const up = await KimUp.serving(t, { gates: 2, logics: 2 });
  const load = await traffic(t, up);
  await load.more(500);
  const ended = () => up.lines.filter((line) => line['text'] === 'ended').length;
  up.edit({ gates: 2, logics: 2, adminHost: '127.0.0.2' });
  await until(() => ended() === 2, 'both old processes have ended');
  await load.more(500);
  up.edit({ gates: 2, logics: 2, adminHost: '127.0.0.3' });
  await until(() => ended() === 4, 'the next two have ended');
  await load.more(500);
  await load.stop();
  assert.ok(load.moves.length > 0 && load.moves.every(({ resumed }) => resumed), 'every client took its session along');
});
