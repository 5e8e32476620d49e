// The status of a KimCluster that can not be understood: what runs goes on, and people read what is wrong.

import type { KubeObject } from '../../kube/types.ts';
import { withTimes } from '../engine/conditions.ts';
import type { VerdictOf } from '../condition-reasons.ts';
import type { KimClusterStatus } from '../status-types.ts';

/** API servers refuse longer ones. */
const MAX_MESSAGE = 32_768;

/** The status before, with the sentence that says what to mend. */
export function invalidStatus(object: KubeObject & { readonly status?: KimClusterStatus }, problem: string, now: Date): KimClusterStatus {
  const { conditions: before = [], ...rest } = object.status ?? {};
  const { generation = 0 } = object.metadata;
  const verdict: VerdictOf<'Ready'> & VerdictOf<'ConfigValid'> = {
    status: 'False',
    reason: 'InvalidSpec',
    message: problem.slice(0, MAX_MESSAGE),
  };
  const said = { ...verdict, observedGeneration: generation };
  const others = before.filter(({ type }) => type !== 'ConfigValid' && type !== 'Ready');
  const wanted = [{ type: 'Ready', ...said }, ...others, { type: 'ConfigValid', ...said }];
  return {
    ...rest,
    observedGeneration: generation,
    conditions: withTimes(wanted, before, now),
  };
}
