// What people read in a terminal: tables, numbers with units, colours where they are wanted.

export type Paint = (style: Style, text: string) => string;
export type Style = keyof typeof STYLES;

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours for a terminal whose user did not say no (NO_COLOR); plain text for everything else. */
export function painter(isTerminal: boolean, env: Readonly<Record<string, string | undefined>> = process.env): Paint {
  const isColoured = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return isColoured ? (style, text) => `\x1b[${STYLES[style]}m${text}\x1b[0m` : (_, text) => text;
}

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Least width: what is drawn again and again should not jump. */
  readonly width?: number;
}

/** Lines of a table with a head; `paint` is used for the head alone, so that widths stay true. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  const widths = columns.map(({ title, width = 0 }, i) => Math.max(width, title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.right === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [paint('bold', line(columns.map(({ title }) => title))), ...rows.map(line)];
}

/** 1,234,567 */
export function whole(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

/** A rate: small ones with a fraction, so that they are not nothing. */
export function perSecond(n: number): string {
  if (n > 0 && n < 0.05) return '<0.1';
  return n > 0 && n < 9.95 ? n.toFixed(1) : whole(n);
}

/** 1.2 MiB */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? whole(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 250 us, 1.2 ms, 3.4 s */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  if (seconds === 0) return '0 ms';
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} us`;
  if (seconds < 0.9995) return `${short(seconds * 1000)} ms`;
  return `${short(seconds)} s`;
}

/** 12 s, 5 min, 3 h 2 min, 4 d 3 h */
export function age(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

function short(n: number): string {
  return n < 9.95 ? n.toFixed(1) : whole(n);
}

/** Text in lines of at most `width` characters, broken at spaces; longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Cuts what is too long for a line, and shows that it did. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}

/** Control characters become visible: what a peer sent must not move the cursor of who reads it. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) =>
    char === '\n' || char === '\t' ? char : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
