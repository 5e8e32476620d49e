// Contenders under the same load, in turns: a machine that is slow for a while is slow for all of them.

import type { Exchange } from './frames.ts';
import { Histogram } from './histogram.ts';
import type { Loads, Run } from './loads.ts';
import { median, type Figures } from './results.ts';
import type { Server } from './servers.ts';
import type { Settings } from './settings.ts';

/** What every row needs. */
export interface Bench {
  settings: Settings;
  loads: Loads;
  /** Tells who waits what is being done. */
  say(text: string): void;
}

export interface Shape {
  exchange: Exchange;
  depth: number;
}

export interface Round extends Run {
  managerUs: number;
  workerUs: number;
}

/** Points of the latency curve: six steps to each further nine, and a few before the first. */
const CURVE = [0.01, 0.05, 0.1, 0.2, ...Array.from({ length: 29 }, (_, i) => 1 - 10 ** (-(i + 1) / 6))];

/** What the server spent while `work` ran. Nothing is in flight before and after, so that nothing is missing or counted twice. */
export async function withUsage(server: Server, work: () => Promise<Run>): Promise<Round> {
  const before = server.usage();
  const run = await work();
  const after = server.usage();
  return { ...run, managerUs: after.managerUs - before.managerUs, workerUs: after.workerUs - before.workerUs };
}

/** Rounds of each contender, one after the other; before its first one each is warmed up. */
export async function contest(bench: Bench, servers: readonly Server[], shape: Shape, title: string): Promise<Round[][]> {
  const { seconds, rounds } = bench.settings;
  const out: Round[][] = servers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, server] of servers.entries()) {
      bench.say(`${title}: round ${round + 1} of ${rounds}`);
      out[i]!.push(await oneRound(bench, server, shape, seconds, round === 0));
    }
  }
  return out;
}

async function oneRound({ loads, settings }: Bench, server: Server, shape: Shape, seconds: number, warm: boolean): Promise<Round> {
  await server.expect(shape.exchange);
  await loads.connect(server.port, shape.exchange, shape.depth, settings.connections);
  if (warm) await loads.run({ seconds: Math.min(1, seconds / 2) });
  const round = await withUsage(server, () => loads.run({ seconds }));
  await loads.close();
  return round;
}

export function figures(rounds: readonly Round[]): Figures {
  const latency = Histogram.of(...rounds.map((round) => round.latency.counts()));
  const perReply = (value: (round: Round) => number) => median(rounds.map((round) => value(round) / round.replies));
  return {
    rate: median(rounds.map(({ rate }) => rate)),
    p50Us: latency.percentile(0.5),
    p99Us: latency.percentile(0.99),
    p999Us: latency.percentile(0.999),
    cpuUs: perReply(({ managerUs, workerUs }) => managerUs + workerUs),
    managerUs: perReply(({ managerUs }) => managerUs),
    loadUs: perReply(({ cpuUs }) => cpuUs),
    loadBusy: median(rounds.map(({ busy }) => busy)),
    curve: CURVE.filter((share) => (1 - share) * latency.count >= 1).map((share) => [share, latency.percentile(share)]),
  };
}

/** What `ours` spends for a reply to what `other` spends, in each pair of rounds that ran side by side. */
export function ratios(ours: readonly Round[], other: readonly Round[]): number[] {
  const cost = ({ managerUs, workerUs, replies }: Round) => (managerUs + workerUs) / replies;
  return ours.map((round, i) => cost(round) / cost(other[i]!));
}
