// Descriptors taken out of sockets: no byte may be read by nobody.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { adopt, detach } from '../../../src/net/handle.ts';

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
