// Conditions of a status: all of them always there, their times moved only when they turn.

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

export type WantedCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with their times: one whose status is as before keeps its time, whatever else changed in it. Types that are not wanted any
 * more are gone. The same conditions give the same list, so that nothing is written for them.
 */
export function withTimes(wanted: readonly WantedCondition[], before: readonly Condition[] = [], now: Date): Condition[] {
  return wanted.map((condition) => {
    const known = before.find(({ type }) => type === condition.type);
    const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z');
    return { ...condition, lastTransitionTime };
  });
}
