// Descriptors taken out of sockets: no byte may be read by nobody. Sockets that dial: none of their bytes waits for others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { adopt, detach, dial } from '../../../src/net/handle.ts';

test('what comes after a socket gave its descriptor away waits for whoever adopts it', { timeout: 10_000 }, async (t) => {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => client.destroy());
  const [socket] = (await once(server, 'connection')) as [net.Socket];

  const handle = detach(socket, () => assert.fail('nothing has been read yet'))!;
  await new Promise<void>((resolve) => client.end('hello', () => resolve()));
  for (let i = 0; i < 10; i++) await turn();

  const adopted = adopt(handle);
  t.after(() => adopted.destroy());
  adopted.setEncoding('utf8');
  let text = '';
  for await (const piece of adopted) text += String(piece);
  assert.equal(text, 'hello');
});

/** What node asks the system to do with a socket. */
interface Asked {
  setNoDelay(isOn: boolean): number;
  setKeepAlive(isOn: boolean, seconds: number): number;
}

test('a socket that dials sends small pieces at once, and notices when the other machine is gone', { timeout: 10_000 }, async (t) => {
  const server = net.createServer((socket) => socket.resume());
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked: unknown[] = [];
  const socket = dial('127.0.0.1', (server.address() as AddressInfo).port);
  t.after(() => socket.destroy());
  const handle = (socket as unknown as { _handle: Asked })._handle;
  handle.setNoDelay = (isOn) => asked.push({ noDelay: isOn });
  handle.setKeepAlive = (isOn, seconds) => asked.push({ keepAlive: isOn, seconds });
  await once(socket, 'connect');
  assert.deepEqual(asked, [{ noDelay: true }, { keepAlive: true, seconds: 100 }]);
});
