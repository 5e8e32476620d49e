// A real Prometheus scrapes a cluster under traffic: every panel of the dashboard has its numbers, and no alert fires while all is well.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { alerts } from '../../scripts/support/chart/alerts.ts';
import { SAMPLE_FILE, sampleText } from '../../scripts/support/chart/dashboard-sample.ts';
import { dashboardPanels } from '../../scripts/support/chart/dashboard.ts';
import { root } from '../meta/support.ts';
import { record } from '../support/dashboard-record.ts';
import { asked, namedIn, variableOf, type Chosen } from '../support/grafana.ts';
import { CLUSTERS, startMonitored, type Monitored } from '../support/monitored-cluster.ts';
import { noPrometheus, type Found } from '../support/prometheus.ts';
import { until } from '../support/until.ts';

/** Panels that are empty as long as nothing is wrong. */
const EMPTY_WHEN_WELL = ['KimClusters that are not ready', 'KimClusters that need a person', 'Changes put right'];
const ALL: Chosen = { namespace: 'all', pod: 'all' };
/** So many that what one of them asks wrongly is far from 5 % of all. */
const CLIENTS = 24;

/** What is known of the cluster: two gates with two workers each, a logic node with one. One client in three logs in. */
const NUMBERS = {
  Clients: [CLIENTS],
  Users: [CLIENTS / 3],
  'Nodes ready': [3],
  Draining: [0],
  Workers: [5],
  'Members each node knows': [3, 3, 3],
  commands: ['1001', '1003', '1007', '2001', '2003', '4001', '4003'],
};

type Prometheus = Monitored['prometheus'];

/** Of each panel the series of each query that are numbers; throws where Prometheus does not take a query. */
async function look(prometheus: Prometheus, chosen: Chosen): Promise<Map<string, Found[][]>> {
  const panels = dashboardPanels.map(async ({ title, queries }) => {
    const found = await Promise.all(queries.map(({ expr }) => prometheus.query(asked(expr, chosen))));
    return [title, found.map((series) => series.filter(({ value: [, value] }) => Number.isFinite(Number(value))))] as const;
  });
  return new Map(await Promise.all(panels));
}

const emptyOf = (seen: Map<string, Found[][]>) => [...seen].filter(([, found]) => found.some((series) => series.length === 0));
const titles = (panels: readonly (readonly [string, unknown])[]) => panels.map(([title]) => title);

function numbersOf(seen: Map<string, Found[][]>): Record<string, unknown> {
  const of = (title: string) => seen.get(title)![0]!;
  const numbers = Object.keys(NUMBERS)
    .filter((title) => title !== 'commands')
    .map((title) => [title, of(title).map(({ value: [, value] }) => Number(value))] as const);
  const commands = of('Requests by command').map(({ metric }) => metric['command']!);
  return {
    ...Object.fromEntries(numbers),
    commands: commands.filter((command) => /^\d+$/.test(command)).toSorted((a, b) => a.localeCompare(b)),
  };
}

/** Goes on with traffic until this holds. */
function underTraffic({ traffic, operator }: Monitored, holds: () => Promise<boolean>, what: string): Promise<unknown> {
  return until(async () => {
    await traffic.round();
    for (const name of CLUSTERS) operator.tell(name, []);
    return holds();
  }, what);
}

/** For the picture of the dashboard; `npm run generate` draws it. It is another one each time, so it is made only when it is asked for. */
if (process.env['KIM_RECORD'] === '1')
  test('the picture gets new numbers', { skip: noPrometheus }, async (t) => {
    const monitored = await startMonitored(t);
    await monitored.traffic.clients(CLIENTS);
    const isFull = async () => emptyOf(await look(monitored.prometheus, ALL)).length <= EMPTY_WHEN_WELL.length;
    await underTraffic(monitored, isFull, 'the panels have numbers');
    writeFileSync(`${root}/${SAMPLE_FILE}`, sampleText(await record(monitored)));
  });

test('the dashboard and the alerts on a cluster', { skip: noPrometheus }, async (t) => {
  const monitored = await startMonitored(t);
  const { prometheus, operator, traffic } = monitored;
  await traffic.clients(CLIENTS);

  let seen = await look(prometheus, ALL);

  await t.test('every panel has numbers, but for those of what is wrong', async () => {
    const isFull = async () => {
      seen = await look(prometheus, ALL);
      // some nodes are scraped later than others
      return emptyOf(seen).length <= EMPTY_WHEN_WELL.length && isDeepStrictEqual(numbersOf(seen), NUMBERS);
    };
    // what is missing then is told by name
    await underTraffic(monitored, isFull, 'the panels have numbers').catch(() => undefined);
    assert.deepEqual(titles(emptyOf(seen)), EMPTY_WHEN_WELL);
  });

  await t.test('it has variables that find namespaces and pods, which choose', async () => {
    const values = (name: string, chosen: Chosen) => {
      const { selector, label } = variableOf(name);
      return prometheus.labelValues(asked(selector, chosen), label);
    };
    assert.deepEqual(await values('namespace', ALL), ['shop']);
    const shop: Chosen = { namespace: ['shop'], pod: 'all' };
    assert.deepEqual(await values('pod', shop), ['demo-gate-0', 'demo-gate-1', 'demo-logic-0']);
    const podsOf = async (chosen: Chosen) =>
      (await look(prometheus, chosen)).get('Memory')!.flatMap((series) => series.map(({ metric }) => metric['pod']));
    const two = ['demo-gate-1', 'demo-logic-0'];
    assert.deepEqual(new Set(await podsOf({ namespace: ['shop', 'test'], pod: two })), new Set(two));
    assert.deepEqual(await podsOf({ namespace: ['test'], pod: 'all' }), []);
  });

  await t.test('the numbers are those of the cluster', () => assert.deepEqual(numbersOf(seen), NUMBERS));

  await t.test('all alerts are understood, and none is near', async () => {
    const rules = await until(async () => {
      const loaded = await prometheus.rules();
      return loaded.every(({ health }) => health !== 'unknown') && loaded;
    }, 'all rules were evaluated');
    assert.deepEqual(
      rules.map(({ name, health, lastError }) => [name, health, lastError]),
      alerts.map(({ alert }) => [alert, 'ok', undefined]),
    );
    // this machine may well be busy for a moment
    const near = rules.filter(({ name, state }) => state !== 'inactive' && name !== 'KimserverEventLoopLag');
    assert.deepEqual(near, []);
  });

  await t.test('what is wrong fills the other panels, and every legend names labels that are there', async () => {
    const isFull = async () => {
      await traffic.round();
      operator.meddle('demo');
      operator.tell('other', [
        { type: 'Ready', status: 'False', reason: 'GateNotReady' },
        { type: 'Degraded', status: 'True', reason: 'RolloutStalled' },
      ]);
      seen = await look(prometheus, ALL);
      return emptyOf(seen).length === 0;
    };
    await until(isFull, 'all panels have numbers');
    for (const { title, queries } of dashboardPanels)
      for (const [index, { legend }] of queries.entries())
        for (const { metric } of seen.get(title)![index]!)
          for (const label of namedIn(legend)) assert.ok(metric[label], `${title}: ${legend} with ${JSON.stringify(metric)}`);
  });
});
