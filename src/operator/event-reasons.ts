// Every event that the operator tells about a KimCluster: how serious, what it means, and what to do. docs/troubleshooting.md is made from this table.

import type { Advice } from './condition-reasons.ts';

interface EventAdvice extends Advice {
  readonly type: 'Normal' | 'Warning';
}

export const eventReasons = {
  DrainStarted: {
    type: 'Normal',
    meaning:
      'fewer pods are wanted, and the one that the note names was chosen to go: it has the fewest connections, or is not ready, or drains already',
    cure: 'nothing has to be done',
  },
  DrainFinished: { type: 'Normal', meaning: 'the pod has no client left, and goes now', cure: 'nothing has to be done' },
  DrainForced: {
    type: 'Warning',
    meaning:
      'the time to drain was over, and connections that were left have been closed; clients that began with HELLO had been asked to move',
    cure: 'if it happens often, give more time in `spec.TIER.drain.seconds`, or let clients follow MOVE (docs/protocol.md)',
  },
  WrongVictim: {
    type: 'Warning',
    meaning:
      'another pod than the one that had drained was removed by Kubernetes, since somebody else changed the Deployment meanwhile; the drained one is replaced',
    cure: 'look for whoever writes the Deployment: an autoscaler, `kubectl scale deployment`; they aim at the KimCluster instead',
  },
  RolloutStalled: {
    type: 'Warning',
    meaning: 'a rollout has paused itself; the condition Degraded has the reason as long as that lasts',
    cure: 'as for RolloutStalled above',
  },
  Corrected: {
    type: 'Warning',
    meaning: 'somebody changed fields of an object that belong to the operator, and they were put right; the note names who',
    cure: 'change the KimCluster instead; what a program of the cluster has to change goes into `spec.TIER.template`',
  },
} as const satisfies Readonly<Record<string, EventAdvice>>;

type Table = typeof eventReasons;

/** An event with its type; others than those of the table do not compile. */
export type Happened = {
  readonly [R in keyof Table]: { readonly type: Table[R]['type']; readonly reason: R; readonly note: string };
}[keyof Table];
