// What the panels of the dashboard showed once: recorded by test/chart/prometheus.test.ts from a Prometheus that scraped a cluster under traffic.

import { readFileSync } from 'node:fs';

/** Where it is kept, from the project's folder. */
export const SAMPLE_FILE = 'scripts/support/chart/dashboard-sample.json';

/** One line of a panel, a value a second; undefined where there was none. */
export interface Line {
  readonly legend: string;
  readonly values: readonly (number | undefined)[];
}

/** By title of the panel. */
export type Sample = ReadonlyMap<string, readonly Line[]>;

const NONE = '-';
const DIGITS = 3;

/** As text for the file, rounded: small, and easy to read in a change. */
export function sampleText(sample: Sample): string {
  const written = (value: number | undefined) => (value === undefined ? NONE : String(Number(value.toPrecision(DIGITS))));
  const panels = [...sample].map(([title, lines]) => [
    title,
    lines.map(({ legend, values }) => ({ legend, values: values.map(written).join(' ') })),
  ]);
  return `${JSON.stringify(Object.fromEntries(panels), null, 2)}\n`;
}

export function readSample(): Sample {
  const text = readFileSync(new URL('./dashboard-sample.json', import.meta.url), 'utf8');
  const panels = JSON.parse(text) as Record<string, { legend: string; values: string }[]>;
  const read = (value: string) => (value === NONE ? undefined : Number(value));
  return new Map(
    Object.entries(panels).map(([title, lines]) => [
      title,
      lines.map(({ legend, values }) => ({ legend, values: values.split(' ').map(read) })),
    ]),
  );
}
