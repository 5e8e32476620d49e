// What happened between two looks at a node, per second. Pure.

import type { NodeStatus } from '../ops/snapshot.ts';
import { LATENCY_BOUNDS, type CommandSnapshot, type StatsSnapshot } from '../ops/stats.ts';
import { emptyStats } from '../ops/stats-book.ts';

/** One look: when it was taken, in milliseconds since 1970, and what was seen. */
export interface Look {
  readonly at: number;
  readonly status: NodeStatus;
}

/** Everything per second, but the latencies. */
export interface Rates {
  readonly requests: number;
  readonly replies: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly accepted: number;
  /** Processor time per second: 1 is one processor. */
  readonly cpu: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly commands: Readonly<Record<string, CommandRate>>;
  /** Answered by other nodes, by the name of the route. */
  readonly routes: Readonly<Record<string, CommandRate>>;
  /** Messages to one user, by result. */
  readonly pushes: Readonly<Record<string, number>>;
}

export interface CommandRate {
  readonly replies: number;
  /** With a code other than 0. */
  readonly failures: number;
  /** How many replies fell into each bucket of latency. */
  readonly buckets: readonly number[];
}

export interface NodeRates {
  /** What the rates are an average over. */
  readonly seconds: number;
  /** True for an average over the life of the node: there is no earlier look. */
  readonly sinceStart: boolean;
  readonly total: Rates;
  readonly managerCpu: number;
  readonly workers: ReadonlyMap<number, Rates>;
}

/** Rates since `before`; since the start of the node without it, or when the node has been started again since. */
export function ratesOf(now: Look, before?: Look): NodeRates {
  const base = before?.status.startedAt === now.status.startedAt && before.status.pid === now.status.pid ? before : undefined;
  const seconds = Math.max(0.001, (now.at - (base?.at ?? Date.parse(now.status.startedAt))) / 1000);
  const workerBefore = (index: number) => base?.status.workers.find((worker) => worker.index === index)?.stats;
  return {
    seconds,
    sinceStart: base === undefined,
    total: between(base?.status.totals, now.status.totals, seconds),
    managerCpu: perSecond(base?.status.manager.cpuSeconds, now.status.manager.cpuSeconds, seconds),
    workers: new Map(now.status.workers.map(({ index, stats }) => [index, between(workerBefore(index), stats, seconds)])),
  };
}

function between(before: StatsSnapshot = emptyStats(), now: StatsSnapshot, seconds: number): Rates {
  const rate = (value: (stats: StatsSnapshot) => number) => perSecond(value(before), value(now), seconds);
  const each = (old: Readonly<Record<string, number>>, counts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(counts).map(([key, n]) => [key, perSecond(old[key], n, seconds)]));
  return {
    requests: rate((stats) => stats.framesIn),
    replies: rate((stats) => stats.framesOut),
    bytesIn: rate((stats) => stats.bytesIn),
    bytesOut: rate((stats) => stats.bytesOut),
    accepted: rate((stats) => stats.accepted),
    cpu: rate((stats) => stats.cpuSeconds),
    limits: each(before.limits, now.limits),
    commands: repliesBetween(before.commands, now.commands, seconds),
    routes: repliesBetween(before.routes, now.routes, seconds),
    pushes: each(before.cluster.pushes, now.cluster.pushes),
  };
}

type Replies = Readonly<Record<string, CommandSnapshot>>;

function repliesBetween(before: Replies, now: Replies, seconds: number): Record<string, CommandRate> {
  const all = Object.entries(now).map(([label, command]) => {
    const old = before[label];
    const replies = perSecond(countOf(old), countOf(command), seconds);
    const failures = perSecond(failuresOf(old), failuresOf(command), seconds);
    const buckets = command.buckets.map((n, i) => Math.max(0, n - (old?.buckets[i] ?? 0)));
    return [label, { replies, failures, buckets }] as const;
  });
  return Object.fromEntries(all);
}

function perSecond(before = 0, now: number, seconds: number): number {
  return Math.max(0, now - before) / seconds;
}

/** How many replies a command has given. */
export function countOf(command: CommandSnapshot | undefined): number {
  return Object.values(command?.codes ?? {}).reduce((sum, n) => sum + n, 0);
}

/** How many of them had a code other than 0. */
export function failuresOf(command: CommandSnapshot | undefined): number {
  return countOf(command) - (command?.codes[0] ?? 0);
}

/** All buckets of several commands together. */
export function sumBuckets(list: readonly (readonly number[])[]): number[] {
  return Array.from({ length: LATENCY_BOUNDS.length + 1 }, (_, i) => list.reduce((sum, buckets) => sum + (buckets[i] ?? 0), 0));
}

/**
 * The latency in seconds below which the share `q` (0 to 1) of replies lies, estimated within its bucket as Prometheus does; Infinity when it
 * is above the last bound, NaN when there was none.
 */
export function quantile(buckets: readonly number[], q: number): number {
  const total = buckets.reduce((sum, n) => sum + n, 0);
  if (total === 0) return NaN;
  const rank = q * total;
  let below = 0;
  for (const [i, upper] of LATENCY_BOUNDS.entries()) {
    const n = buckets[i] ?? 0;
    if (n > 0 && below + n >= rank) {
      const lower = i === 0 ? 0 : LATENCY_BOUNDS[i - 1]!;
      return lower + ((upper - lower) * (rank - below)) / n;
    }
    below += n;
  }
  return Infinity;
}

/** The slowest latency that a quantile can name. */
export const SLOWEST_SECONDS = LATENCY_BOUNDS[LATENCY_BOUNDS.length - 1]!;
