// Pieces that the schema of a KimCluster is made of, each with the sentence that says what is allowed.

import { z } from './z.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Exactly this text. */
export function literal<T extends string>(value: T) {
  return z.literal(value, { error: value });
}

/** A name as Kubernetes has them. */
export function label() {
  const error = 'small letters, digits and "-", at most 63, with a letter or digit at both ends';
  return z.string({ error }).max(63, { error }).regex(LABEL, { error });
}

/** An object with these keys and no others. */
export function object<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, { error: `an object with ${Object.keys(shape).join(', ')}` });
}

/** Any text that is not empty. */
export function text(what: string) {
  return z.string({ error: what }).min(1, { error: what });
}

/** Handed to Kubernetes as it is. */
export function passed(what: string) {
  return z
    .looseObject({}, { error: `an object: ${what}` })
    .optional()
    .meta({ description: `Handed to Kubernetes: ${what}; has no meaning on one machine.` });
}
