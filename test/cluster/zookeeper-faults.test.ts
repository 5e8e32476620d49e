// What becomes of the ZooKeeper directory when sessions expire, servers stop, hang or forget everything, and networks are cut.

import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { createLogger } from '../../src/ops/log.ts';
import { gate, observe, Proxy, rawClient, tree, whenGone, type Observed } from '../support/zookeeper-cluster.ts';
import { until } from '../support/until.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

const FIRST = '/kim-test/nodes/gate/kim-gate-gate0000000000';

/** A list in which one address stands twice was never told. */
function assertNeverDouble({ lists }: Observed): void {
  for (const list of lists) assert.equal(new Set(list.map(({ host, port }) => `${host}:${port}`)).size, list.length);
}

suite('a ZooKeeper directory in trouble', { skip: noZookeeper }, () => {
  test('announces a node anew when its session has expired, with a newer time', async (t) => {
    const server = await startZookeeper(t);
    const proxy = await Proxy.start(t, server.port);
    const { directory } = observe(t, { servers: proxy.address });
    await directory.announce(gate());
    const reader = observe(t, { servers: server.address });
    await reader.when((members) => members.length === 1, 'the node is there');
    // whoever holds the session can end it: its server takes that for the will of the node
    const other = await rawClient(t, server.address, { session: proxy.session });
    await other.end();
    const list = await reader.when((members) => (members[0]?.activeTime ?? 0) > gate().activeTime, 'the node is announced anew');
    assert.equal(list.length, 1);
    await reader.when(([member]) => member?.facts?.state === 'serving', 'its facts are there again');
    directory.payload('again');
    const raw = await rawClient(t, server.address);
    await until(async () => Object.values(await tree(raw, '/kim-test/payload/gate')).join() === 'again', 'its payload is there again');
    assertNeverDouble(reader);
  });

  test('is gone while it is cut off for longer than its session, keeps the list that it knew, and is back afterwards', async (t) => {
    const server = await startZookeeper(t);
    const proxy = await Proxy.start(t, server.port);
    const cutOff = observe(t, { servers: proxy.address, sessionTimeoutMs: 600 });
    await cutOff.directory.announce(gate());
    await cutOff.when((members) => members.length === 1, 'it sees itself');
    const reader = observe(t, { servers: server.address });
    await reader.when((members) => members.length === 1, 'the node is there');
    await proxy.cut();
    const told = cutOff.lists.length;
    assert.match(await cutOff.whenHealth('down'), /^no ZooKeeper server can be used: 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    await reader.when((members) => members.length === 0, 'the node is gone');
    assert.equal(cutOff.lists.length, told, 'nothing was told while nothing could be known');
    // what is announced meanwhile counts when it is possible again
    const announced = cutOff.directory.announce(gate({ workers: 7 }));
    await proxy.mend();
    await announced;
    await cutOff.whenHealth('up');
    await reader.when(([member]) => member?.workers === 7, 'the node is back');
    assertNeverDouble(reader);
  });

  test('goes on with its session and its record when a server is restarted in time', async (t) => {
    const server = await startZookeeper(t);
    const observed = observe(t, { servers: server.address, sessionTimeoutMs: 30_000 });
    await observed.directory.announce(gate());
    await server.stop();
    await observed.whenHealth('down');
    await server.start();
    await observed.whenHealth('up');
    await observed.directory.announce(gate());
    const raw = await rawClient(t, server.address);
    assert.deepEqual(await raw.children('/kim-test/nodes/gate'), ['kim-gate-gate0000000000']);
    assert.equal(JSON.parse((await raw.get(FIRST)).data.toString()).active_time, gate().activeTime);
  });

  test('is announced anew by a server that was killed and came back empty', async (t) => {
    const server = await startZookeeper(t);
    const observed = observe(t, { servers: server.address, sessionTimeoutMs: 30_000 });
    // with a history, so that the new server knows of none of it
    for (const connections of [1, 2, 3]) {
      await observed.directory.announce(gate({ facts: { state: 'serving', version: '0.1.0', connections, gate: '' } }));
    }
    await server.kill();
    await observed.whenHealth('down');
    await server.start({ isEmpty: true });
    await observed.whenHealth('up');
    await observed.when(([member]) => member?.facts?.connections === 3 && member.activeTime > gate().activeTime, 'it is announced anew');
    observed.directory.payload('{}');
    const raw = await rawClient(t, server.address);
    await until(async () => '{}' in (await flipped(tree(raw, '/kim-test/payload'))), 'its payload is there');
    assertNeverDouble(observed);
  });

  test('notices a server that hangs, and is announced when it goes on', async (t) => {
    const server = await startZookeeper(t);
    const observed = observe(t, { servers: server.address, sessionTimeoutMs: 900 });
    await observed.directory.announce(gate());
    server.pause();
    t.after(() => server.resume());
    assert.match(await observed.whenHealth('down'), /took the connection but made no session within 300 ms/);
    const announced = observed.directory.announce(gate({ workers: 4 }));
    server.resume();
    await announced;
    const raw = await rawClient(t, server.address);
    const records = Object.values(await tree(raw, '/kim-test/nodes/gate'));
    assert.deepEqual(
      records.map((text) => (JSON.parse(text) as { worker_cnt: number }).worker_cnt),
      [4],
    );
    assertNeverDouble(observed);
  });

  test('waits for a server that is not there yet', async (t) => {
    const server = await startZookeeper(t);
    await server.stop();
    const observed = observe(t, { servers: server.address });
    const announced = observed.directory.announce(gate());
    await observed.whenHealth('down');
    assert.deepEqual(observed.lists, []);
    await server.start();
    await announced;
    await observed.when((members) => members.length === 1, 'it sees itself');
  });

  test('finds the one server of three that works', async (t) => {
    const server = await startZookeeper(t);
    const silent = await fake(t, () => undefined);
    const babbling = await fake(t, (socket) => socket.write(Buffer.from('0000002a68656c6c6f', 'hex')));
    const servers = [silent, babbling, server.address].join(',');
    const observed = observe(t, { servers, sessionTimeoutMs: 900 });
    await observed.directory.announce(gate());
    assert.match(observed.directory.health.detail, new RegExp(`^connected to ${server.address} of `));
  });

  test('says what each server did when none works', async (t) => {
    const silent = await fake(t, () => undefined);
    const closing = await fake(t, (socket) => socket.end());
    const observed = observe(t, { servers: `${silent},${closing}`, sessionTimeoutMs: 600 });
    const detail = await observed.whenHealth('down');
    assert.match(detail, new RegExp(`${silent} took the connection but made no session within 200 ms`));
    assert.match(detail, new RegExp(`${closing}: it closed the connection`));
  });

  test('ends at once while no server is there, and says so to who waits for the announcement', async (t) => {
    const silent = await fake(t, () => undefined);
    const observed = observe(t, { servers: silent, sessionTimeoutMs: 60_000 });
    const announced = observed.directory.announce(gate());
    const refused = assert.rejects(announced, /the directory was closed before the node was announced/);
    await observed.directory.close();
    await refused;
  });

  test('refuses servers, roots and access lists that can be none', (t) => {
    for (const [values, message] of [
      [{ servers: '' }, /no ZooKeeper server is given/],
      [{ servers: 'zk:99999' }, /ZooKeeper server "zk:99999" is no HOST:PORT/],
      [{ servers: 'zk:2181/folder' }, /hold a "\/"/],
      [{ servers: 'zk', root: 'kimserver' }, /ZooKeeper path "kimserver" is none/],
      [{ servers: 'zk', acl: 'creator' }, /acl "creator" needs auth/],
    ] as const) {
      assert.throws(() => observe(t, values), message);
    }
  });

  test('leaves nothing behind of a session whose end it asked for, and ends without complaint', async (t) => {
    const server = await startZookeeper(t);
    const lines: string[] = [];
    const log = createLogger({ name: 'test', level: 'debug', write: (line) => lines.push(line) });
    const observed = observe(t, { servers: server.address, sessionTimeoutMs: 30_000, log });
    await observed.directory.announce(gate());
    const raw = await rawClient(t, server.address);
    await observed.directory.close();
    await whenGone(raw, FIRST);
    assert.deepEqual(await raw.children('/kim-test/kim/gate'), []);
    assert.deepEqual(
      lines.filter((line) => !line.includes('"level":"info"')),
      [],
    );
  });
});

/** By their values. */
async function flipped(record: Promise<Record<string, string>>): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await record).map(([key, value]) => [value, key]));
}

/** Something on a port that is no ZooKeeper. */
async function fake(t: { after(end: () => void): void }, greet: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
