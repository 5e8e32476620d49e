// One picture of a node for "kim top": fits into the terminal it is made for. Pure.

import { addressText } from '../config/address.ts';
import type { NodeStatus } from '../ops/snapshot.ts';
import { clusterTop } from './cluster-part.ts';
import { sumBuckets, type Look, type NodeRates, type Rates } from './rates.ts';
import { latency } from './replies-text.ts';
import { headLine, limitsOf, paintState } from './status-text.ts';
import { bytes, cut, duration, perSecond, printable, table, whole, type Column, type Paint } from './terminal.ts';

export interface FrameOptions {
  readonly look: Look;
  readonly rates: NodeRates;
  readonly columns: number;
  /** Lines that there are; Infinity for a picture that need not fit. */
  readonly rows: number;
  readonly paint: Paint;
  /** Why there is nothing newer than `look`. */
  readonly problem?: string | undefined;
  /** What the last line says. */
  readonly hint: string;
}

const CELL = 20;
const BAR = 12;
/** A command, or a route to other nodes. */
const MAX_LABEL = 16;
/** Lines that are always there: head, listeners, three of numbers, titles of two tables, the manager, blank lines, limits, hint. */
const FIXED = 14;

export function frameLines({ look: { at, status }, rates, columns, rows, paint, problem, hint }: FrameOptions): string[] {
  const cluster = clusterTop(status, rates, columns, paint);
  const room = Math.max(2, rows - FIXED - cluster.length - (problem === undefined ? 0 : 1) - status.reasons.length);
  const commands = commandRows(status, rates);
  // the longer list gives way to the shorter one
  const forWorkers = Math.min(status.workers.length, Math.max(Math.floor(room / 2), room - commands.length));
  const forCommands = Math.min(commands.length, room - forWorkers);
  return [
    headLine(status, at, paint),
    cut(status.listeners.map(({ kind, host, port, codec }) => `${kind} ${addressText(host, port)} (${codec})`).join('  '), columns),
    ...status.reasons.map((reason) => paint('yellow', cut(reason, columns))),
    ...(problem === undefined ? [] : [paint('red', cut(problem, columns))]),
    '',
    ...numbers(status, rates),
    ...cluster,
    '',
    ...workerTable(status, rates, forWorkers, paint),
    '',
    ...commandTable(commands, forCommands, paint),
    '',
    cut(limitsLine(status, rates), columns),
    paint(
      'dim',
      cut(`${hint}${rates.sinceStart ? 'rates are averages since the start' : `rates over ${duration(rates.seconds)}`}`, columns),
    ),
  ];
}

function numbers({ totals }: NodeStatus, { total, managerCpu }: NodeRates): string[] {
  const answered = [...Object.values(total.commands), ...Object.values(total.routes)];
  const buckets = sumBuckets(answered.map((command) => command.buckets));
  const failures = answered.reduce((sum, command) => sum + command.failures, 0);
  return [
    cells(
      ['open', whole(totals.connections)],
      ['req/s', perSecond(total.requests)],
      ['in/s', bytes(total.bytesIn)],
      ['p50', latency(buckets, 0.5)],
    ),
    cells(
      ['in flight', whole(totals.inFlight)],
      ['failed/s', perSecond(failures)],
      ['out/s', bytes(total.bytesOut)],
      ['p99', latency(buckets, 0.99)],
    ),
    cells(
      ['new/s', perSecond(total.accepted)],
      ['cpu', percent(total.cpu + managerCpu)],
      ['unsent', bytes(totals.outgoingBytes)],
      ['lag', duration(totals.loopLagSeconds)],
    ),
  ];
}

/** Four pairs of a name and a number in 80 columns. */
function cells(...pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs
    .map(([name, value], i) => `${name} ${value.padStart(CELL - (i === 0 ? 0 : 2) - name.length - 1)}`)
    .join('  ')
    .trimEnd();
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `[||||||      ]  50 %`: the share of one processor. */
export function bar(share: number): string {
  const full = Math.max(0, Math.min(BAR, Math.round(share * BAR)));
  return `[${'|'.repeat(full)}${' '.repeat(BAR - full)}] ${percent(share).padStart(5)}`;
}

function workerTable({ workers, manager }: NodeStatus, rates: NodeRates, limit: number, paint: Paint): string[] {
  const shown = workers.slice(0, limit);
  const rows = shown.map(({ index, state, stats }) => {
    const own: Rates | undefined = rates.workers.get(index);
    return [
      String(index),
      state,
      bar(own?.cpu ?? 0),
      whole(stats.connections),
      perSecond(own?.requests ?? 0),
      bytes(stats.rssBytes),
      duration(stats.loopLagSeconds),
    ];
  });
  const { rssBytes, loopLagSeconds } = manager;
  rows.push(['-', 'manager', bar(rates.managerCpu), '', '', bytes(rssBytes), duration(loopLagSeconds)]);
  const columns = [
    right('WORKER', 6),
    { title: 'STATE', width: 8 },
    { title: 'CPU', width: CELL },
    right('OPEN', 9),
    right('REQ/S', 9),
    right('MEMORY', 9),
    right('LAG', 7),
  ];
  const [head = '', ...lines] = table(columns, rows, paint);
  const last = lines.pop()!;
  return [...more([head, ...lines.map((line, i) => paintState(line, shown[i]!.state, paint))], workers.length - shown.length), last];
}

/** Commands that were answered here, and routes by which other nodes did. */
function commandRows({ totals }: NodeStatus, { total }: NodeRates): string[][] {
  const all = { ...totals.commands, ...totals.routes };
  const answered = Object.entries({ ...total.commands, ...total.routes }).filter(([label]) => Object.keys(all[label]!.codes).length > 0);
  return (
    answered
      // those that are about as busy as each other keep their places from look to look
      .sort(([a, { replies }], [b, { replies: others }]) => magnitude(others) - magnitude(replies) || a.localeCompare(b))
      .map(([label, { replies, failures, buckets }]) => [
        cut(printable(label), MAX_LABEL),
        perSecond(replies),
        perSecond(failures),
        latency(buckets, 0.5),
        latency(buckets, 0.99),
        whole(Object.values(all[label]!.codes).reduce((sum, n) => sum + n, 0)),
      ])
  );
}

/** Its first digit. */
function magnitude(n: number): number {
  return Number(n.toPrecision(1));
}

function commandTable(rows: readonly string[][], limit: number, paint: Paint): string[] {
  if (rows.length === 0) return ['no command was answered yet'];
  const columns = [
    { title: 'COMMAND', width: MAX_LABEL },
    right('REPLIES/S', 11),
    right('FAILED/S', 10),
    right('P50', 9),
    right('P99', 9),
    right('TOTAL', 15),
  ];
  return more(table(columns, rows.slice(0, limit), paint), rows.length - limit);
}

function right(title: string, width: number): Column {
  return { title, width, right: true };
}

/** The last line gives way to the number of those that are not shown. */
function more(lines: string[], hidden: number): string[] {
  return hidden <= 0 ? lines : [...lines.slice(0, -1), `... ${whole(hidden + 1)} more`];
}

function limitsLine(status: NodeStatus, { total }: NodeRates): string {
  const hit = Object.entries(limitsOf(status)).filter(([, n]) => n > 0);
  if (hit.length === 0) return 'limits hit: none';
  return `limits hit: ${hit.map(([key, n]) => `${key} ${whole(n)} (${perSecond(total.limits[key] ?? 0)}/s)`).join(', ')}`;
}
