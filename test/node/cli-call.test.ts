// kim call against a real node, and against what is none.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { CONFIG, folderOf, kim, KimNode } from '../support/kim.ts';

const SHOP = 'syntax = "proto3"; package shop; message Order { int32 id = 1; string name = 2; } message Price { fixed64 cents = 1; }';

/** A TCP server that does this with each connection. */
async function server(t: TestContext, connected: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    connected(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return (listener.address() as net.AddressInfo).port;
}

test('kim call, against a node', async (t) => {
  const folder = folderOf(t, { 'node.json': CONFIG, 'shop.proto': SHOP });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  const address = `127.0.0.1:${node.port}`;
  const call = (...words: string[]) => kim(['call', address, ...words], { cwd: folder });
  const proto = ['--proto', 'shop.proto', '--type', 'shop.Order'];

  await t.test('shows the reply and ends with 0', async () => {
    const { code, out, err } = await call('1001', '1 - hello');
    assert.match(out, /^command {2}1002\nseq {6}1\ncode {5}0\nmsg {6}ok\ndata {5}good job!\ntime {5}[\d.]+ (us|ms)\n$/);
    assert.deepEqual([code, err], [0, '']);
  });

  await t.test('shows a fault with its meaning and ends with 1', async () => {
    const { code, out } = await call('1999');
    assert.equal(code, 1);
    assert.match(out, /^code {5}4 unknownCommand: no module answers this command/m);
    assert.match(out, /kim modules list/);
  });

  await t.test('prints JSON for programs, one line for each reply', async () => {
    const { code, out } = await call('1101', '{"a":1}', '--count', '2', '-o', 'json');
    const replies = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(code, 0);
    assert.deepEqual(
      replies.map(({ ms: _ms, ...reply }) => reply),
      [
        { cmd: 1102, seq: 1, code: 0, msg: 'ok', data: '{"a":1}', value: { a: 1 } },
        { cmd: 1102, seq: 2, code: 0, msg: 'ok', data: '{"a":1}', value: { a: 1 } },
      ],
    );
  });

  await t.test('sends and shows bytes', async () => {
    assert.match((await call('1101', '00 ff 41', '--hex')).out, /^data {5}0000 {2}00 ff 41 +\.\.A$/m);
    const { code, err } = await call('1101', '0', '--hex');
    assert.deepEqual([code, err], [2, 'kim: --hex takes pairs of hexadecimal digits, as "0a 1f ff"\n']);
  });

  await t.test('writes and reads data through the types of a .proto file', async () => {
    assert.match((await call('1101', '{"id":7,"name":"tea"}', ...proto)).out, /"id": 7,\n +"name": "tea"/);
    assert.match((await call('1101', '{}', ...proto, '--reply-type', 'shop.Price')).out, /"cents": "0"/);
    const bytes = await call('1101', '{"id":7}', ...proto, '-o', 'json');
    assert.deepEqual((JSON.parse(bytes.out) as { value: object }).value, { id: 7, name: '' });
  });

  await t.test('says what does not fit a type, or is no JSON, or no file', async () => {
    const refused = async (...words: string[]) => {
      const { code, err } = await call(...words);
      assert.equal(code, 2, err);
      return err.trim();
    };
    assert.match(await refused('1101', '{"idd":7}', ...proto), /data for shop.Order does not fit: idd: no such field/);
    assert.match(await refused('1101', '{"id":"x"}', ...proto), /data for shop.Order does not fit: id: integer/);
    assert.match(await refused('1101', '{', ...proto), /data for shop.Order is not JSON/);
    assert.match(await refused('1101', '{}', '--proto', 'shop.proto'), /name one of the types of .*: shop.Order, shop.Price/);
    assert.match(await refused('1101', '{}', '--proto', 'none.proto'), /--proto none.proto: there is no such file/);
    assert.match(await refused('1101', 'x', '--type', 'shop.Order'), /--type and --reply-type need --proto/);
    assert.match(await refused('hello'), /"hello" is no command number/);
  });

  await t.test('says that a port is not that of clients', async () => {
    const { code, err } = await kim(['call', node.admin, '1001', 'x']);
    assert.equal(code, 1);
    assert.match(err, /^kim: .*not protobuf.*check that this is the gate port of a node.*\n$/);
  });
});

test('kim call names the address and the next step when there is nobody to call', async (t) => {
  const free = await server(t, () => undefined);
  const silent = await kim(['call', `127.0.0.1:${free}`, '1001', 'x', '--timeout', '100ms']);
  assert.equal(silent.code, 1);
  assert.match(
    silent.err,
    new RegExp(`^kim: no answer for command 1001 from 127.0.0.1:${free} within 100 ms; wait longer with --timeout.*\n$`),
  );

  const closing = await server(t, (socket) => socket.once('data', () => socket.end()));
  const closed = await kim(['call', `127.0.0.1:${closing}`, '1001', 'x']);
  assert.equal(closed.code, 1);
  assert.match(closed.err, new RegExp(`^kim: 127.0.0.1:${closing}: the connection was lost before the answer came.*\n$`));

  const refused = await kim(['call', '127.0.0.1:1', '1001', 'x']);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^kim: cannot connect to 127.0.0.1:1: nothing listens there; start the server.*\n$/);

  const unknown = await kim(['call', 'no-such-host.invalid:3355', '1001', 'x']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /^kim: cannot connect to no-such-host.invalid:3355: .*name.*\n$/);
});
