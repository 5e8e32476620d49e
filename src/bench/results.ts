// What the benchmark found: plain data, as -o json prints it.

import type { RowName } from './settings.ts';

export interface About {
  /** Short hash of the commit, with a + when files differ from it. */
  commit: string;
  node: string;
  cpu: string;
  kernel: string;
  /** Day of the run, as 2026-01-31. */
  date: string;
  seconds: number;
  rounds: number;
  connections: number;
  loads: number;
  /** Load processes polled instead of sleeping. */
  awake: boolean;
}

/** One contender in one row: medians of its rounds; latencies of all rounds together. */
export interface Figures {
  rate: number;
  p50Us: number;
  p99Us: number;
  p999Us: number;
  /** Server CPU for each reply, workers and manager. */
  cpuUs: number;
  managerUs: number;
  /** CPU of the load processes for each reply. */
  loadUs: number;
  /** Processors that the load processes kept busy. */
  loadBusy: number;
  /** Latency by the share of replies that is not slower. */
  curve: readonly (readonly [share: number, us: number])[];
}

/** Two contenders under the same load. `ratios` are those of our CPU for each reply to the other's, round by round. */
export interface LoadRow {
  name: RowName;
  what: string;
  depth: number;
  floor: Figures;
  ours: Figures;
  ratios: readonly number[];
}

export interface WorkersRow {
  depth: number;
  one: Figures;
  two: Figures;
  ratios: readonly number[];
}

export interface IdleRow {
  who: 'floor' | 'kimserver';
  connections: number;
  /** Resident memory for each connection as it stands, with whatever the collector has not looked at yet. */
  rssBytes: number;
  /** The same after collections; the floor is not asked to collect. */
  collectedBytes: number | undefined;
  /** Share of a processor while nothing is sent: of the worker, and of the manager. */
  workerCpu: number;
  managerCpu: number;
}

export interface ChurnRow {
  who: string;
  /** Connections a second: opened, one request answered, closed. */
  rate: number;
  p50Us: number;
  p99Us: number;
  /** CPU for each connection. */
  managerUs: number;
  workerUs: number;
  loadUs: number;
}

export interface SoakRow {
  points: readonly { requests: number; rssBytes: number; heapBytes: number }[];
  rate: number;
}

export interface ProfileRow {
  name: RowName;
  file: string;
  /** Share of the worker's busy time by function, the most expensive first. */
  top: readonly { what: string; share: number }[];
}

/** A request that a gate answers itself beside the same request relayed to a logic node. `ratios` are those of gate and logic node together. */
export interface RelayRow {
  depth: number;
  connections: number;
  own: Figures;
  gate: Figures;
  /** CPU of the logic node for each reply. */
  logicUs: number;
  ratios: readonly number[];
}

export interface SpreadRow {
  what: string;
  deliveries: number;
  rate: number;
  /** CPU for each delivery: of the gate, and of the logic node that pushes. */
  gateUs: number;
  logicUs: number;
}

export interface RingRow {
  points: number;
  coldMs: number;
  changeMs: number;
  lookupNs: number;
}

export interface Results {
  about: About;
  load: LoadRow[];
  idle: IdleRow[];
  churn: ChurnRow[];
  workers: WorkersRow[];
  relay: RelayRow[];
  spread: SpreadRow[];
  ring: RingRow | undefined;
  soak: SoakRow | undefined;
  profiles: ProfileRow[];
}

export interface Target {
  what: string;
  wanted: string;
  found: string;
  isMet: boolean;
}

const CPU_RATIOS: Partial<Record<RowName, number>> = { depth1: 1.2, depth10: 2, depth100: 5 };
const IDLE_BYTES = 6 * 1024;
const WORKERS_RATIO = 1.1;
/** A leak of a byte for each request would show as more than this between the first tenth and the end. */
const SOAK_GROWTH = 1.1;
const RELAY_RATIO = 3;
const RELAY_MS = 1.5;
const GROUP_RATE = 100_000;
const BATCHED_RATE = 1_000_000;
const RING_COLD_MS = 500;
const RING_CHANGE_MS = 10;
const RING_LOOKUP_NS = 200;

/** The targets that were measured. */
export function targets(results: Results): Target[] {
  const out: Target[] = [];
  for (const { name, depth, ratios } of results.load) {
    const most = CPU_RATIOS[name];
    if (most === undefined) continue;
    out.push(target(`server CPU per reply at depth ${depth}, ratio to the floor`, median(ratios), most, (n) => n.toFixed(2)));
  }
  for (const { who, rssBytes, collectedBytes } of results.idle) {
    if (who !== 'floor') out.push(target('memory of an idle connection', collectedBytes ?? rssBytes, IDLE_BYTES, kib));
  }
  for (const { depth, ratios } of results.workers) {
    out.push(target(`CPU per reply of two workers at depth ${depth}, ratio to one`, median(ratios), WORKERS_RATIO, (n) => n.toFixed(2)));
  }
  for (const { depth, connections, own, gate, ratios } of results.relay) {
    const isLight = connections < results.about.connections;
    if (isLight) {
      const added = gate.p50Us - own.p50Us;
      out.push(target('what relaying adds to the median latency under light load', added / 1000, RELAY_MS, (n) => `${n.toFixed(2)} ms`));
    } else if (depth > 1) {
      const what = `CPU of gate and logic node at depth ${depth}, ratio to the gate answering itself`;
      out.push(target(what, median(ratios), RELAY_RATIO, (n) => n.toFixed(2)));
    }
  }
  for (const [i, wanted] of [undefined, GROUP_RATE, BATCHED_RATE].entries()) {
    const row = results.spread[i];
    if (row === undefined || wanted === undefined) continue;
    const found = 1e6 / (row.gateUs + row.logicUs);
    const what = `deliveries per CPU second, ${row.what}`;
    out.push({ what, wanted: `at least ${count(wanted)}`, found: count(found), isMet: found >= wanted });
  }
  if (results.ring !== undefined) {
    const { points, coldMs, changeMs, lookupNs } = results.ring;
    out.push(target(`ring of ${count(points)} points: made from nothing`, coldMs, RING_COLD_MS, (n) => `${n.toFixed(0)} ms`));
    out.push(target(`ring of ${count(points)} points: one node changes`, changeMs, RING_CHANGE_MS, (n) => `${n.toFixed(1)} ms`));
    out.push(target(`ring of ${count(points)} points: a lookup`, lookupNs, RING_LOOKUP_NS, (n) => `${n.toFixed(0)} ns`));
  }
  const points = results.soak?.points ?? [];
  if (points.length > 1) {
    const growth = points.at(-1)!.rssBytes / points[0]!.rssBytes;
    const what = `memory of the worker after ${count(points.at(-1)!.requests)} requests, ratio to that after ${count(points[0]!.requests)}`;
    out.push(target(what, growth, SOAK_GROWTH, (n) => n.toFixed(2)));
  }
  return out;
}

function target(what: string, found: number, most: number, show: (n: number) => string): Target {
  return { what, wanted: `at most ${show(most)}`, found: show(found), isMet: found <= most };
}

export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** The middle value, or the mean of the two in the middle; 0 for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length === 0 ? 0 : (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
