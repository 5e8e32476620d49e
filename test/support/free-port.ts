// Ports for programs that can not be told to take any and say which.

import { createServer } from 'node:net';

/** Below the range that the system gives to outgoing connections: a server that is restarted finds its port free. */
const PORTS = { from: 15_000, to: 30_000 };

const given = new Set<number>();

/** One on 127.0.0.1 that nobody listens on and that this process has not given away before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.on('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
