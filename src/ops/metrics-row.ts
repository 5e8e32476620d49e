// What a row of the table of metrics is, and how its samples are made.

import type { NodeStatus } from './snapshot.ts';
import { LATENCY_BOUNDS, type CommandSnapshot, type StatsSnapshot } from './stats.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
  /** Of a histogram: which of its series. */
  suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricRow {
  /** Without `kim_`, or `kim_node_` for the total. */
  name: string;
  type: 'gauge' | 'counter' | 'histogram';
  /** Without `worker`. */
  labels: readonly string[];
  unit: string;
  help: string;
  /** What a person on duty does with it. */
  watch: string;
}

/** Something each worker counts: `kim_NAME` with the label `worker`, and `kim_node_NAME` for all workers ever and the manager. */
export interface StatsRow extends MetricRow {
  /** The manager has it too, as worker "manager". */
  manager?: true;
  samples: (stats: StatsSnapshot, limits: readonly string[]) => Sample[];
}

/** Something known of the node as a whole: `kim_NAME`. */
export interface NodeRow extends MetricRow {
  samples: (status: NodeStatus) => Sample[];
}

export function gauge(name: string, unit: string, help: string, labels: readonly string[] = []) {
  return { name, type: 'gauge' as const, labels, unit, help };
}

export function counter(name: string, unit: string, help: string, labels: readonly string[] = []) {
  return { name, type: 'counter' as const, labels, unit, help };
}

export function sample(labels: Record<string, string>, value: number): Sample {
  return { labels, value };
}

export function one(value: number): Sample[] {
  return [sample({}, value)];
}

/** One sample for each key of `counts` and each of `known`, which begin at zero: a rate needs a first value. */
export function by(label: string, counts: Readonly<Record<string, number | undefined>>, known: readonly string[]): Sample[] {
  return [...new Set([...known, ...Object.keys(counts)])].map((key) => sample({ [label]: key }, counts[key] ?? 0));
}

/** The samples of everything that was answered under a name, with the name as label. */
export function named(
  label: string,
  all: Readonly<Record<string, CommandSnapshot>>,
  samples: (counts: CommandSnapshot) => Sample[],
): Sample[] {
  return Object.entries(all).flatMap(([name, counts]) => samples(counts).map((s) => ({ ...s, labels: { [label]: name, ...s.labels } })));
}

/** Replies by code. */
export function codes(counts: CommandSnapshot): Sample[] {
  return Object.entries(counts.codes).map(([code, value]) => sample({ code: code === '-1' ? 'other' : code }, value));
}

export function histogram(counts: CommandSnapshot): Sample[] {
  let total = 0;
  const buckets = counts.buckets.map((n, i): Sample => {
    total += n;
    return { suffix: '_bucket', labels: { le: i < LATENCY_BOUNDS.length ? String(LATENCY_BOUNDS[i]) : '+Inf' }, value: total };
  });
  return [...buckets, { suffix: '_sum', labels: {}, value: counts.sumSeconds }, { suffix: '_count', labels: {}, value: total }];
}
