// docs/images/dashboard.svg: how the dashboard is laid out, what each panel shows and in which unit. Numbers come with a Prometheus.

import { dashboard } from './dashboard.ts';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly legendFormat: string }[];
}

const COLUMN = 40;
const ROW = 15;
const GAP = 4;
/** Of the small letters, about. */
const LETTER = 6.6;

const STYLE = `<style>
  text { fill: #1f2933 } .small { font-size: 12px; fill: #52606d } .head { font-weight: 600 }
  .box { fill: #f5f7fa; stroke: #cbd2d9 } .axis { stroke: #9aa5b1; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .small { fill: #b0bac5 } .box { fill: #1c2733; stroke: #3e4c59 } .axis { stroke: #52606d }
  }
</style>`;

/** The picture, without its first line. */
export function dashboardPicture(): string {
  const { panels } = dashboard() as { readonly panels: readonly Panel[] };
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => (y + h) * ROW));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="t">`;
  return [open, '<title id="t">The dashboard of the chart, panel by panel</title>', STYLE, ...panels.map(draw), '</svg>', ''].join('\n');
}

function draw({ type, title, description = '', gridPos, fieldConfig, targets = [] }: Panel): string {
  const [x, y, w, h] = [gridPos.x * COLUMN, gridPos.y * ROW, gridPos.w * COLUMN, gridPos.h * ROW];
  if (type === 'row') return text(x + GAP, y + ROW - GAP, `\u25be ${title}`, 'head');
  const unit = fieldConfig?.defaults.unit ?? '';
  const small = wrap(description, (w - 4 * GAP) / LETTER);
  const legend = targets.map(({ legendFormat }) => legendFormat).filter(Boolean);
  const left = x + 3 * GAP;
  const bottom = y + h - 3 * GAP;
  return [
    `<rect class="box" x="${x + GAP / 2}" y="${y + GAP / 2}" width="${w - GAP}" height="${h - GAP}" rx="3"/>`,
    text(left, y + 18, title, 'head'),
    ...small.map((line, index) => text(left, y + 34 + index * 14, line, 'small')),
    ...(type === 'stat'
      ? []
      : [
          `<path class="axis" d="M${left} ${y + 44} V${bottom - 16} H${x + w - 3 * GAP}"/>`,
          text(left, bottom, legend.join(', '), 'small'),
        ]),
    ...(unit === 'short' || type === 'stat' ? [] : [text(left + GAP, y + 58, unit, 'small')]),
  ].join('\n');
}

function text(x: number, y: number, words: string, name: string): string {
  return `<text x="${x}" y="${y}" class="${name}">${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

function wrap(words: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
