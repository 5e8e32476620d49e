// Alerts and the dashboard ask for metrics that exist, with labels that they have.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { alerts } from '../../scripts/support/chart/alerts.ts';
import { readSample } from '../../scripts/support/chart/dashboard-sample.ts';
import { plot, withUnit } from '../../scripts/support/chart/plot.ts';
import { dashboard, dashboardPanels } from '../../scripts/support/chart/dashboard.ts';
import { renderMetricsDocs } from '../../src/ops/metrics.ts';
import { root, sources } from '../meta/support.ts';

const queries = [...alerts.map(({ expr }) => expr), ...dashboardPanels.flatMap(({ queries: asked }) => asked.map(({ expr }) => expr))];

/** Metrics of nodes with their labels; those with a row of their own by worker exist for the whole node too. */
const ofNodes = new Map(
  [...renderMetricsDocs().matchAll(/^\| `(kim_\w+)` \| (\w+) \| ([^|]*) \|/gm)].flatMap(([, name, type, labels]) => {
    const all = labels!.split(',').map((label) => label.trim().replace(/^worker.*|^or manager$/, 'worker'));
    const node = name!.replace(/^kim_/, 'kim_node_');
    const both: [string, string[]][] = [
      [name!, all],
      ...(all.includes('worker') ? [[node, all.filter((label) => label !== 'worker')] as [string, string[]]] : []),
    ];
    return type === 'histogram' ? both.map(([key, value]): [string, string[]] => [`${key}_bucket`, [...value, 'le']]) : both;
  }),
);
const operator = sources('src/operator')
  .map((file) => readFileSync(`${root}/${file}`, 'utf8'))
  .join('\n');

test('every metric that is asked for exists', () => {
  assert.ok(ofNodes.size > 80, `${ofNodes.size} metrics were read`);
  for (const query of queries) {
    for (const name of namesOf(query)) {
      const isThere = ofNodes.has(name) || operator.includes(`'${name.replace(/_bucket$/, '')}'`);
      assert.ok(isThere, `${name} in ${query}`);
    }
  }
});

test('every label of a node that is asked for exists', () => {
  const given = ['namespace', 'pod'];
  for (const query of queries) {
    for (const [, name = '', selector = ''] of query.matchAll(/\b(kim_\w+)\{([^}]*)\}/g)) {
      const labels = [...selector.matchAll(/(\w+)[=!]/g)].map(([, label]) => label!);
      for (const label of labels) assert.ok(given.includes(label) || ofNodes.get(name)?.includes(label), `${label} of ${name} in ${query}`);
    }
  }
});

test('each alert says what is wrong and what to do', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, annotations, expr } of alerts) {
    assert.match(alert, /^Kimserver[A-Z]\w+$/);
    assert.match(annotations.description, /^\w.*\.$/, alert);
    // what is grouped away can not be named
    const named = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
    const kept = /^(?:max|sum) by \(([^)]*)\)/
      .exec(expr)?.[1]
      ?.split(',')
      .map((label) => label.trim());
    if (kept !== undefined) for (const label of named) assert.ok(kept.includes(label), `${alert} names ${label} in ${expr}`);
  }
});

test('panels of the dashboard do not overlap, and fill their rows', () => {
  const { panels } = dashboard() as { panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  assert.equal(new Set(dashboardPanels.map(({ title }) => title)).size, dashboardPanels.length);
  const taken = new Set<string>();
  for (const { gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), `two panels at ${x} ${y}`);
        taken.add(`${x} ${y}`);
      }
    }
  }
});

test('the picture of the dashboard has numbers for each panel that there is', () => {
  const sample = readSample();
  assert.deepEqual(
    [...sample.keys()],
    dashboardPanels.map(({ title }) => title),
  );
  for (const [title, lines] of sample) {
    assert.ok(lines.length > 0, `${title} is empty; record it: KIM_RECORD=1 npm test -- chart/prometheus`);
    assert.deepEqual(new Set(lines.map(({ values }) => values.length)), new Set([31]), title);
  }
});

test('numbers are drawn as people read them', () => {
  assert.deepEqual(
    [withUnit(0, 's'), withUnit(0.000_25, 's'), withUnit(0.0123, 's'), withUnit(2.5, 's')],
    ['0', '250 \u00b5s', '12.3 ms', '2.5 s'],
  );
  assert.deepEqual(
    [withUnit(300 * 2 ** 20, 'bytes'), withUnit(6671, 'reqps'), withUnit(12_340, 'short'), withUnit(0.15, 'ops')],
    ['300 MiB', '6671 req/s', '12.3k', '0.15 ops/s'],
  );
});

test('a line has gaps where there was nothing', () => {
  const drawn = plot({ x: 0, y: 0, w: 104, h: 10 }, 'short', [{ legend: '', values: [0, 1, undefined, 2] }]);
  assert.equal(/class="line s0" d="([^"]*)"/.exec(drawn)?.[1], 'M74 10L84 5M104 0');
});

/** Names of metrics: words with an underscore that are neither functions nor labels. */
function namesOf(query: string): string[] {
  const plain = query.replace(/\{[^}]*\}/g, '').replace(/\b(by|on) \([^)]*\)/g, '');
  return [...plain.matchAll(/\b[a-z]+_\w+\b(?!\()/g)].map(([name]) => name);
}
