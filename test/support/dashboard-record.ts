// Records what the dashboard shows of half a minute in which a lot happens: clients come and go, a gate leaves, a KimCluster needs a person.

import { dashboardPanels } from '../../scripts/support/chart/dashboard.ts';
import type { Line, Sample } from '../../scripts/support/chart/dashboard-sample.ts';
import { asked, legendOf, type Chosen } from './grafana.ts';
import type { Monitored } from './monitored-cluster.ts';
import type { FoundRange } from './prometheus.ts';
import { until } from './until.ts';

const SECONDS = 30;
const MAX_MS = 50_000;
/** When a gate is told to go, and how long its last client has to wait for an answer. */
const LEAVES_AT = 15;
const STAYS_MS = 5000;
/** Of each query those that say most. */
const MAX_LINES = 3;
const ALL: Chosen = { namespace: 'all', pod: 'all' };

/** Lets it all happen, and asks for it as Grafana does; but half a minute is short for what is counted over five. */
export async function record(monitored: Monitored): Promise<Sample> {
  const from = Math.ceil(Date.now() / 1000);
  const to = from + SECONDS;
  await happen(monitored, from, to);
  const panels = dashboardPanels.map(async ({ title, queries }) => {
    const lines = await Promise.all(
      queries.map(async ({ expr, legend }) => {
        const found = await monitored.prometheus.queryRange(asked(expr.replaceAll('[5m]', '[10s]'), ALL), { from, to });
        return most(found.map((series) => ({ legend: legendOf(legend, series.metric), values: valuesOf(series, from) })));
      }),
    );
    return [title, notZero(lines.flat())] as const;
  });
  return new Map(await Promise.all(panels));
}

async function happen({ traffic, operator, gates }: Monitored, from: number, to: number): Promise<void> {
  let second = -1;
  const step = async () => {
    const now = Math.floor(Date.now() / 1000) - from;
    await traffic.round();
    if (now === second) return;
    second = now;
    await traffic.clients(Math.round(30 + 14 * Math.sin(now / 4)));
    operator.tell('demo', []);
    operator.tell('other', now >= 8 && now < 20 ? WRONG : []);
    if (now % 6 === 5) operator.meddle('demo');
    if (now === LEAVES_AT) await traffic.leave(gates[1]!, STAYS_MS);
  };
  await until(
    async () => {
      await step();
      return Date.now() / 1000 > to + 1;
    },
    'half a minute is over',
    MAX_MS,
  );
}

const WRONG = [
  { type: 'Ready', status: 'False', reason: 'GateNotReady' },
  { type: 'Degraded', status: 'True', reason: 'RolloutStalled' },
] as const;

function valuesOf({ values }: FoundRange, from: number): Line['values'] {
  const at = new Map(values.map(([time, value]) => [Math.round(time) - from, Number(value)]));
  return Array.from({ length: SECONDS + 1 }, (_, second) => at.get(second)).map((value) => (Number.isFinite(value) ? value : undefined));
}

/** The largest, by name. */
function most(lines: readonly Line[]): Line[] {
  const sorted = lines.toSorted((a, b) => largest(b) - largest(a) || a.legend.localeCompare(b.legend));
  return sorted.slice(0, MAX_LINES).toSorted((a, b) => a.legend.localeCompare(b.legend));
}

/** Of those that are always 0 one, and none where there are others. */
function notZero(lines: readonly Line[]): Line[] {
  const some = lines.filter((line) => largest(line) > 0);
  return some.length > 0 ? some : lines.slice(0, 1);
}

function largest({ values }: Line): number {
  return Math.max(0, ...values.filter((value) => value !== undefined));
}
