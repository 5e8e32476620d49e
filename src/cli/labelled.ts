// Lines with a label before them, as "kim status" shows what is not a table. Pure.

import { whole, wrap } from './terminal.ts';

const WIDTH = 80;
const LABEL = 12;
const NO_BREAK = '\u00a0';

/** A sentence behind a label, broken at spaces. */
export function labelled(label: string, text: string): string[] {
  return wrap(text, WIDTH - LABEL).map((line, i) => `${(i === 0 ? label : '').padEnd(LABEL)}${line}`);
}

/** Items behind a label; lines are broken between them, not within. */
export function listed(label: string, items: readonly string[]): string[] {
  const text = items.map((item) => item.replaceAll(' ', NO_BREAK)).join(', ');
  return labelled(label, text).map((line) => line.replaceAll(NO_BREAK, ' '));
}

/** Counts by name; nothing for no counts. */
export function counted(label: string, counts: Readonly<Partial<Record<string, number>>>): string[] {
  const found = Object.entries(counts).filter(([, n]) => (n ?? 0) > 0);
  if (found.length === 0) return [];
  return listed(
    label,
    found.map(([key, n]) => `${key} ${whole(n ?? 0)}`),
  );
}
