// The conditions of a KimCluster: always all of them, each with a word for programs and a sentence that a person can act on.

import { conditionTypes, type Condition, type ConditionType } from '../status-types.ts';
import { isoOf } from './pods.ts';

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export type Verdicts = Readonly<Record<ConditionType, Verdict>>;

export function yes(reason: string, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}

export function unknown(reason: string, message: string): Verdict {
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
export function firstOf(...verdicts: readonly (Verdict | undefined | false)[]): Verdict {
  const found = verdicts.find((verdict) => verdict !== undefined && verdict !== false);
  if (!found) throw new Error('a condition needs a verdict for all else');
  return found;
}
