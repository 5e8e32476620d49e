// The manager's book of what its workers counted. Counters survive the death of a worker; gauges die with it.

import { emptyCluster, sumCluster } from './cluster-stats.ts';
import { sumRecords } from './records.ts';
import { LATENCY_BOUNDS, type CommandSnapshot, type StatsSnapshot } from './stats.ts';

/** How many ended incarnations of a worker are remembered, to tell a report that comes late. */
const MAX_ENDED = 64;

/** No reply. */
export function emptyReplies(): CommandSnapshot {
  return { codes: {}, buckets: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sumSeconds: 0 };
}

/** Nothing counted. */
export function emptyStats(): StatsSnapshot {
  return {
    connections: 0,
    inFlight: 0,
    outgoingBytes: 0,
    heldBytes: 0,
    rssBytes: 0,
    loopLagSeconds: 0,
    paused: 0,
    cpuSeconds: 0,
    accepted: 0,
    adopted: 0,
    handedOver: 0,
    closed: {},
    refused: {},
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    limits: {},
    commands: {},
    routes: {},
    cluster: emptyCluster(),
  };
}

/**
 * The sum of the counters of all and of the gauges of the living, but for the loop lag and the nodes that are left alone, of which the largest
 * counts. `base` is of the dead.
 */
export function sumStats(living: readonly StatsSnapshot[], base: StatsSnapshot = emptyStats()): StatsSnapshot {
  const all = [base, ...living];
  return {
    connections: sum(living, (s) => s.connections),
    inFlight: sum(living, (s) => s.inFlight),
    outgoingBytes: sum(living, (s) => s.outgoingBytes),
    heldBytes: sum(living, (s) => s.heldBytes),
    rssBytes: sum(living, (s) => s.rssBytes),
    loopLagSeconds: Math.max(0, ...living.map((s) => s.loopLagSeconds)),
    paused: sum(living, (s) => s.paused),
    cpuSeconds: addSeconds(all.map((s) => s.cpuSeconds)),
    accepted: sum(all, (s) => s.accepted),
    adopted: sum(all, (s) => s.adopted),
    handedOver: sum(all, (s) => s.handedOver),
    closed: sumRecords(all.map((s) => s.closed)),
    refused: sumRecords(all.map((s) => s.refused)),
    framesIn: sum(all, (s) => s.framesIn),
    framesOut: sum(all, (s) => s.framesOut),
    bytesIn: sum(all, (s) => s.bytesIn),
    bytesOut: sum(all, (s) => s.bytesOut),
    limits: sumRecords(all.map((s) => s.limits)),
    commands: sumCommands(all.map((s) => s.commands)),
    routes: sumCommands(all.map((s) => s.routes)),
    cluster: sumCluster(
      living.map((s) => s.cluster),
      base.cluster,
    ),
  };
}

function sum(list: readonly StatsSnapshot[], value: (stats: StatsSnapshot) => number): number {
  return list.reduce((total, stats) => total + value(stats), 0);
}

/**
 * Adds whole microseconds: adding fractions in another order can come out a hair less, and Prometheus takes a counter that
 * decreases for a restart and counts everything again.
 */
function addSeconds(list: readonly number[]): number {
  return list.reduce((total, seconds) => total + Math.round(seconds * 1e6), 0) / 1e6;
}

function sumCommands(list: readonly Record<string, CommandSnapshot>[]): Record<string, CommandSnapshot> {
  const total: Record<string, CommandSnapshot> = {};
  for (const [label, counts] of list.flatMap((commands) => Object.entries(commands))) {
    const before = total[label];
    total[label] = {
      codes: sumRecords([before?.codes ?? {}, counts.codes]),
      buckets: Array.from({ length: LATENCY_BOUNDS.length + 1 }, (_, i) => (before?.buckets[i] ?? 0) + (counts.buckets[i] ?? 0)),
      sumSeconds: addSeconds([before?.sumSeconds ?? 0, counts.sumSeconds]),
    };
  }
  return total;
}

interface Page {
  /** Counters of the incarnations that ended. */
  base: StatsSnapshot;
  /** The last report of each that lives: two while a worker is replaced by a new one that takes its connections over. */
  living: Map<number, StatsSnapshot>;
  ended: number[];
}

/** What each worker counted over all its lives. No total ever decreases, gauges apart. */
export class StatsBook {
  readonly #pages = new Map<number, Page>();

  /** Takes the report of a worker, which counts from the start of its incarnation. One that comes after `ended` is too late and dropped. */
  update(worker: number, incarnation: number, stats: StatsSnapshot): void {
    const page = this.#page(worker);
    if (!page.ended.includes(incarnation)) page.living.set(incarnation, stats);
  }

  /** That incarnation is gone: its last report joins what the worker counted before, its gauges are dropped. */
  ended(worker: number, incarnation: number): void {
    const page = this.#page(worker);
    const last = page.living.get(incarnation);
    if (last !== undefined) page.base = sumStats([], sumStats([last], page.base));
    page.living.delete(incarnation);
    page.ended.push(incarnation);
    if (page.ended.length > MAX_ENDED) page.ended.shift();
  }

  /** All that worker number `worker` counted, with the gauges of its living processes; zero for one never heard of. */
  ofWorker(worker: number): StatsSnapshot {
    const page = this.#pages.get(worker);
    return page === undefined ? emptyStats() : sumStats([...page.living.values()], page.base);
  }

  /** All workers, those that no longer exist included. */
  total(): StatsSnapshot {
    const pages = [...this.#pages.values()];
    const base = sumStats(pages.map((page) => page.base));
    return sumStats(
      pages.flatMap((page) => [...page.living.values()]),
      base,
    );
  }

  #page(worker: number): Page {
    let page = this.#pages.get(worker);
    if (page === undefined) this.#pages.set(worker, (page = { base: emptyStats(), living: new Map(), ended: [] }));
    return page;
  }
}
