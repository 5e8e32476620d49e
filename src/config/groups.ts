// Kinds made of other kinds: an object with known fields, and an object whose keys the user chooses.

import { show, type Field, type Fields, type Kind, type Place, type Report, type Values } from './field.ts';
import { z } from './z.ts';

export type RawObject = Readonly<Record<string, unknown>>;

/** An object, or the JSON text of one (the environment holds only texts); undefined for everything else. */
export function objectOf(raw: unknown): RawObject | undefined {
  if (typeof raw === 'string' && raw.trim().startsWith('{')) {
    try {
      return objectOf(JSON.parse(raw));
    } catch {
      return undefined;
    }
  }
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as RawObject) : undefined;
}

/** Reads one field of an object; null counts as absent, but where the kind itself knows it. */
export function readField<T>(field: Field<T>, raw: unknown, path: string, report: Report): T | undefined {
  if (raw !== undefined && !(raw === null && field.default !== null)) {
    return field.kind.read(raw, { path, secret: field.secret === true, report });
  }
  if (field.default === undefined) report.problem(path, `is missing; it takes ${field.kind.allowed}`);
  return field.default;
}

/** An object with these fields and no others; others are reported. */
export function group<F extends Fields>(fields: F): Kind<Values<F>> {
  const allowed = `an object with ${Object.keys(fields).join(', ')}`;
  const type = z.object(Object.fromEntries(Object.entries(fields).map(([key, { kind, ...about }]) => [key, described(kind.type, about)])), {
    error: allowed,
  }) as unknown as z.ZodType<Values<F>>;
  return {
    type,
    written: type,
    allowed,
    parts: Object.entries(fields).flatMap(([key, field]) => withParts(key, field)),
    read(raw, place) {
      const object = objectOf(raw);
      if (object === undefined) return refuse(raw, place, allowed);
      reportUnknown(object, Object.keys(fields), place.path, place.report);
      const values = Object.entries(fields).map(([key, field]) => [
        key,
        readField(field, object[key], `${place.path}.${key}`, place.report),
      ]);
      return Object.fromEntries(values) as Values<F>;
    },
  };
}

/** An object with keys that the user chooses, called `word` in the docs, and one kind of value. */
export function mapOf<T>(word: string, value: Kind<T>, max = 100): Kind<Readonly<Record<string, T>>> {
  const allowed = `an object with one entry for each ${word} (at most ${max})`;
  const type = z.record(z.string(), value.type, { error: allowed }) as unknown as z.ZodType<Readonly<Record<string, T>>>;
  return {
    type,
    written: type,
    allowed,
    parts: (value.parts ?? []).map(([path, field]) => [`${word}.${path}`, field] as const),
    read(raw, place) {
      const object = objectOf(raw);
      if (object === undefined || Object.keys(object).length > max) return refuse(raw, place, allowed);
      const values = Object.entries(object).map(([key, one]) => [key, value.read(one, { ...place, path: `${place.path}.${key}` })]);
      return Object.fromEntries(values) as Record<string, T>;
    },
  };
}

/** Reports every key of `object` that is not known. */
export function reportUnknown(object: RawObject, known: readonly string[], path: string, report: Report): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) report.unknown(path === '' ? key : `${path}.${key}`, known);
  }
}

function withParts(key: string, field: Field<unknown>): [string, Field<unknown>][] {
  return field.kind.parts === undefined ? [[key, field]] : field.kind.parts.map(([path, part]) => [`${key}.${path}`, part]);
}

function refuse(raw: unknown, place: Place, allowed: string): undefined {
  // A text may be an object that is not quite JSON, with a password in it.
  const received = typeof raw === 'string' ? 'a text that is not a JSON object' : show(raw, place.secret);
  place.report.problem(place.path, `is ${received}; allowed: ${allowed}`);
}

/** The type with default and description, as JSON schemas show them. */
function described(type: z.ZodType, about: { doc: string; default?: unknown; secret?: boolean | undefined }): z.ZodType {
  const optional = about.default === undefined ? type : type.optional();
  return optional.meta({ description: about.doc, ...(about.default === undefined ? {} : { default: about.default }) });
}
