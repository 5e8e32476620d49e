// The metrics page, parsed back as Prometheus would, against the table it is made from; and its document.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleStatus } from '../../../src/ops/admin-docs.ts';
import { renderMetrics, renderMetricsDocs } from '../../../src/ops/metrics.ts';
import { nodeRows, statsRows } from '../../../src/ops/metrics-table.ts';
import type { NodeStatus } from '../../../src/ops/snapshot.ts';
import { LATENCY_BOUNDS, Stats } from '../../../src/ops/stats.ts';
import { StatsBook } from '../../../src/ops/stats-book.ts';

interface Family {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

/** Reads the text format strictly: HELP and TYPE before samples, each sample in its family, no sample twice. */
function parse(page: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  assert.ok(page.endsWith('\n'));
  for (const line of page.split('\n').filter(Boolean)) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    const family = [...families.values()].at(-1);
    if (kind === 'HELP') {
      assert.ok(!families.has(name!), `${name} comes twice`);
      families.set(name!, { help: rest!, type: '', samples: [] });
    } else if (kind === 'TYPE') {
      assert.equal([...families.keys()].at(-1), name);
      family!.type = rest!;
    } else {
      const [, sample, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? assert.fail(`not a sample: ${line}`);
      const series = `${sample}{${labels}}`;
      assert.ok(!seen.has(series), `${series} comes twice`);
      seen.add(series);
      const base = family!.type === 'histogram' ? sample!.replace(/_(bucket|sum|count)$/, '') : sample;
      assert.equal([...families.keys()].at(-1), base);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!]);
      family!.samples.push({ name: sample!, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
    }
  }
  return families;
}

function value(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const found = [...families.values()].flatMap((family) => family.samples).filter((sample) => sample.name === name);
  const match = found.filter((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text));
  assert.equal(match.length, 1, `${name} ${JSON.stringify(labels)} is there ${match.length} times`);
  return match[0]!.value;
}

test('the page and the table have the same metrics, types, meanings and labels, both ways', async () => {
  const families = parse(await renderMetrics(exampleStatus, ['max_frame', 'max_clients']));
  const expected = [
    ...nodeRows.map((row) => ({ ...row, name: `kim_${row.name}` })),
    ...statsRows.map((row) => ({ ...row, name: `kim_${row.name}`, labels: ['worker', ...row.labels] })),
    ...statsRows.map((row) => ({ ...row, name: `kim_node_${row.name}` })),
  ];
  assert.deepEqual([...families.keys()].toSorted(), expected.map((row) => row.name).toSorted());
  for (const row of expected) {
    const family = families.get(row.name)!;
    assert.deepEqual([family.type, family.help], [row.type, row.help]);
    assert.ok(family.samples.length > 0, `${row.name} has no sample`);
    for (const { labels } of family.samples)
      assert.deepEqual(
        Object.keys(labels).filter((label) => label !== 'le'),
        row.labels,
        row.name,
      );
  }
});

test('names follow the rules: counters end in _total, units are seconds and bytes', () => {
  for (const row of [...nodeRows, ...statsRows]) {
    assert.match(row.name, /^[a-z_]+$/);
    assert.equal(row.type === 'counter', row.name.endsWith('_total'), row.name);
    for (const unit of ['seconds', 'bytes']) assert.equal(row.unit === unit, row.name.includes(unit), row.name);
    assert.ok(row.watch.length > 10 && !row.watch.endsWith('.'), row.name);
  }
});

test('histograms have cumulative buckets in seconds with +Inf equal to the count', async () => {
  const stats = new Stats();
  for (const seconds of [0.0001, 0.0005, 0.003, 0.2, 60]) stats.command('1001').done(0, seconds);
  const snapshot = stats.snapshot();
  const status: NodeStatus = { ...exampleStatus, workers: [{ ...exampleStatus.workers[0]!, stats: snapshot }], totals: snapshot };
  const families = parse(await renderMetrics(status));
  const name = 'kim_request_duration_seconds';
  const buckets = families.get(name)!.samples.filter((sample) => sample.name === `${name}_bucket`);
  assert.deepEqual(
    buckets.map((bucket) => bucket.labels.le),
    [...LATENCY_BOUNDS.map(String), '+Inf'],
  );
  assert.deepEqual(
    buckets.map((bucket) => bucket.value),
    [2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5],
  );
  assert.equal(value(families, `${name}_count`), 5);
  assert.ok(Math.abs(value(families, `${name}_sum`) - 60.2036) < 1e-6);
  assert.equal(value(families, 'kim_node_request_duration_seconds_count'), 5);
});

test('every limit and every reason is there with 0 before anything happened', async () => {
  const families = parse(await renderMetrics(exampleStatus, ['max_frame', 'accept_rate']));
  for (const worker of ['1', '2', 'manager']) {
    assert.equal(value(families, 'kim_limit_hits_total', { worker, limit: 'accept_rate' }), 0);
    assert.equal(value(families, 'kim_connections_refused_total', { worker, reason: 'max_clients' }), 0);
  }
  assert.equal(value(families, 'kim_node_limit_hits_total', { limit: 'max_frame' }), 0);
  assert.equal(value(families, 'kim_node_connections_closed_total', { reason: 'slow_reader' }), 0);
});

test('workers are apart and summed, with the manager where it counts too', async () => {
  const [one, two] = exampleStatus.workers;
  const stats = { ...two!.stats, refused: { max_clients: 2 }, limits: { max_clients: 2 } };
  const manager = { ...exampleStatus.manager, refused: { not_ready: 3, max_clients: 1 }, limits: { accept_rate: 5 }, passQueue: 4 };
  const status: NodeStatus = { ...exampleStatus, workers: [one!, { ...two!, stats }], totals: { ...stats, connections: 6 }, manager };
  const families = parse(await renderMetrics(status));
  assert.deepEqual([value(families, 'kim_connections', { worker: '1' }), value(families, 'kim_node_connections')], [3, 6]);
  assert.equal(value(families, 'kim_connections_refused_total', { worker: 'manager', reason: 'not_ready' }), 3);
  assert.equal(value(families, 'kim_node_connections_refused_total', { reason: 'max_clients' }), 3);
  assert.equal(value(families, 'kim_node_limit_hits_total', { limit: 'accept_rate' }), 5);
  assert.equal(value(families, 'kim_pass_queue'), 4);
  assert.equal(value(families, 'kim_process_resident_memory_bytes', { worker: 'manager' }), manager.rssBytes);
});

test('counters on the page survive the death of a worker and its removal', async () => {
  const book = new StatsBook();
  const stats = new Stats();
  stats.framesIn = 50;
  stats.connections = 8;
  book.update(1, 1, stats.snapshot());
  book.ended(1, 1);
  const worker = { ...exampleStatus.workers[0]!, state: 'held' as const, restarts: 1, stats: book.ofWorker(1) };
  const held = parse(await renderMetrics({ ...exampleStatus, workers: [worker], totals: book.total() }));
  assert.deepEqual([value(held, 'kim_frames_received_total', { worker: '1' }), value(held, 'kim_connections', { worker: '1' })], [50, 0]);
  assert.equal(value(held, 'kim_workers', { state: 'held' }), 1);
  assert.equal(value(held, 'kim_worker_restarts_total', { worker: '1' }), 1);
  const gone = parse(await renderMetrics({ ...exampleStatus, workers: [], totals: book.total() }));
  assert.equal(value(gone, 'kim_node_frames_received_total'), 50);
});

test('a name with quotes and line breaks does not break the page, and codes beyond the counted ones are "other"', async () => {
  const stats = new Stats();
  for (let code = 1; code <= 40; code++) stats.command('1001').done(code, 0.001);
  const status: NodeStatus = { ...exampleStatus, name: 'a "b"\\\nc', totals: stats.snapshot() };
  const families = parse(await renderMetrics(status));
  assert.equal(families.get('kim_info')!.samples[0]!.labels.name, 'a \\"b\\"\\\\\\nc');
  assert.equal(value(families, 'kim_node_requests_total', { code: 'other' }), 8);
});

test('the document has every metric with its sentence, and no cell breaks its table', () => {
  const docs = renderMetricsDocs();
  for (const row of [...nodeRows, ...statsRows]) {
    assert.ok(docs.includes(`| \`kim_${row.name}\` | ${row.type} |`), row.name);
    assert.ok(docs.includes(`- \`kim_${row.name}\`: ${row.watch}.`), row.name);
  }
  for (const table of docs
    .trim()
    .split('\n\n')
    .filter((part) => part.startsWith('|'))) {
    assert.equal(new Set(table.split('\n').map((line) => line.split(' | ').length)).size, 1, table);
  }
});
