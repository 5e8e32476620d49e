// Clients that begin with HELLO, or ought to have, and do what no client of ours does.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as control from '../../src/wire/client-control.ts';
import { closedGate } from '../support/gate.ts';
import { frame, request } from '../support/frames.ts';
import { startNode } from '../support/node.ts';
import { Greeter } from '../support/wire-greeter.ts';

const { clientCommands: commands } = control;
const start = (t: TestContext, raw: Record<string, unknown> = {}) => startNode(t, { modules: ['load.ts', 'social.ts'], ...raw });

test('a heartbeat whose body does not parse ends its own connection and nothing else', async (t) => {
  const node = await start(t);
  const [pid] = node.pids();
  const other = await Greeter.at(t, node);
  await other.hello();
  for (const behind of ['', 'more']) {
    const client = await Greeter.at(t, node);
    await client.hello();
    client.wire.send(frame(commands.heartbeat, 7, Buffer.from('1aff', 'hex')), ...(behind === '' ? [] : [request(2001, 8, behind)]));
    await client.wire.end();
    assert.deepEqual(
      client.wire.seen.map(({ cmd }) => cmd),
      [commands.hello + 1],
    );
  }
  assert.equal((await other.answer(other.say(2001, 'still here'))).code, 0);
  assert.deepEqual(node.pids(), [pid]);
});

test('a client that did not begin with HELLO is answered code 4 to every command of the connection, whenever it sends it', async (t) => {
  const node = await start(t);
  for (const cmd of [commands.hello, commands.heartbeat, commands.leave]) {
    const client = await Greeter.at(t, node);
    await client.answer(client.say(2001, 'first'));
    assert.equal((await client.answer(client.say(cmd, ''))).code, 4, `command ${cmd}`);
    await client.wire.end();
  }
});

test('heartbeats beyond what a client may send are requests like any other: request_rate holds for them', async (t) => {
  const node = await start(t, { request_rate: 5, request_burst: 20 });
  const client = await Greeter.at(t, node);
  await client.hello();
  client.wire.send(...Array.from({ length: 500 }, (_, i) => request(commands.heartbeat, i + 2, '')));
  await node.statusWhen(({ totals }) => (totals.limits['request_rate'] ?? 0) > 0, 'it is slowed down');
  assert.ok(client.wire.seen.length < 100, `${client.wire.seen.length} heartbeats of 500 are answered`);
  const heard = client.wire.seen.length;
  await client.wire.until(() => client.wire.seen.length > heard, 'the others are answered in their time');
});

test('what a client sends behind heartbeats while it waits is counted and limited as it is', async (t) => {
  const node = await start(t);
  const gate = closedGate(t);
  const client = await Greeter.at(t, node);
  await client.hello();
  client.say(2021, gate.name);
  const filler = Buffer.concat(Array.from({ length: 200 }, () => request(commands.heartbeat, 0, Buffer.alloc(300))));
  const sent = 400;
  for (let i = 0; i < sent; i++) client.wire.send(filler, request(2001, 1000 + i, 'x'));
  const { totals } = await node.statusWhen(({ totals: { paused } }) => paused === 1, 'it is not read any more');
  assert.ok(totals.heldBytes < 1024 * 1024, `${totals.heldBytes} bytes are held`);
  gate.open();
  await client.answer(1000 + sent - 1);
});
