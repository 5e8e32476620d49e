// The kinds of single values: numbers, durations, sizes, texts, choices, switches and lists.

import { show, type Kind, type Place } from './field.ts';
import { allowedOnly, hinted, patterned } from './rules.ts';
import { DURATION, formatBytes, formatDuration, parseBytes, parseDuration, SIZE, WRITTEN_SIZE } from './units.ts';
import { z } from './z.ts';

/** A leaf: `coerce` makes of what was received what `type` judges, and leaves alone what it does not understand. */
export function leaf<T>(
  kind: Omit<Kind<T>, 'read' | 'written'> & { written?: z.ZodType<T> },
  coerce: (raw: unknown, place: Place) => unknown,
): Kind<T> {
  return {
    written: kind.type,
    ...kind,
    read(raw, place) {
      const judged = kind.type.safeParse(coerce(raw, place));
      if (judged.success) return judged.data;
      place.report.problem(place.path, `is ${show(raw, place.secret)}; allowed: ${kind.allowed}`);
      return undefined;
    },
  };
}

/** The original passes numbers through text and takes the digits they begin with; so "3344" is a port, and "12abc" is 12 with a note. */
function leadingNumber(raw: unknown, place: Place): unknown {
  if (typeof raw === 'number' && !Number.isInteger(raw)) return cut(raw, Math.trunc(raw), place);
  if (typeof raw !== 'string') return raw;
  const digits = /^\s*([+-]?\d+)(.*)$/s.exec(raw);
  if (digits === null) return raw;
  const value = Number(digits[1]);
  return digits[2]?.trim() === '' ? value : cut(raw, value, place);
}

function cut(raw: unknown, value: number, place: Place): number {
  place.report.note(place.path, `is ${show(raw, place.secret)} and taken as ${value}`);
  return value;
}

function integer(min: number, max: number, error: string): z.ZodType<number> {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function range(min: number, max: number, off: boolean): string {
  return `from ${off ? '0 (off)' : min} to ${max}`;
}

interface WholeOptions {
  /** 0 turns off what the number limits; to be said wherever the number is. */
  readonly off?: boolean;
  /** The original quietly takes more than `max` as `max`; so do we, with a note. */
  readonly capped?: boolean;
}

/** A whole number, also as text. */
export function whole(min: number, max: number, { off = false, capped = false }: WholeOptions = {}): Kind<number> {
  const allowed = `whole numbers ${range(min, max, off)}`;
  return leaf({ type: integer(min, max, allowed), allowed }, (raw, place) => {
    const value = leadingNumber(raw, place);
    return capped && typeof value === 'number' && value > max ? cut(raw, max, place) : value;
  });
}

/** A whole number that may carry its unit in a text: the number alone is in the smallest unit, and nothing is guessed from other text. */
function measured(min: number, max: number, off: boolean, unit: Unit): Kind<number> {
  const allowed = `${unit.name} ${range(min, max, off)} (${unit.format(max)}), or a text like ${unit.example}`;
  const type = integer(min, max, allowed);
  const text = z.string().max(MAX_MEASURE, { error: allowed }).regex(unit.written, { error: allowed });
  const written = z
    .union([type, text], { error: allowed })
    .transform((value) => (typeof value === 'string' ? (unit.parse(value) ?? NaN) : value))
    .pipe(type as z.ZodType<number, number>);
  // what is written is rounded before it is judged
  const rule = `type(self) == int ? self >= ${min} && self <= ${max} : ${unit.within('self', min - 0.5, max + 0.5)}`;
  const schema = { ...INT_OR_STRING, maxLength: MAX_MEASURE, pattern: unit.written.source };
  return leaf(
    {
      type,
      allowed,
      human: unit.format,
      written: hinted(written, { schema, rules: [{ rule, message: allowedOnly(allowed) }] }),
      inNode: z.union([type, z.string().regex(unit.pattern)]),
    },
    (raw) => (typeof raw === 'string' ? (unit.parse(raw.trim()) ?? (/^\d+$/.test(raw.trim()) ? Number(raw) : raw)) : raw),
  );
}

interface Unit {
  readonly name: string;
  readonly example: string;
  readonly pattern: RegExp;
  /** What a KimCluster takes as text. */
  readonly written: RegExp;
  /** An expression that says whether a text is at least the one and below the other. */
  readonly within: (self: string, least: number, below: number) => string;
  readonly parse: (text: string) => number | undefined;
  readonly format: (value: number) => string;
}

const DAY_MS = 86_400_000;
const MAX_MEASURE = 32;
/** A port that there is not, in a KimCluster. */
export const NO_PORT = 'none';
const INT_OR_STRING = { 'x-kubernetes-int-or-string': true };

const milliseconds: Unit = {
  name: 'milliseconds',
  example: '30s',
  pattern: DURATION,
  written: DURATION,
  within: (self, least, below) => `duration(${self}) >= duration('${least}ms') && duration(${self}) < duration('${below}ms')`,
  parse: parseDuration,
  format: formatDuration,
};

const byteUnit: Unit = {
  name: 'bytes',
  example: '8MiB',
  pattern: SIZE,
  written: WRITTEN_SIZE,
  within: (self, least, below) =>
    `[quantity(${self}.replace('B', ''))].all(size, size.compareTo(quantity('${least}')) >= 0 && size.compareTo(quantity('${below}')) < 0)`,
  parse: parseBytes,
  format: formatBytes,
};

/** Milliseconds: 30000, or "30s". */
export function duration(min: number, max = DAY_MS, { off = false } = {}): Kind<number> {
  return measured(min, max, off, milliseconds);
}

/** Bytes: 8388608, or "8MiB". */
export function bytes(min: number, max: number): Kind<number> {
  return measured(min, max, false, byteUnit);
}

/** A timer of Node.js waits at most 2^31 - 1 ms, a little less than 25 days. */
const MAX_TIMER_MS = 24 * DAY_MS;
/** co_kimserver means milliseconds, kimserver seconds, and the README of both shows 30; nobody means 30 ms, and nobody 17 minutes. */
const SECONDS_BELOW = 1000;
/** From here up nobody wonders whether the number was meant as seconds. */
const CLEARLY_MS = 10_000;

/** The idle time of the originals, whose unit has to be guessed from its size; a text with a unit says it. In a KimCluster it is a duration. */
export function idleTime(fallback: number): Kind<number> {
  const allowed = `seconds (below ${SECONDS_BELOW}) or milliseconds (up to ${MAX_TIMER_MS}), or a text like 30s`;
  const { type, written } = duration(1, MAX_TIMER_MS);
  // A short time would be read back as seconds, or with a note.
  const inFile = (ms: number) => (ms < CLEARLY_MS ? formatDuration(ms) : ms);
  return leaf({ type, written, allowed, human: formatDuration, inFile }, (raw, place) => {
    const withUnit = typeof raw === 'string' ? parseDuration(raw.trim()) : undefined;
    if (withUnit !== undefined) return withUnit;
    const value =
      typeof raw === 'string' && /^\s*[+-]?\d+\.\d+\s*$/.test(raw)
        ? Number(raw)
        : typeof raw === 'number'
          ? raw
          : leadingNumber(raw, place);
    if (typeof value !== 'number') return raw;
    const say = (text: string) => place.report.note(place.path, `${value} is taken as ${text}`);
    if (value <= 0) {
      say(`the default, ${formatDuration(fallback)}`);
      return fallback;
    }
    if (value < SECONDS_BELOW) {
      const ms = Math.max(1, Math.round(value * 1000));
      say(`${value} seconds; numbers from ${SECONDS_BELOW} up are milliseconds, and a text like "${formatDuration(ms)}" is always clear`);
      return ms;
    }
    if (value < CLEARLY_MS) say(`${value} milliseconds; if seconds are meant, write "${value}s"`);
    return Math.round(value);
  });
}

/** A text; numbers are taken as text, as the original does. `pattern` judges what is not empty. */
export function text(
  allowed = 'a text',
  { min = 0, max = 1000, pattern }: { min?: number; max?: number; pattern?: RegExp } = {},
): Kind<string> {
  const any = z.string({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed });
  const asText = (raw: unknown) => (typeof raw === 'number' ? String(raw) : raw);
  if (pattern === undefined) return leaf({ type: any, allowed }, asText);
  const whole = min === 0 ? new RegExp(`^$|${pattern.source}`, pattern.flags) : pattern;
  const type = any.regex(whole, { error: allowed });
  return leaf({ type, written: patterned(type, whole.source, allowed), allowed }, asText);
}

/** A name that also becomes part of a path in ZooKeeper and of a process title. */
export function name(): Kind<string> {
  return text('1 to 100 characters without "/" and control characters', { min: 1, max: 100, pattern: /^[^/\p{Cc}]+$/u });
}

/** A host name or address without port. `none`: may be empty, and what that means. */
export function host(none?: string): Kind<string> {
  const allowed = `a host name or address without port${none === undefined ? '' : `, or "" (${none})`}`;
  const kind = text(allowed, { min: none === undefined ? 1 : 0, max: 253, pattern: /^(?![^:]+:\d+$)[^\s/[\]]+$/ });
  // the patterns of Kubernetes can not look ahead
  const characters = String.raw`^[^\s/\[\]]${none === undefined ? '+' : '*'}$`;
  const rule = String.raw`self.matches(r'${characters}') && !self.matches(r'^[^:]+:\d+$')`;
  return { ...kind, written: hinted(kind.type, { schema: { pattern: null }, rules: [{ rule, message: allowedOnly(allowed) }] }) };
}

/** A TCP port; 0 is any free one, where `free` says so. */
export function port({ free = true } = {}): Kind<number> {
  const allowed = free ? 'ports from 1 to 65535, or 0 (any free one)' : 'ports from 1 to 65535';
  return leaf({ type: integer(free ? 0 : 1, 65535, allowed), allowed }, leadingNumber);
}

/** A port that may be absent: `false` in a node's file, "none" in a KimCluster (where a value has one type, or is a number or a text). */
export function portOrNone(): Kind<number | null> {
  const { type, allowed } = port();
  const either = `${allowed}, or false (none)`;
  const written = z.union([type, z.literal(NO_PORT).transform(() => null)], { error: `${allowed}, or "${NO_PORT}"` });
  return leaf(
    {
      type: z.union([type, z.null()], { error: either }),
      inNode: z.union([type, z.literal(false)]),
      written: hinted(written, { schema: { ...INT_OR_STRING, minimum: 0, maximum: 65535, pattern: `^${NO_PORT}$` } }),
      allowed: either,
      // Null is a missing key to other readers.
      inFile: (value) => value ?? false,
    },
    (raw, place) => (raw === false || raw === 'false' || raw === NO_PORT ? null : leadingNumber(raw, place)),
  );
}

const MAX_WORD = 32;

/** One of some words, in any case. `aliases` are other words for them; `refuse` has a better sentence for some wrong ones. */
export function choice<W extends string>(
  words: readonly W[],
  { aliases = {}, refuse }: { aliases?: Readonly<Record<string, NoInfer<W>>>; refuse?: (word: string) => string | undefined } = {},
): Kind<W> {
  const others = Object.keys(aliases);
  const allowed = words.join(', ') + (others.length > 0 ? ` (and the other names ${others.join(', ')})` : '');
  const find = (raw: unknown) => {
    const word = typeof raw === 'string' ? raw.trim().toLowerCase() : raw;
    return typeof word === 'string' ? (aliases[word] ?? words.find((known) => known.toLowerCase() === word) ?? word) : word;
  };
  const type = z.enum(words, { error: allowed }) as unknown as z.ZodType<W>;
  const all = [...words, ...others];
  const given = z
    .string({ error: allowed })
    .max(MAX_WORD, { error: allowed })
    .transform(find)
    .pipe(type)
    .meta({ enum: all }) as unknown as z.ZodType<W>;
  const rule = `self.trim().lowerAscii() in [${all.map((known) => `'${known.toLowerCase()}'`).join(', ')}]`;
  const written = hinted(given, { schema: { enum: null, maxLength: MAX_WORD }, rules: [{ rule, message: allowedOnly(allowed) }] });
  const kind = leaf<W>({ type, written, allowed }, find);
  return {
    ...kind,
    read(raw, place) {
      const word = find(raw);
      const reason = typeof word === 'string' ? refuse?.(word) : undefined;
      if (reason === undefined) return kind.read(raw, place);
      place.report.problem(place.path, `is ${show(raw)}, ${reason}`);
      return undefined;
    },
  };
}

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  yes: true,
  no: false,
  on: true,
  off: false,
  1: true,
  0: false,
};

/** True or false, also as the text that the environment holds. */
export function flag(): Kind<boolean> {
  const allowed = 'true or false';
  return leaf({ type: z.boolean({ error: allowed }), allowed }, (raw) =>
    typeof raw === 'string' || typeof raw === 'number' ? (FLAGS[String(raw).trim().toLowerCase()] ?? raw) : raw,
  );
}

/** A list of texts; from the environment and flags a text with commas, or JSON. */
export function list(max = 100): Kind<readonly string[]> {
  const allowed = `a list of texts (at most ${max})`;
  const item = z.string({ error: allowed }).min(1, { error: allowed });
  return leaf({ type: z.array(item, { error: allowed }).max(max, { error: allowed }), allowed }, (raw) => {
    if (typeof raw !== 'string') return raw;
    if (!raw.trim().startsWith('['))
      return raw
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    try {
      return JSON.parse(raw);
    } catch {
      return raw;
    }
  });
}
