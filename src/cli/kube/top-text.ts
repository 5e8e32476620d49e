// One picture of a KimCluster for "kubectl kim top": what each of its pods does now. Pure.

import { ratesOf, sumBuckets, type NodeRates } from '../rates.ts';
import { latency } from '../replies-text.ts';
import { bytes, cut, duration, perSecond, printable, table, whole, type Column, type Paint } from '../terminal.ts';
import { nowOf } from './advice.ts';
import { componentOf } from './objects.ts';
import { clientsOfNode, conditionOf, stateOf, type ClusterView } from './status-text.ts';

export interface TopFrame {
  readonly view: ClusterView;
  /** When it was looked at, in milliseconds since 1970. */
  readonly now: number;
  readonly columns: number;
  /** Lines that there are; Infinity for a picture that need not fit. */
  readonly rows: number;
  readonly paint: Paint;
  /** Why there is nothing newer. */
  readonly problem?: string | undefined;
  readonly hint: string;
}

/** Head, sums, titles, blank lines and the hint. */
const FIXED = 7;

interface Row {
  readonly cells: string[];
  readonly isGate: boolean;
  readonly clients: number;
  readonly rates: NodeRates | undefined;
}

export function topLines({ view, now, columns, rows, paint, problem, hint }: TopFrame): string[] {
  const { cluster } = view;
  const all = view.pods.filter(({ pod }) => ['gate', 'logic'].includes(componentOf(pod))).map((one) => rowOf(one, view));
  const moves = nowOf(cluster, view.pods, now);
  const room = Math.max(1, rows - FIXED - moves.length - (problem === undefined ? 0 : 1));
  const shown = all.length > room ? all.slice(0, room - 1) : all;
  const lines = fitting(
    shown.map(({ cells }) => cells),
    columns,
    paint,
  );
  const { summary } = cluster.status ?? {};
  const isReady = conditionOf(cluster.status, 'Ready')?.status === 'True';
  const head = `  gates ${summary?.gates ?? '-'}  logic nodes ${summary?.logics ?? '-'}  ${summary?.discovery ?? ''}`;
  return [
    `${paint('bold', cluster.metadata.name)}  ${paint(isReady ? 'green' : 'yellow', isReady ? 'ready' : 'not ready')}${head}`,
    cut(sums(all), columns),
    ...(problem === undefined ? [] : [paint('red', cut(printable(problem), columns))]),
    '',
    ...lines,
    ...(shown.length < all.length ? [`... ${whole(all.length - shown.length)} more`] : []),
    '',
    ...moves.map((line) => cut(printable(line), columns)),
    ...(hint === '' ? [] : [paint('dim', cut(hint, columns))]),
  ];
}

const right = (title: string, width: number): Column => ({ title, width, right: true });
const titles: readonly Column[] = [
  { title: 'POD' },
  { title: 'STATE', width: 8 },
  right('CPU', 5),
  right('CLIENTS', 9),
  right('REQ/S', 8),
  right('FAILED/S', 8),
  right('NEW/S', 6),
  right('P50', 7),
  right('P99', 7),
  right('MEMORY', 9),
  right('LAG', 7),
];

/** In a narrow terminal these go, one after another. */
const DISPENSABLE = ['NEW/S', 'LAG', 'P50', 'MEMORY', 'FAILED/S', 'CPU', 'P99', 'STATE'];

function fitting(rows: readonly (readonly string[])[], width: number, paint: Paint): string[] {
  const plain: Paint = (_style, text) => text;
  for (let left = DISPENSABLE; ; left = left.slice(1)) {
    const gone = DISPENSABLE.slice(0, DISPENSABLE.length - left.length);
    const kept = [...titles.keys()].filter((i) => !gone.includes(titles[i]!.title));
    const draw = (how: Paint) =>
      table(
        kept.map((i) => titles[i]!),
        rows.map((cells) => kept.map((i) => cells[i]!)),
        how,
      );
    const lines = draw(plain);
    if (lines.every((line) => line.length <= width)) return draw(paint);
    if (left.length === 0) return lines.map((line) => cut(line, width));
  }
}

function rowOf(own: ClusterView['pods'][number], { before }: ClusterView): Row {
  const { pod, look, problem } = own;
  const isGate = componentOf(pod) === 'gate';
  const state = problem === undefined ? stateOf(own) : `${stateOf(own)}?`;
  const head = [pod.metadata.name, state];
  if (look === undefined) return { cells: [...head, ...titles.slice(2).map(() => '-')], isGate, clients: 0, rates: undefined };
  const { totals, manager } = look.status;
  const rates = ratesOf(look, before.find((one) => one.pod.metadata.uid === pod.metadata.uid)?.look);
  const clients = clientsOfNode(look.status);
  const memory = totals.rssBytes + manager.rssBytes;
  const cells = [
    ...head,
    `${Math.round((rates.total.cpu + rates.managerCpu) * 100)} %`,
    whole(clients),
    perSecond(repliesOf(rates)),
    perSecond(failuresOf(rates)),
    perSecond(rates.total.accepted),
    latency(bucketsOf([rates]), 0.5),
    latency(bucketsOf([rates]), 0.99),
    bytes(memory),
    duration(totals.loopLagSeconds),
  ];
  return { cells, isGate, clients, rates };
}

/** Of all gates: what clients see. */
function sums(all: readonly Row[]): string {
  const gates = all.filter(({ isGate }) => isGate);
  const rates = gates.flatMap((row) => (row.rates === undefined ? [] : [row.rates]));
  const sum = (of: (one: NodeRates) => number) => rates.reduce((total, one) => total + of(one), 0);
  return [
    `clients ${whole(gates.reduce((total, { clients }) => total + clients, 0))}`,
    `req/s ${perSecond(sum(repliesOf))}`,
    `failed/s ${perSecond(sum(failuresOf))}`,
    `in/s ${bytes(sum(({ total }) => total.bytesIn))}`,
    `out/s ${bytes(sum(({ total }) => total.bytesOut))}`,
    `p50 ${latency(bucketsOf(rates), 0.5)}`,
    `p99 ${latency(bucketsOf(rates), 0.99)}`,
  ].join('  ');
}

const answeredIn = ({ total }: NodeRates) => [...Object.values(total.commands), ...Object.values(total.routes)];
const repliesOf = (rates: NodeRates): number => answeredIn(rates).reduce((sum, { replies }) => sum + replies, 0);
const failuresOf = (rates: NodeRates): number => answeredIn(rates).reduce((sum, { failures }) => sum + failures, 0);
const bucketsOf = (rates: readonly NodeRates[]): number[] => sumBuckets(rates.flatMap(answeredIn).map(({ buckets }) => buckets));
