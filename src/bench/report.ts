// Results as tables: for a terminal, and as Markdown for the documentation.

import { count, kib, median, targets, type About, type Figures, type Results } from './results.ts';

export interface Table {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

export function tables(results: Results): Table[] {
  return [
    loadTable(results),
    workersTable(results),
    churnTable(results),
    idleTable(results),
    relayTable(results),
    spreadTable(results),
    ringTable(results),
    soakTable(results),
    ...profileTables(results),
    targetsTable(results),
  ].filter(({ rows }) => rows.length > 0);
}

const LOAD_COLUMNS = ['replies/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU µs/reply', 'busy', 'load CPU µs', 'load busy'];

function loadCells({ rate, p50Us, p99Us, p999Us, cpuUs, loadUs, loadBusy }: Figures): string[] {
  return [count(rate), ms(p50Us), ms(p99Us), ms(p999Us), us(cpuUs), cpus((cpuUs * rate) / 1e6), us(loadUs), cpus(loadBusy)];
}

/** The median, and between what the rounds were: how much to believe it. */
function ratioCells(ratios: readonly number[]): string[] {
  return [median(ratios).toFixed(2), `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`];
}

function loadTable({ load, about }: Results): Table {
  return {
    title: `Under load: ${about.connections} connections, 16 bytes of data, one worker`,
    columns: ['row', 'depth', 'server', ...LOAD_COLUMNS, 'ratio', 'of rounds'],
    rows: load.flatMap(({ name, depth, floor, ours, ratios }) => [
      [name, String(depth), 'floor', ...loadCells(floor), '', ''],
      [name, String(depth), 'kimserver', ...loadCells(ours), ...ratioCells(ratios)],
    ]),
  };
}

function workersTable({ workers }: Results): Table {
  return {
    title: 'Two workers',
    columns: ['depth', 'workers', ...LOAD_COLUMNS, 'ratio', 'of rounds'],
    rows: workers.flatMap(({ depth, one, two, ratios }) => [
      [String(depth), '1', ...loadCells(one), '', ''],
      [String(depth), '2', ...loadCells(two), ...ratioCells(ratios)],
    ]),
  };
}

function churnTable({ churn }: Results): Table {
  return {
    title: 'Churn: connect, one request, close',
    columns: ['server', 'connections/s', 'p50 ms', 'p99 ms', 'manager µs', 'worker µs', 'load CPU µs'],
    rows: churn.map((row) => [row.who, count(row.rate), ms(row.p50Us), ms(row.p99Us), us(row.managerUs), us(row.workerUs), us(row.loadUs)]),
  };
}

function idleTable({ idle }: Results): Table {
  return {
    title: 'Idle connections',
    columns: ['server', 'connections', 'memory each', 'each, collected', 'worker CPU', 'manager CPU'],
    rows: idle.map((row) => [
      row.who,
      count(row.connections),
      kib(row.rssBytes),
      row.collectedBytes === undefined ? '' : kib(row.collectedBytes),
      percent(row.workerCpu),
      row.who === 'floor' ? '' : percent(row.managerCpu),
    ]),
  };
}

function relayTable({ relay }: Results): Table {
  return {
    title: 'Relay: a gate, a logic node, and back, beside a gate that answers itself',
    columns: ['depth', 'connections', 'server', 'replies/s', 'p50 ms', 'p99 ms', 'gate CPU µs', 'logic CPU µs', 'ratio', 'of rounds'],
    rows: relay.flatMap(({ depth, connections, own, gate, logicUs, ratios }) => [
      [String(depth), count(connections), 'itself', count(own.rate), ms(own.p50Us), ms(own.p99Us), us(own.cpuUs), '', '', ''],
      [
        String(depth),
        count(connections),
        'relayed',
        count(gate.rate),
        ms(gate.p50Us),
        ms(gate.p99Us),
        us(gate.cpuUs),
        us(logicUs),
        ...ratioCells(ratios),
      ],
    ]),
  };
}

function spreadTable({ spread }: Results): Table {
  return {
    title: 'Messages of 100 bytes from a logic node to clients of a gate',
    columns: ['to', 'deliveries', 'deliveries/s', 'gate CPU µs', 'logic CPU µs', 'deliveries per CPU second'],
    rows: spread.map((row) => [
      row.what,
      count(row.deliveries),
      count(row.rate),
      us(row.gateUs),
      us(row.logicUs),
      count(1e6 / (row.gateUs + row.logicUs)),
    ]),
  };
}

function ringTable({ ring }: Results): Table {
  return {
    title: 'The ring of 200 nodes with 8 workers each',
    columns: ['points', 'made from nothing, ms', 'one node changes, ms', 'lookup, ns'],
    rows: ring === undefined ? [] : [[count(ring.points), ring.coldMs.toFixed(0), ring.changeMs.toFixed(1), ring.lookupNs.toFixed(0)]],
  };
}

function soakTable({ soak }: Results): Table {
  return {
    title: 'Endurance: memory of the worker at depth 100',
    columns: ['after requests', 'resident', 'heap, collected'],
    rows: (soak?.points ?? []).map(({ requests, rssBytes, heapBytes }) => [count(requests), mib(rssBytes), mib(heapBytes)]),
  };
}

function profileTables({ profiles }: Results): Table[] {
  return profiles.map(({ name, file, top }) => ({
    title: `Where the worker spends its time, ${name} (${file})`,
    columns: ['share', 'function'],
    rows: top.map(({ what, share }) => [percent(share), what]),
  }));
}

function targetsTable(results: Results): Table {
  return {
    title: 'Targets',
    columns: ['what', 'wanted', 'found', ''],
    rows: targets(results).map(({ what, wanted, found, isMet }) => [what, wanted, found, isMet ? 'met' : 'missed']),
  };
}

export function aboutLine({ commit, node, cpu, kernel, date }: About): string {
  return `commit ${commit}, Node.js ${node}, ${cpu}, ${kernel}, ${date}`;
}

/** For a terminal: columns are as wide as their widest cell, numbers stand to the right. */
export function asText({ title, columns, rows }: Table): string {
  const width = (column: number) => Math.max(...[columns, ...rows].map((row) => row[column]!.length));
  const widths = columns.map((_, column) => width(column));
  const line = (row: readonly string[], isHead: boolean) =>
    row
      .map((cell, i) =>
        (isHead ? rows.every((r) => isNumeric(r[i]!)) : isNumeric(cell)) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd();
  return [title, '  ' + line(columns, true), ...rows.map((row) => '  ' + line(row, false))].join('\n') + '\n';
}

export function asMarkdown({ title, columns, rows }: Table): string {
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(row[i]!)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [`### ${title}`, '', line(columns), line(right.map((r) => (r ? '---:' : '---'))), ...rows.map(line), ''].join('\n');
}

const isNumeric = (cell: string): boolean => cell === '' || /^[\d.,-]+( (CPUs|KB|MB|%))?$/.test(cell);
const us = (n: number): string => n.toFixed(n < 10 ? 2 : 1);
const ms = (n: number): string => (n / 1000).toFixed(n < 10_000 ? 2 : 1);
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
const cpus = (n: number): string => `${n.toFixed(1)} CPUs`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
