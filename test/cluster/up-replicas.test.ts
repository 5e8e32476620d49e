// kim up with several gates and logic nodes: one port for all gates, and replicas that come and go while clients are served.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createClient, type Client, type ClientError } from '../../src/client/index.ts';
import { KimUp } from '../support/kim-up.ts';
import { until } from '../support/until.ts';

function client(t: TestContext, port: number): Client {
  const made = createClient({ host: '127.0.0.1', port, reconnect: false });
  t.after(() => made.close());
  return made;
}

async function ask(t: TestContext, port: number): Promise<string> {
  const asking = client(t, port);
  const answer = await asking.request(1001, '1 - hello');
  await asking.close();
  return `${answer.code} ${answer.text()}`;
}

/**
 * New clients, one after another, each with one request. `stop` tells what went wrong: a gate that leaves may close a connection on which
 * no request has come yet, and then the client comes once more; but none is refused.
 */
function visitors(t: TestContext, port: number) {
  let isOver = false;
  let served = 0;
  const wrong: string[] = [];
  const work = (async () => {
    while (!isOver) {
      const again = (error: unknown) => ((error as ClientError).code === 'closed' ? ask(t, port) : Promise.reject(error));
      const result = await ask(t, port).catch(again).catch(String);
      if (result === '0 good job!') served++;
      else wrong.push(result);
    }
  })();
  return {
    get served() {
      return served;
    },
    async stop() {
      isOver = true;
      await work;
      return wrong;
    },
  };
}

/** Clients that stay and ask without a pause. */
function residents(clients: readonly Client[]) {
  let isOver = false;
  let right = 0;
  const wrong: string[] = [];
  const work = clients.map(async (resident, i) => {
    for (let n = 0; !isOver; n++) {
      const asked = Array.from({ length: 10 }, (_, k) => `client ${i} request ${n} ${k}`);
      const answers = await Promise.allSettled(asked.map((data) => resident.request(1101, data)));
      answers.forEach((answer, k) => {
        if (answer.status === 'fulfilled' && answer.value.code === 0 && answer.value.text() === asked[k]) right++;
        else wrong.push(answer.status === 'fulfilled' ? `${answer.value.code} ${answer.value.text()}` : String(answer.reason));
      });
      if (wrong.length > 0) return;
    }
  });
  return {
    get right() {
      return right;
    },
    async stop() {
      isOver = true;
      await Promise.all(work);
      return wrong;
    },
  };
}

const ended = (node: string) => (line: Record<string, unknown>) => line['node'] === node && line['text'] === 'ended';

test('each gate is reached on the port of all and on one of its own, and relays to the logic nodes', async (t) => {
  const up = await KimUp.serving(t, { gates: 3, logics: 2, workers: 1 });
  assert.deepEqual(
    up.rows.map(({ node }) => node),
    ['up-test-logic-0', 'up-test-logic-1', 'up-test-gate-0', 'up-test-gate-1', 'up-test-gate-2'],
  );
  const [shared] = up.gatePorts(0);
  assert.deepEqual([up.gatePorts(0).length, up.gatePorts(1).length, up.gatePorts(2)[0]], [1, 2, shared]);
  for (const port of new Set([0, 1, 2].flatMap((replica) => up.gatePorts(replica)))) assert.equal(await ask(t, port), '0 good job!');
});

test('a gate that is replaced by a new process refuses nobody', async (t) => {
  const up = await KimUp.serving(t);
  const visiting = visitors(t, up.port);
  const [first] = up.rows;
  up.edit({ more: '  discovery: { file: { path: other-members } }\n' });
  await up.said(/directory_path .* \(needs a new process; the old one drains\)/);
  await until(() => up.lines.some(ended('up-test-gate-0')), 'the old process has ended');
  const before = visiting.served;
  await until(() => visiting.served > before + 20, 'clients are served by the new one');
  assert.deepEqual(await visiting.stop(), []);
  assert.ok(!up.family().includes(first!.pid));
});

test('a gate that is killed leaves the port to the others, and its clients connect again at once', async (t) => {
  const up = await KimUp.serving(t, { gates: 2, workers: 1 });
  process.kill(up.rows[1]!.pid, 'SIGKILL');
  await up.said(/ended unexpectedly \(signal SIGKILL\)/);
  assert.equal(await ask(t, up.port), '0 good job!');
  await up.said(/serves \(clients/);
  assert.equal(await ask(t, up.gatePorts(1)[1]!), '0 good job!');
});

test('gates come and go while new clients arrive, and none is refused', async (t) => {
  const up = await KimUp.serving(t, { workers: 1 });
  const visiting = visitors(t, up.port);
  up.edit({ workers: 1, gates: 3 });
  await until(() => up.lines.filter(({ text }) => String(text).startsWith('serves')).length === 2, 'two more gates serve');
  const grown = visiting.served;
  await until(() => visiting.served > grown + 50, 'clients are served by all');
  up.edit({ workers: 1, gates: 1 });
  await until(() => up.lines.some(ended('up-test-gate-1')) && up.lines.some(ended('up-test-gate-2')), 'two gates have ended');
  const leaving = up.lines.filter(({ text }) => String(text).startsWith('drains')).map(({ node }) => node);
  assert.deepEqual(leaving, ['up-test-gate-2', 'up-test-gate-1'], 'the highest first');
  const shrunk = visiting.served;
  await until(() => visiting.served > shrunk + 50, 'clients are served by the one that stays');
  assert.deepEqual(await visiting.stop(), []);
});

test('logic nodes come and go under load, and every request is answered', async (t) => {
  const up = await KimUp.serving(t, { logics: 2 });
  const load = residents(Array.from({ length: 10 }, () => client(t, up.port)));
  for (const logics of [4, 1]) {
    const before = load.right;
    up.edit({ logics });
    await until(
      () =>
        logics === 4
          ? up.lines.filter(({ text }) => String(text).startsWith('serves')).length === 2
          : up.lines.filter(({ text }) => text === 'ended').length === 3,
      `${logics} logic nodes are there`,
    );
    await until(() => load.right > before + 500, 'the clients go on');
  }
  assert.deepEqual(await load.stop(), []);
});
