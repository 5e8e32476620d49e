// The load processes together: one thing that connects, runs and tells what was seen.

import { Child } from './child.ts';
import { burst, requestFrame, type Exchange } from './frames.ts';
import { Histogram } from './histogram.ts';
import type { LoadQuestion, LoadResult } from './load.ts';

/** What a run may take beyond its time before its processes are taken for dead. */
const GRACE_MS = 60_000;

export interface Run {
  replies: number;
  /** Replies a second. */
  rate: number;
  /** CPU time of all load processes, in microseconds. */
  cpuUs: number;
  /** How many processors they kept busy. */
  busy: number;
  latency: Histogram;
}

export class Loads {
  readonly #children: readonly Child<LoadQuestion>[];

  readonly #awake: boolean;

  constructor(count: number, awake: boolean) {
    this.#awake = awake;
    this.#children = Array.from({ length: count }, () => new Child<LoadQuestion>('load'));
  }

  async connect(port: number, exchange: Exchange, depth: number, connections: number): Promise<void> {
    const bytes = burst(exchange, depth).toString('base64');
    await this.#all(
      (part) => ({ type: 'connect', port, connections: part(connections), cmd: exchange.cmd, depth, burst: bytes }),
      GRACE_MS,
    );
  }

  /** Sends for so many seconds, or so many requests; 0 is no limit of that kind, and one of them must be given. */
  async run(limit: { seconds?: number; replies?: number }): Promise<Run> {
    const { seconds = 0, replies = 0 } = limit;
    const deadlineMs = replies > 0 ? 600_000 : seconds * 1000 + GRACE_MS;
    return together(await this.#all((part) => ({ type: 'run', seconds, replies: part(replies), awake: this.#awake }), deadlineMs));
  }

  async churn(port: number, exchange: Exchange, seconds: number, limit: number, concurrency: number): Promise<Run> {
    const request = requestFrame(exchange.cmd, 1, exchange.data).toString('base64');
    const question = (part: (n: number) => number): LoadQuestion => ({
      type: 'churn',
      port,
      cmd: exchange.cmd,
      request,
      seconds,
      limit: part(limit),
      concurrency: part(concurrency),
    });
    return together(await this.#all(question, seconds * 1000 + GRACE_MS));
  }

  async close(): Promise<void> {
    await this.#all(() => ({ type: 'close' }), GRACE_MS);
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
  }

  /** `part` divides a number among the processes without losing any of it. */
  #all(question: (part: (n: number) => number) => LoadQuestion, deadlineMs: number): Promise<LoadResult[]> {
    const count = this.#children.length;
    return Promise.all(
      this.#children.map((child, i) => {
        const part = (n: number) => Math.floor((n * (i + 1)) / count) - Math.floor((n * i) / count);
        return child.ask<LoadResult>(question(part), deadlineMs);
      }),
    );
  }
}

function together(results: readonly LoadResult[]): Run {
  const sum = (value: (result: LoadResult) => number) => results.reduce((total, result) => total + value(result), 0);
  return {
    replies: sum(({ replies }) => replies),
    rate: sum(({ replies, seconds }) => replies / seconds),
    cpuUs: sum(({ cpuUs }) => cpuUs),
    busy: sum(({ cpuUs, seconds }) => cpuUs / 1e6 / seconds),
    latency: Histogram.of(...results.map(({ latency }) => latency)),
  };
}
