// Clocks that are ten minutes apart: who came later is decided by what happened, not by what each node takes for the time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireLoad } from '../support/counted-load.ts';
import { request, type Seen } from '../support/frames.ts';
import { NodeProcesses, type NodeProcess } from '../support/node-processes.ts';
import { WireClient } from '../support/wire-client.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

const SHIFT_MS = 600_000;
const AHEAD = {
  env: {
    NODE_OPTIONS: `--import ${new URL('../support/shifted-clock.ts', import.meta.url).href}`,
    KIM_TEST_CLOCK_MS: String(SHIFT_MS),
  },
};

/** A client that asks one thing after another. */
class Person {
  readonly wire: WireClient;
  #seq = 0;

  private constructor(wire: WireClient) {
    this.wire = wire;
  }

  static async at(gate: NodeProcess): Promise<Person> {
    return new Person(await WireClient.connect(gate.port));
  }

  async ask(cmd: number, data: string): Promise<string> {
    const seq = ++this.#seq;
    this.wire.send(request(cmd, seq, data));
    const answer = (): Seen | undefined => this.wire.seen.find((frame) => frame.seq === seq);
    await this.wire.until(() => answer() !== undefined, `the answer to ${cmd}`);
    return answer()!.data;
  }

  async pushed(data: string): Promise<void> {
    await this.wire.until(() => this.wire.seen.some((frame) => frame.seq === 0 && frame.data === data), `the push ${data}`);
  }

  async end(): Promise<void> {
    await this.wire.end();
    this.wire.destroy();
  }
}

test('nodes whose clocks are ten minutes apart relay, push, log in and announce as all others', { skip: noZookeeper }, async (t) => {
  const server = await startZookeeper(t);
  const zookeeper = { is_open: true, servers: server.address, root: '/kim-test', session_timeout_ms: 2000 };
  const nodes = new NodeProcesses(t, { zookeeper });
  const starting = [nodes.gate(), nodes.gate({}, AHEAD), nodes.logic(), nodes.logic({}, AHEAD)] as const;
  const [gate, aheadGate, , aheadLogic] = await Promise.all(starting);
  await nodes.settled();
  const time = new Map((await gate.members()).map(({ name, activeSince }) => [name, Date.parse(activeSince)]));
  assert.ok(time.get(aheadGate.name)! - time.get(gate.name)! > SHIFT_MS / 2, 'the clock of one is ahead');

  const loads = await Promise.all([gate, aheadGate].map(({ port }) => WireLoad.start(port)));
  await Promise.all(loads.map((load) => load.more(20)));

  // each login replaces the one before, whichever clock says later
  const places = [aheadGate, gate, aheadGate, gate, gate, aheadGate];
  let user: Person | undefined;
  for (const [i, place] of places.entries()) {
    const next = await Person.at(place);
    assert.equal(await next.ask(4001, 'anna'), user === undefined ? 'bound' : 'replaced', `login ${i}`);
    await user?.end();
    user = next;
    for (const from of [gate, aheadGate]) {
      const other = await Person.at(from);
      assert.equal(await other.ask(4003, `anna ${i} from ${from.name}`), 'delivered');
      await user.pushed(`${i} from ${from.name}`);
      other.wire.destroy();
    }
  }
  user?.wire.destroy();
  await Promise.all(loads.map((load) => load.more(20)));
  for (const load of loads) assert.equal(load.failures, 0);

  // its place is taken by one that takes itself for ten minutes older
  const port = aheadLogic.nodePort;
  aheadLogic.signal('SIGKILL');
  await aheadLogic.kim.ended();
  const heir = await nodes.logic({ node_port: port });
  for (const each of [gate, aheadGate])
    await each.knows((members) => members.some(({ name }) => name === heir.name), `${each.name} knows who came`);
  await Promise.all(loads.map((load) => load.more(20)));
  await Promise.all(loads.map((load) => load.stop()));
});
