// Rules of a KimCluster, each twice: as a function for files, and as an expression that the API server works out (CEL).

import type { z } from './z.ts';

/** A rule about a value as it is written; `self` is the value in the expression. */
export interface Expression {
  readonly rule: string;
  /** What is wrong when it does not hold, without the path, which is always said beside it. */
  readonly message: string;
}

/** A rule about the fields of an object. */
export interface Rule<T> extends Expression {
  readonly holds: (value: T) => boolean;
}

/** A rule about a change; `oldSelf` is what was there before. Only the API server knows that. */
export interface Transition extends Expression {
  readonly rule: `${string}oldSelf${string}`;
}

/** What a schema tells of itself for Kubernetes alone; it travels as metadata under the key `kubernetes`. */
export interface Hints {
  readonly rules?: readonly Expression[];
  /** Shown and filled in by the API server, where the type alone does not say it. */
  readonly default?: unknown;
  /** Keywords that replace what the type says, for what it can not say in the words of Kubernetes. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** Marks a sentence that says all, path aside. */
const SENTENCE = { sentence: true };

/** Whether the message of an issue is a sentence that needs no more than the path before it. */
export function isSentence(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params?.['sentence'] === true;
}

export function hinted<S extends z.ZodType>(type: S, hints: Hints): S {
  const { kubernetes: before = {} } = (type.meta() ?? {}) as { kubernetes?: Hints };
  const rules = [...(before.rules ?? []), ...(hints.rules ?? [])];
  const schema = { ...before.schema, ...hints.schema };
  return type.meta({ kubernetes: { ...before, ...hints, schema, rules } });
}

/** What is said of a value that is not among those that are allowed. */
export function allowedOnly(allowed: string): string {
  return `allowed: ${allowed}`;
}

/** The text is judged by this pattern, of which Kubernetes would quote no more than its letters. It has a greatest length already. */
export function patterned<S extends z.ZodType>(type: S, pattern: string, allowed: string): S {
  return hinted(type, { schema: { pattern: null }, rules: [{ rule: `self.matches(r'${pattern}')`, message: allowedOnly(allowed) }] });
}

/** The type with these rules, for files and for the API server. */
export function ruled<S extends z.ZodType>(type: S, rules: readonly Rule<z.output<S>>[], transitions: readonly Transition[] = []): S {
  const judged = type.superRefine((value, context) => {
    for (const { holds, message } of rules) {
      if (!holds(value)) context.addIssue({ code: 'custom', message, params: SENTENCE });
    }
  });
  return hinted(judged, { rules: [...rules.map(withoutFunction), ...transitions] });
}

function withoutFunction<T>({ holds: _holds, ...expression }: Rule<T>): Expression {
  return expression;
}
