// Clients that come, ask once and go: what a reconnect storm asks of a server. Part of the load processes.

import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { Histogram } from './histogram.ts';
import type { LoadResult } from './load.ts';
import { ReplyReader } from './replies.ts';

export interface ChurnQuestion {
  type: 'churn';
  port: number;
  cmd: number;
  request: string;
  seconds: number;
  /** No more connections than this: closed ones occupy their ports for a while. */
  limit: number;
  /** Connections that exist at the same time. */
  concurrency: number;
}

/** A connection whose life takes longer than this has failed. */
const LIFE_MS = 10_000;

/** One reply is one connection here; the latency is that of its whole life, from connect to the end of both sides. */
export async function churn({ port, cmd, request, seconds, limit, concurrency }: ChurnQuestion): Promise<LoadResult> {
  const latency = new Histogram();
  const bytes = Buffer.from(request, 'base64');
  const cpu = process.cpuUsage();
  const start = performance.now();
  const until = start + seconds * 1000;
  let begun = 0;
  let replies = 0;
  const one = async () => {
    while (performance.now() < until && begun < limit) {
      begun++;
      const bornAt = performance.now();
      await live(port, cmd, bytes);
      latency.record((performance.now() - bornAt) * 1000);
      replies++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  const { user, system } = process.cpuUsage(cpu);
  return { replies, seconds: (performance.now() - start) / 1000, cpuUs: user + system, latency: latency.counts() };
}

/** Connects, asks, ends its side after the reply, and resolves when the server has ended too. */
function live(port: number, cmd: number, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const replies = new ReplyReader(cmd + 1);
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error(`a connection was not served within ${LIFE_MS} ms`)), LIFE_MS);
    let answered = false;
    socket.write(request);
    socket.on('data', (chunk: Buffer) => {
      const count = replies.count(chunk, chunk.length);
      if (count === 0) return;
      if (count !== 1) return socket.destroy(new Error('the reply is not the one expected'));
      answered = true;
      socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(late);
      if (answered) resolve();
      else reject(new Error('the server closed a connection before its reply'));
    });
  });
}
