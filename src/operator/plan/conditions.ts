// The conditions of a KimCluster: always all of them, each with a word for programs and a sentence that a person can act on.

import type { Verdict, Verdicts } from '../condition-reasons.ts';
import { conditionTypes, type Condition } from '../status-types.ts';
import { isoOf } from './pods.ts';

interface Said<S extends string, R extends string> {
  readonly status: S;
  readonly reason: R;
  readonly message: string;
}

export function yes<R extends string>(reason: R, message: string): Said<'True', R> {
  return { status: 'True', reason, message };
}

export function no<R extends string>(reason: R, message: string): Said<'False', R> {
  return { status: 'False', reason, message };
}

export function unknown<R extends string>(reason: R, message: string): Said<'Unknown', R> {
  return { status: 'Unknown', reason, message };
}

/** Kubernetes takes no longer ones. */
const MAX_MESSAGE = 2000;

/** The time of a condition moves only when its status changes. */
export function conditions(
  verdicts: Verdicts,
  before: readonly Condition[] = [],
  generation: number | undefined,
  now: number,
): Condition[] {
  return conditionTypes.map((type): Condition => {
    const { status, reason, message } = verdicts[type];
    const old = before.find((one) => one.type === type);
    return {
      type,
      status,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : isoOf(now),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
  });
}

/** The first that is there. */
export function firstOf<V extends Verdict>(...verdicts: readonly (V | undefined | false)[]): V {
  const found = verdicts.find((verdict) => verdict !== undefined && verdict !== false);
  if (!found) throw new Error('a condition needs a verdict for all else');
  return found;
}
