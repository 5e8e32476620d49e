// A node in words and tables: what "kim status" shows. Pure.

import { addressText } from '../config/address.ts';
import type { NodeStatus } from '../ops/snapshot.ts';
import { clusterPart, routeTable } from './cluster-part.ts';
import { counted, labelled, listed } from './labelled.ts';
import { countOf, failuresOf, type NodeRates } from './rates.ts';
import { codesBut, latency } from './replies-text.ts';
import { age, bytes, duration, perSecond, table, whole, type Column, type Paint, type Style } from './terminal.ts';

const STATE_STYLES: Readonly<Record<string, Style>> = { serving: 'green', held: 'red', starting: 'yellow', leaving: 'yellow' };

/** `rates` are shown where they are given. `now` is in milliseconds since 1970. */
export function statusLines(status: NodeStatus, now: number, paint: Paint, rates?: NodeRates): string[] {
  return [
    headLine(status, now, paint),
    ...status.reasons.flatMap((reason) => labelled('', reason)),
    ...listed('listeners', listenersOf(status)),
    ...listed('connections', connections(status, rates)),
    ...listed('traffic', traffic(status, rates)),
    ...listed('manager', manager(status)),
    ...clusterPart(status, paint),
    '',
    ...workerTable(status, paint, rates),
    '',
    ...commandTable(status, paint, rates),
    ...routeTable(status, paint, rates),
    ...counted('limits hit', limitsOf(status)),
    ...counted('closed', status.totals.closed),
    ...counted('refused', refusedOf(status)),
    ...status.workers.flatMap(({ index, lastExit }) =>
      lastExit === undefined ? [] : labelled(`worker ${index}`, `last exit: ${lastExit}`),
    ),
  ];
}

export function headLine({ name, type, state, ready, version, pid, startedAt }: NodeStatus, now: number, paint: Paint): string {
  const isWell = ready && state === 'serving';
  const how = paint(isWell ? 'green' : 'yellow', `${state}, ${ready ? 'ready' : 'not ready'}`);
  return `${paint('bold', name)} (${type})  ${how}  up ${age((now - Date.parse(startedAt)) / 1000)}  version ${version}  process ${pid}`;
}

function listenersOf({ listeners }: NodeStatus): string[] {
  return listeners.length === 0
    ? ['none']
    : listeners.map(({ kind, host, port, codec }) => `${kind} ${addressText(host, port)} (${codec})`);
}

function connections({ totals }: NodeStatus, rates: NodeRates | undefined): string[] {
  return [
    `${whole(totals.connections)} open`,
    `${whole(totals.inFlight)} requests in flight`,
    ...(totals.paused > 0 ? [`${whole(totals.paused)} paused by a limit`] : []),
    `${whole(totals.accepted)} accepted${rates === undefined ? '' : ` (${perSecond(rates.total.accepted)}/s)`}`,
  ];
}

function traffic({ totals }: NodeStatus, rates: NodeRates | undefined): string[] {
  const perS = (n: number | undefined) => (n === undefined ? '' : ` (${perSecond(n)}/s)`);
  const bytesPerS = (n: number | undefined) => (n === undefined ? '' : ` (${bytes(n)}/s)`);
  return [
    `${whole(totals.framesIn)} frames in${perS(rates?.total.requests)}`,
    `${whole(totals.framesOut)} out${perS(rates?.total.replies)}`,
    `${bytes(totals.bytesIn)} in${bytesPerS(rates?.total.bytesIn)}`,
    `${bytes(totals.bytesOut)} out${bytesPerS(rates?.total.bytesOut)}`,
    `${bytes(totals.outgoingBytes)} unsent`,
  ];
}

function manager({ manager: { rssBytes, loopLagSeconds, passQueue } }: NodeStatus): string[] {
  return [`${bytes(rssBytes)} memory`, `${duration(loopLagSeconds)} loop lag`, `${whole(passQueue)} connections waiting for a worker`];
}

const workerColumns: readonly Column[] = [
  { title: 'WORKER', right: true },
  { title: 'PROCESS', right: true },
  { title: 'STATE' },
  { title: 'CONNECTIONS', right: true },
  { title: 'IN FLIGHT', right: true },
  { title: 'RESTARTS', right: true },
  { title: 'MEMORY', right: true },
  { title: 'LAG', right: true },
];

function workerTable({ workers }: NodeStatus, paint: Paint, rates: NodeRates | undefined): string[] {
  const columns = rates === undefined ? workerColumns : [...workerColumns, { title: 'REQ/S', right: true }];
  const rows = workers.map(({ index, pid, state, restarts, stats }) => [
    String(index),
    pid === 0 ? '-' : String(pid),
    state,
    whole(stats.connections),
    whole(stats.inFlight),
    whole(restarts),
    bytes(stats.rssBytes),
    duration(stats.loopLagSeconds),
    ...(rates === undefined ? [] : [perSecond(rates.workers.get(index)?.requests ?? 0)]),
  ]);
  const [head = '', ...lines] = table(columns, rows, paint);
  return [head, ...lines.map((line, i) => paintState(line, workers[i]!.state, paint))];
}

/** Colours a state in a finished line, so that the widths stay true. */
export function paintState(line: string, state: string, paint: Paint): string {
  const style = STATE_STYLES[state];
  return style === undefined ? line : line.replace(` ${state} `, ` ${paint(style, state)} `);
}

const commandColumns: readonly Column[] = [
  { title: 'COMMAND' },
  { title: 'REPLIES', right: true },
  { title: 'CODE 0', right: true },
  { title: 'P50', right: true },
  { title: 'P99', right: true },
];

/** Commands that were ever answered, the busiest first. */
function commandTable({ totals }: NodeStatus, paint: Paint, rates: NodeRates | undefined): string[] {
  const answered = Object.entries(totals.commands)
    .filter(([, command]) => countOf(command) > 0)
    .sort(([, a], [, b]) => countOf(b) - countOf(a));
  if (answered.length === 0) return ['no command was answered yet'];
  const rateColumns = rates === undefined ? [] : [{ title: 'PER S', right: true }];
  const rows = answered.map(([label, command]) => [
    label,
    whole(countOf(command)),
    whole(countOf(command) - failuresOf(command)),
    latency(command.buckets, 0.5),
    latency(command.buckets, 0.99),
    ...(rates === undefined ? [] : [perSecond(rates.total.commands[label]?.replies ?? 0)]),
    codesBut(command.codes, [0]),
  ]);
  return table([...commandColumns, ...rateColumns, { title: 'OTHER CODES' }], rows, paint);
}

export function limitsOf({ totals, manager: { limits } }: NodeStatus): Record<string, number> {
  return sum(totals.limits, limits);
}

function refusedOf({ totals, manager: { refused } }: NodeStatus): Record<string, number> {
  return sum(totals.refused, refused);
}

function sum(a: Readonly<Partial<Record<string, number>>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...keys].map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}
