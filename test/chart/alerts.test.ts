// Each alert, as Prometheus' own tool evaluates it: it fires for what is wrong, in plain words, and not for what is nearly so.

import assert from 'node:assert/strict';
import test from 'node:test';
import { alerts, type Alert } from '../../scripts/support/chart/alerts.ts';
import { noPrometheus, testRules } from '../support/prometheus.ts';
import { cases, type AlertCase, type Series } from './alert-cases.ts';

/** So long after `for` it must fire at the latest. */
const LATE_MINUTES = 5;

test('each alert has its cases', () => {
  assert.deepEqual(Object.keys(cases).sort(), alerts.map(({ alert }) => alert).sort());
  for (const [name, { fires, silent }] of Object.entries(cases)) assert.ok(fires.length > 0 && silent.length > 0, name);
});

for (const alert of alerts)
  test(`${alert.alert} fires when it has to, says what it is about, and is silent otherwise`, { skip: noPrometheus }, () => {
    const complaint = testRules(alerts, testsOf(alert, cases[alert.alert]!));
    assert.equal(complaint, undefined, complaint);
  });

/** For promtool. A scrape a minute is what Prometheus does unless it is told otherwise: the slowest that has to do. */
function testsOf({ alert, labels, annotations, for: wait }: Alert, { fires, silent }: AlertCase): object[] {
  const minutes = Number.parseInt(wait);
  const at = (minute: number, exp: object[]) => ({ eval_time: `${minute}m`, alertname: alert, exp_alerts: exp });
  const series = (given: Series) => Object.entries(given).map(([name, values]) => ({ series: name, values }));
  return [
    ...fires.map((one) => {
      const texts = { summary: one.summary, description: annotations.description };
      for (const text of Object.values(texts)) assert.doesNotMatch(text, /\{\{|<no value>|undefined/);
      const fired = { exp_labels: { ...labels, ...one.labels }, exp_annotations: texts };
      const before = minutes === 0 ? [] : [at(minutes - 1, [])];
      return { interval: '1m', input_series: series(one.series), alert_rule_test: [...before, at(minutes + LATE_MINUTES, [fired])] };
    }),
    ...silent.map((given) => ({
      interval: '1m',
      input_series: series(given),
      alert_rule_test: Array.from({ length: minutes + LATE_MINUTES + 1 }, (_, minute) => at(minute, [])),
    })),
  ];
}
