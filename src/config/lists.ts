// A kind made of another one: a list of values that are each read and judged on their own.

import { show, type Kind } from './field.ts';
import { objectOf } from './groups.ts';
import { z } from './z.ts';

/** A list with one kind of value, which is called `word`; from the environment and flags a JSON text, or a text with commas between the values. */
export function listOf<T>(word: string, item: Kind<T>, max = 100): Kind<readonly T[]> {
  const allowed = `a list of ${word} (at most ${max})`;
  const list = (type: z.ZodType<T>) => z.array(type, { error: allowed }).max(max, { error: allowed }) as unknown as z.ZodType<readonly T[]>;
  return {
    type: list(item.type),
    written: list(item.written),
    ...(item.inNode && { inNode: z.array(item.inNode) }),
    allowed: `${allowed}${item.parts === undefined ? `: ${item.allowed}` : ''}`,
    parts: item.parts?.map(([path, field]) => [`[].${path}`, field] as const),
    ...(item.inFile && { inFile: (values) => values.map((value) => item.inFile?.(value)) }),
    read(raw, place) {
      const values = listFrom(raw);
      if (values === undefined || values.length > max) {
        place.report.problem(place.path, `is ${show(raw, place.secret)}; allowed: ${allowed}`);
        return undefined;
      }
      const read = values.map((value, i) => item.read(value, { ...place, path: `${place.path}[${i}]` }));
      return read.includes(undefined) ? undefined : (read as T[]);
    },
  };
}

/** A list, or the text of one; undefined for everything else. */
function listFrom(raw: unknown): readonly unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== 'string') return undefined;
  if (objectOf(raw) !== undefined) return [raw];
  if (!/^\s*\[/.test(raw))
    return raw
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  try {
    const values: unknown = JSON.parse(raw);
    return Array.isArray(values) ? values : undefined;
  } catch {
    return undefined;
  }
}
