// The status of a node that tests of pictures start from.

import type { Look } from '../../../src/cli/rates.ts';
import type { NodeStatus, WorkerStatus } from '../../../src/ops/snapshot.ts';
import { LATENCY_BOUNDS, type CommandSnapshot, type StatsSnapshot } from '../../../src/ops/stats.ts';
import { emptyCluster } from '../../../src/ops/cluster-stats.ts';
import { emptyStats } from '../../../src/ops/stats-book.ts';

export const STARTED = Date.UTC(2026, 0, 1, 12);

export function stats(more: Partial<StatsSnapshot> = {}): StatsSnapshot {
  return { ...emptyStats(), rssBytes: 50 * 1024 * 1024, ...more };
}

/** A command answered `codes` times, all in the bucket with this index. */
export function command(codes: Record<number, number>, bucket = 0): CommandSnapshot {
  const buckets = new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);
  buckets[bucket] = Object.values(codes).reduce((sum, n) => sum + n, 0);
  return { codes, buckets, sumSeconds: 0 };
}

export function worker(index: number, own: Partial<StatsSnapshot> = {}, more: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    index,
    pid: 1000 + index,
    incarnation: 1,
    state: 'serving',
    since: new Date(STARTED).toISOString(),
    restarts: 0,
    stats: stats(own),
    ...more,
  };
}

export function nodeStatus(totals: Partial<StatsSnapshot> = {}, more: Partial<NodeStatus> = {}): NodeStatus {
  return {
    name: 'demo-gate-0',
    type: 'gate',
    version: '0.1.0',
    pid: 999,
    startedAt: new Date(STARTED).toISOString(),
    state: 'serving',
    ready: true,
    reasons: [],
    listeners: [
      { name: 'gate', kind: 'gate', host: '127.0.0.1', port: 3355, codec: 'protobuf' },
      { name: 'node', kind: 'node', host: '127.0.0.1', port: 3344, codec: 'protobuf' },
    ],
    workers: [worker(1, totals)],
    totals: stats(totals),
    manager: {
      rssBytes: 90 * 1024 * 1024,
      cpuSeconds: 1,
      loopLagSeconds: 0.001,
      accepted: 0,
      refused: {},
      passes: 0,
      passQueue: 0,
      limits: {},
    },
    cluster: { members: [], version: 0, directories: [], announced: false, links: emptyCluster().links, routes: [] },
    configDigest: 'd',
    ...more,
  };
}

/** A look that was taken so many seconds after the start. */
export function look(seconds: number, status: NodeStatus): Look {
  return { at: STARTED + seconds * 1000, status };
}
