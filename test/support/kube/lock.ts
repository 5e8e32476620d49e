// One at a time across all processes of a machine: the lock goes with its process, however that ends.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface LockOptions {
  /** Longer than this nobody waits. */
  readonly maxMs: number;
  /** Called once if somebody else has the lock. */
  readonly waiting?: () => void;
}

/** Resolves when this process alone holds the lock; disposing gives it back. Throws after maxMs. */
export async function lock(name: string, { maxMs, waiting }: LockOptions): Promise<AsyncDisposable> {
  // an address without a file: the kernel forgets it with its owner
  const path = `\0kimserver-${name}`;
  const deadline = performance.now() + maxMs;
  let isFirst = true;
  for (;;) {
    const held = await tryLock(path);
    if (held !== undefined) return held;
    if (isFirst) waiting?.();
    isFirst = false;
    const left = deadline - performance.now();
    if (left <= 0) throw new Error(`another process has held the lock ${name} for ${maxMs / 1000} s; end it and try again`);
    await released(path, left);
  }
}

async function tryLock(path: string): Promise<AsyncDisposable | undefined> {
  const waiters = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiters.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => waiters.delete(socket));
    socket.unref();
  });
  server.listen({ path });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of waiters) socket.destroy();
      await closed;
    },
  };
}

/** Resolves when the holder is gone, or after this time. */
async function released(path: string, maxMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ path });
  const timer = setTimeout(() => socket.destroy(), maxMs);
  socket.resume();
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  await promise;
  clearTimeout(timer);
}
