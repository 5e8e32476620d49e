// The contenders: the floor, and a node with its manager and workers, each in processes of their own.

import { Child } from './child.ts';
import { cpuUs, rssBytes } from './cpu.ts';
import type { FloorQuestion } from './floor.ts';
import { replyBody, type Exchange } from './frames.ts';
import type { NodeQuestion, Started } from './node-main.ts';

const START_MS = 60_000;
const ANSWER_MS = 10_000;

/** CPU time so far, in microseconds. */
export interface Usage {
  managerUs: number;
  workerUs: number;
}

export interface Server {
  readonly port: number;
  usage(): Usage;
  /** Resident memory of the processes that hold the connections, in bytes. */
  rss(): number;
  /** Told before the load begins: the floor has to know what to answer. */
  expect(exchange: Exchange): Promise<void>;
  end(): Promise<void>;
}

export async function startFloor(): Promise<Server> {
  const child = new Child<FloorQuestion>('floor');
  const port = await startOr(child, () => child.ask<number>({ type: 'listen' }, START_MS));
  return {
    port,
    usage: () => ({ managerUs: 0, workerUs: cpuUs(child.pid) }),
    rss: () => rssBytes(child.pid),
    expect: (exchange) => child.ask({ type: 'reply', body: replyBody(exchange).toString('base64') }, ANSWER_MS),
    end: () => child.end(),
  };
}

/** A node with everything on; `raw` are keys of its configuration that differ from the defaults. */
export async function startNode(raw: NodeQuestion['raw'] = {}): Promise<Server> {
  const child = new Child<NodeQuestion>('node-main');
  const { port, workers } = await startOr(child, () => child.ask<Started>({ type: 'start', raw }, START_MS));
  return {
    port,
    usage: () => ({ managerUs: cpuUs(child.pid), workerUs: sum(workers.map(cpuUs)) }),
    rss: () => sum(workers.map(rssBytes)),
    expect: () => Promise.resolve(),
    end: () => child.end(),
  };
}

async function startOr<T>(child: Child<never>, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    await child.end();
    throw error;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
