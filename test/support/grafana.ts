// What Grafana does with a dashboard before Prometheus is asked, and with the answer before people see it.

import { dashboard } from '../../scripts/support/chart/dashboard.ts';
import type { Labels } from './prometheus.ts';

/** Four scrapes of a test's Prometheus, as Grafana has it. */
const RATE_INTERVAL = '4s';

export interface Chosen {
  readonly namespace: readonly string[] | 'all';
  readonly pod: readonly string[] | 'all';
}

/** The question with what is chosen in place of the variables. */
export function asked(expr: string, { namespace, pod }: Chosen): string {
  const value = (chosen: readonly string[] | 'all') =>
    chosen === 'all' ? '.*' : chosen.length === 1 ? chosen[0]! : `(${chosen.join('|')})`;
  const question = expr
    .replaceAll('$namespace', value(namespace))
    .replaceAll('$pod', value(pod))
    .replaceAll('$__rate_interval', RATE_INTERVAL);
  if (question.includes('$')) throw new Error(`Grafana would leave a variable in ${question}`);
  return question;
}

/** Labels that a legend names. */
export function namedIn(legend: string): string[] {
  return [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label]) => label!);
}

/** What stands below the panel. */
export function legendOf(legend: string, labels: Labels): string {
  return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
}

/** The selector and the label of a variable that is asked for as label_values(SELECTOR, LABEL). */
export function variableOf(name: string): { readonly selector: string; readonly label: string } {
  const { templating } = dashboard() as { templating: { list: { name: string; definition?: string }[] } };
  const definition = templating.list.find((one) => one.name === name)?.definition ?? '';
  const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`${name} is asked for as ${definition}, which Grafana does not know`);
  return { selector, label };
}
