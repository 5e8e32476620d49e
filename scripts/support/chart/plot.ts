// Lines on a scale, as SVG: what a panel of the dashboard shows, with the largest value of the scale and its unit.

import type { Line } from './dashboard-sample.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Colours there are; a panel shows no more lines. */
export const COLOURS = 5;
/** Left of the lines, for the scale. */
const SCALE = 74;
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The lines of one panel on a scale from 0 to a round number. */
export function plot({ x, y, w, h }: Box, unit: string, lines: readonly Line[]): string {
  const top = roundUp(largestOf(lines), unit);
  const left = x + SCALE;
  const right = x + w;
  const marks = [0, 0.5, 1].map((share) => {
    const at = round(y + h - share * h);
    const line = `<path class="${share === 0 ? 'axis' : 'grid'}" d="M${left} ${at} H${right}"/>`;
    return `${line}\n<text x="${left - 6}" y="${at + 4}" class="small end">${withUnit(share * top, unit)}</text>`;
  });
  const drawn = lines.map(({ values }, index) => {
    const path = pathOf(values, { x: left, y, w: right - left, h }, top);
    return `<path class="line s${index % COLOURS}" d="${path}"/>`;
  });
  return [...marks, ...drawn].join('\n');
}

/** The same without a scale, filled to the bottom. */
export function spark(box: Box, { values }: Line): string {
  const seen = values.filter((value) => value !== undefined);
  const top = Math.max(1, ...seen) * 1.1;
  const path = pathOf(
    values.map((value) => value ?? 0),
    box,
    top,
  );
  const bottom = box.y + box.h;
  return [`<path class="area" d="${path} V${bottom} H${box.x} Z"/>`, `<path class="line s0" d="${path}"/>`].join('\n');
}

/** A number as people read it: three digits at most, and its unit. */
export function withUnit(value: number, unit: string): string {
  if (value === 0) return '0';
  if (unit === 's') return value < 0.001 ? `${short(value * 1e6)} \u00b5s` : value < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  if (unit === 'bytes') return `${short(value / 2 ** 20)} MiB`;
  return `${short(value)}${PER_SECOND.get(unit) ?? ''}`;
}

/** Grafana's names of units. */
const PER_SECOND = new Map([
  ['reqps', ' req/s'],
  ['cps', ' c/s'],
  ['ops', ' ops/s'],
]);

function short(value: number): string {
  const [number, letter] = value >= 1e6 ? [value / 1e6, 'M'] : value >= 1e4 ? [value / 1000, 'k'] : [value, ''];
  return `${Number(number.toPrecision(number >= 1000 ? 4 : 3))}${letter}`;
}

function largestOf(lines: readonly Line[]): number {
  return Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== undefined)));
}

/** The end of the scale; where nothing ever was it ends at 1. */
function roundUp(value: number, unit: string): number {
  if (value === 0) return 1;
  const base = unit === 'bytes' ? 2 ** 20 : 1;
  const power = 10 ** Math.floor(Math.log10(value / base));
  const step = STEPS.find((one) => one * power * base >= value) ?? 10;
  return step * power * base;
}

/** With gaps where there is no value; a value alone is a short dash. */
function pathOf(values: Line['values'], { x, y, w, h }: Box, top: number): string {
  const step = w / (values.length - 1);
  return values
    .map((value, index) => {
      if (value === undefined) return '';
      const isNew = values[index - 1] === undefined;
      return `${isNew ? 'M' : 'L'}${round(x + index * step)} ${round(y + h - (value / top) * h)}`;
    })
    .join('');
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
