// What an option is: its kind (how a value is read and judged) and what people have to know about it.

import type { z } from './z.ts';

/** When a changed value counts: in running workers; after the workers were replaced one by one, with their connections handed
 * over; or only in a new process. */
export type Apply = 'live' | 'roll' | 'restart';

/** Where the findings of reading go. Paths are dotted: `database.nodes.shop.port`. */
export interface Report {
  /** Taken, but the reader should know. */
  note(path: string, text: string): void;
  /** Refused: `text` goes on after the name of the key ("is 600; allowed: …"). */
  problem(path: string, text: string): void;
  /** A key nobody asks for, beside those that exist there. */
  unknown(path: string, known: readonly string[]): void;
}

/** A value that is being read: where it stood, and whether it may be shown. */
export interface Place {
  readonly path: string;
  readonly secret: boolean;
  readonly report: Report;
}

/** A kind of value: what is allowed, and how it is read from what a file, the environment or a flag holds. */
export interface Kind<T> {
  /** The value as the program keeps it. */
  readonly type: z.ZodType<T>;
  /** The value as it may be written in a KimCluster; gives the value as the program keeps it. */
  readonly written: z.ZodType<T>;
  /** The shape in a node's file, for its JSON schema, where that is another than in a KimCluster. */
  readonly inNode?: z.ZodType | undefined;
  /** The value as a file holds it, for `read` to read back, where that differs from how the program keeps it. */
  inFile?(value: T): unknown;
  /** What is allowed, in words that follow "allowed:". */
  readonly allowed: string;
  /** A number for people: `30s` for 30000. */
  readonly human?: ((value: number) => string) | undefined;
  /** The fields inside, with their path below the option (`NODE.host`). */
  readonly parts?: readonly (readonly [path: string, field: Field<unknown>])[] | undefined;
  /** Reads leniently, as the original did, judges strictly; undefined after a problem was reported. */
  read(raw: unknown, place: Place): T | undefined;
}

export interface Field<T> {
  readonly kind: Kind<T>;
  /** Without it the field must be given. */
  readonly default?: T | undefined;
  /** Said in place of a default that depends on other options. */
  readonly defaultText?: string | undefined;
  readonly unit?: string | undefined;
  /** What it means, for a newcomer: sentences. */
  readonly doc: string;
  /** Never shown. */
  readonly secret?: boolean | undefined;
}

export interface Option<T> extends Field<T> {
  readonly apply: Apply;
  /** The heading it stands under in the docs. */
  readonly section: string;
  /** Where the same thing stands in a tier (spec.gate, spec.logic) of a KimCluster. */
  readonly path?: string | undefined;
  /** A key of co_kimserver. */
  readonly historic?: boolean | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of a table of fields. */
export type Values<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** `database.nodes.NODE.port`, or `routes[].to`. */
export function partPath(key: string, part: string): string {
  return part.startsWith('[') ? key + part : `${key}.${part}`;
}

/** What a field takes, in words; the parts of an object speak for themselves. */
export function takes({ parts = [], allowed }: Kind<unknown>): string {
  return parts.some(([path]) => !path.startsWith('[')) ? 'an object' : allowed;
}

/** Declares a field of a group. */
export function field<T>(kind: Kind<T>, about: Omit<Field<NoInfer<T>>, 'kind'>): Field<T> {
  return { kind, ...about };
}

/** Declares an option. */
export function option<T>(kind: Kind<T>, about: Omit<Option<NoInfer<T>>, 'kind'>): Option<T> {
  return { kind, ...about };
}

/** A received value for a message: short, and never a secret. */
export function show(raw: unknown, secret = false): string {
  if (secret) return '***';
  // An object may hold a password further down.
  if (Array.isArray(raw)) return 'a list';
  if (typeof raw === 'object' && raw !== null) return 'an object';
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
