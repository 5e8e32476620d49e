// docs/images/dashboard.svg: the dashboard as it looked once, panel by panel, with what was recorded from a real Prometheus.

import { readSample, type Line } from './dashboard-sample.ts';
import { dashboard } from './dashboard.ts';
import { COLOURS, plot, spark, withUnit, type Box } from './plot.ts';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Box;
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}

const COLUMN = 40;
const ROW = 22;
const GAP = 4;
const PAD = 12;
/** Of the small letters, about. */
const LETTER = 6.6;
/** A short line of its colour, and room before the next one. */
const LEGEND_MARK = 16;
const LEGEND_ROOM = 14;
/** Title and number of a panel that shows one number. */
const STAT_TEXT = 52;

const STYLE = `<style>
  text { fill: #1f2933 } .small { font-size: 12px; fill: #52606d } .head { font-weight: 600 } .end { text-anchor: end }
  .big { font-size: 24px; font-weight: 600; fill: #2b6cb0 }
  .box { fill: #f5f7fa; stroke: #cbd2d9 } .axis { stroke: #9aa5b1; fill: none } .grid { stroke: #dde2e8; fill: none }
  .line { fill: none; stroke-width: 1.6; stroke-linejoin: round } .area { fill: #2b6cb0; opacity: 0.15 }
  .s0 { stroke: #2b6cb0 } .s1 { stroke: #c05621 } .s2 { stroke: #2f855a } .s3 { stroke: #805ad5 } .s4 { stroke: #b83280 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .small { fill: #b0bac5 } .big { fill: #63b3ed }
    .box { fill: #1c2733; stroke: #3e4c59 } .axis { stroke: #52606d } .grid { stroke: #2f3d4a } .area { fill: #63b3ed }
    .s0 { stroke: #63b3ed } .s1 { stroke: #f6ad55 } .s2 { stroke: #68d391 } .s3 { stroke: #b794f4 } .s4 { stroke: #f687b3 }
  }
</style>`;

/** The picture, without its first line. */
export function dashboardPicture(): string {
  const { panels } = dashboard() as { readonly panels: readonly Panel[] };
  const sample = readSample();
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => (y + h) * ROW));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="t">`;
  const drawn = panels.map((panel) => draw(panel, sample.get(panel.title) ?? []));
  return [
    open,
    '<title id="t">The dashboard of the chart with half a minute of a small cluster, panel by panel</title>',
    STYLE,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function draw({ type, title, description = '', gridPos, fieldConfig }: Panel, lines: readonly Line[]): string {
  const [x, y, w, h] = [gridPos.x * COLUMN, gridPos.y * ROW, gridPos.w * COLUMN, gridPos.h * ROW];
  if (type === 'row') return text(x + GAP, y + ROW - 7, `\u25be ${title}`, 'head');
  const unit = fieldConfig?.defaults.unit ?? '';
  const inner = { x: x + PAD, y: y + GAP, w: w - 2 * PAD, h: h - 2 * GAP };
  return [
    `<rect class="box" x="${x + GAP / 2}" y="${y + GAP / 2}" width="${w - GAP}" height="${h - GAP}" rx="3"/>`,
    text(inner.x, y + 19, title, 'head'),
    ...(type === 'stat' ? stat(inner, unit, lines) : graph(inner, unit, description, lines)),
  ].join('\n');
}

/** What it was last, and how it came there. */
function stat({ x, y, w, h }: Box, unit: string, [line]: readonly Line[]): string[] {
  const last = line?.values.findLast((value) => value !== undefined);
  if (line === undefined || last === undefined) return [text(x, y + 44, 'no data', 'small')];
  const [number = '', ...words] = withUnit(last, unit).split(' ');
  const behind = { x: x - PAD + GAP / 2, y: y + STAT_TEXT, w: w + 2 * PAD - GAP, h: h - STAT_TEXT + GAP / 2 };
  const big = `<text x="${x}" y="${y + 42}"><tspan class="big">${number}</tspan> <tspan class="small">${words.join(' ')}</tspan></text>`;
  return [spark(behind, line), big];
}

function graph({ x, y, w, h }: Box, unit: string, description: string, lines: readonly Line[]): string[] {
  const shown = lines.slice(0, COLOURS);
  const bottom = y + h;
  const body = shown.length === 0 ? text(x, y + h / 2, 'no data', 'small') : plot({ x, y: y + 48, w, h: h - 48 - 30 }, unit, shown);
  return [text(x, y + 31, description, 'small'), body, ...legend(x, bottom - 7, w, shown)];
}

/** As many as there is room for. */
function legend(x: number, y: number, width: number, lines: readonly Line[]): string[] {
  let at = x;
  return lines.flatMap(({ legend: words }, index) => {
    const needed = LEGEND_MARK + words.length * LETTER;
    if (at + needed > x + width) return [];
    const mark = `<path class="line s${index}" d="M${at} ${y - 4} h${LEGEND_MARK - 5}"/>`;
    const named = `${mark}\n${text(at + LEGEND_MARK, y, words, 'small')}`;
    at = Math.round(at + needed + LEGEND_ROOM);
    return [named];
  });
}

function text(x: number, y: number, words: string, name: string): string {
  return `<text x="${x}" y="${y}" class="${name}">${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}
