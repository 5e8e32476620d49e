// What the API server or a pod has refused for good: people read it in the status, not only in the log of the operator.

import { KubeError } from '../../kube/error.ts';
import { withTimes } from '../engine/conditions.ts';
import type { KimClusterStatus } from '../status-types.ts';
import { NodeRefusal } from './node-client.ts';

/** The same is refused again until somebody changes something: a field that is wrong, a right that is missing, a policy. */
const LASTING = [400, 401, 403, 404, 405, 413, 415, 422];
const MAX_MESSAGE = 2000;

/** The status with the first of these problems that will not go by itself, unless something else is the matter already. */
export function withRefusal(
  status: KimClusterStatus,
  problems: readonly Error[],
  before: KimClusterStatus | undefined,
  now: Date,
): KimClusterStatus {
  const found = problems
    .flatMap((problem) => (problem instanceof AggregateError ? (problem.errors as Error[]) : [problem]))
    .find(isLasting);
  const degraded = status.conditions?.find(({ type }) => type === 'Degraded');
  if (found === undefined || degraded?.status !== 'False') return status;
  const said = { ...degraded, status: 'True', reason: 'Refused', message: found.message.slice(0, MAX_MESSAGE) } as const;
  const [timed] = withTimes([said], before?.conditions, now) as NonNullable<KimClusterStatus['conditions']>;
  return { ...status, conditions: status.conditions?.map((one) => (one.type === 'Degraded' ? timed! : one)) };
}

function isLasting(problem: Error): boolean {
  return (problem instanceof KubeError || problem instanceof NodeRefusal) && LASTING.includes(problem.status);
}
