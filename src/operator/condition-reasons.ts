// Every reason that a condition of a KimCluster can have: what it means, and what to do. docs/troubleshooting.md is made from this table.

import type { ConditionType } from './status-types.ts';

export interface Advice {
  readonly meaning: string;
  /** What a person does about it. */
  readonly cure: string;
}

const nothing = 'nothing has to be done';
const invalid: Advice = {
  meaning:
    'the spec can not be followed, though the API server took it: a rule that it does not know, or did not know then. What runs goes on as it is, and nothing changes',
  cure: 'the message names the field and what it should be; mend it with `kubectl edit`, or look before with `kim config check FILE --kubernetes`',
};
const conflict: Advice = {
  meaning: 'an object that the cluster needs is there already and obeys somebody else; it is left alone, and what needs it waits',
  cure: 'rename one of the two, or remove the object. What obeys nobody is taken over when the annotation `kimserver.io/adopt: "true"` is set',
};

/** By condition, then by its status, then by reason. */
export const conditionReasons = {
  Ready: {
    True: {
      AllReady: { meaning: 'as many gates and logic nodes as wanted are ready, and none of them is being replaced', cure: nothing },
    },
    False: {
      GateNotReady: {
        meaning: 'fewer gates than wanted are ready, or gates are being replaced by a rollout; those that are ready serve',
        cure: 'wait while the number in the message grows; then `kubectl describe pod POD` of the pod that it names, and `kubectl logs POD`',
      },
      LogicNotReady: {
        meaning: 'the same with logic nodes; gates relay to those that are ready',
        cure: 'as for GateNotReady',
      },
      DiscoveryNotReady: {
        meaning: 'all pods are ready, but a directory is lost: nodes go on with the members that they knew last, and new ones are not seen',
        cure: 'see the condition DiscoveryHealthy',
      },
      ResourceConflict: conflict,
      InvalidSpec: invalid,
      Paused: {
        meaning: 'pods are missing, and the operator does nothing about it, since the annotation `kimserver.io/pause` is set',
        cure: '`kubectl annotate kimcluster NAME kimserver.io/pause-`',
      },
      Deleting: {
        meaning: 'the KimCluster is being deleted; with `deletionPolicy: Drain` its gates drain first, at most for ten minutes',
        cure: 'wait, or set the annotation `kimserver.io/force-delete: "true"` to have it go without waiting for clients',
      },
    },
  },
  Available: {
    True: { MinimumAvailable: { meaning: 'at least one gate and one logic node are ready', cure: nothing } },
    False: {
      NoGate: {
        meaning: 'no gate is ready, or `spec.gate.replicas` is 0: clients can not connect',
        cure: 'the condition Ready says what the gates wait for',
      },
      NoLogic: {
        meaning: 'no logic node is ready: clients stay connected, and what gates relay fails',
        cure: 'the condition Ready says what the logic nodes wait for',
      },
    },
  },
  Progressing: {
    True: {
      ScalingUp: {
        meaning: 'new pods have been asked for and are not all ready yet',
        cure: 'wait; Ready names the pod that does not come',
      },
      ScalingDown: {
        meaning: 'there are more pods than wanted, and one goes as soon as what the message names allows it',
        cure: 'wait; with ShrinkRefused in Degraded a person has to decide',
      },
      Draining: {
        meaning: 'a pod that is to go moves its clients to the others, at most for `drain.seconds`',
        cure: 'wait; `kubectl get kim NAME -o yaml` shows under status.TIER.draining how many are left',
      },
      RollingOut: {
        meaning: 'pods of a new revision replace the old ones, one after another',
        cure: 'wait; the message says for what the next step waits',
      },
    },
    False: { Idle: { meaning: 'what runs is what the spec says', cure: nothing } },
  },
  Degraded: {
    True: {
      ResourceConflict: conflict,
      RolloutStalled: {
        meaning:
          'pods of the new revision do not start, do not get ready in time, or fail more often than the old ones; the rollout has paused itself, and the old pods serve',
        cure: 'set the spec back to what it was, or mend what the message names; `kimserver.io/resume-rollout: REVISION` goes on in spite of it',
      },
      ImagePullFailed: {
        meaning: 'a machine can not get the image of a pod',
        cure: 'correct `spec.image` (or `spec.modules.image`), or give `spec.imagePullSecrets`',
      },
      PodsFail: {
        meaning: 'a pod starts again and again, or can not start at all',
        cure: '`kubectl logs POD --previous` has its last words (a module that throws, an option that is wrong); docs/faults.md lists exit codes',
      },
      QuotaExceeded: {
        meaning: 'the namespace may not have more pods, processors or memory',
        cure: 'raise its ResourceQuota, or lower `replicas` or `resources`',
      },
      PodsRefused: {
        meaning: 'the API server does not take pods as they are asked for: admission, security standard, priority class',
        cure: 'the message is that of the API server; mostly something in `spec.TIER.template`',
      },
      QuorumAtRisk: {
        meaning: 'more than half of the ZooKeeper servers are away for longer than two minutes; nodes go on with what they know',
        cure: '`kubectl get pods -l app.kubernetes.io/component=zookeeper` tells which, and `kubectl describe pod POD` why',
      },
      ShrinkRefused: {
        meaning: 'the connections of the gate that would go do not fit into those that stay, so it stays',
        cure: 'raise `spec.gate.limits.maxClients` or `spec.gate.workers`, set `replicas` back, or set the annotation `kimserver.io/force-scale: "true"`',
      },
      Refused: {
        meaning:
          'the API server does not take an object as the spec makes it, or a pod does not take what the operator tells it; everything else is done',
        cure: 'the message is theirs: mostly a field in `spec.TIER.template`, a policy of the cluster, or a right of the operator that was taken away; pods that refuse a token have the key of another operator and are replaced by the rollout',
      },
      ForeignAutoscaler: {
        meaning:
          'a HorizontalPodAutoscaler writes the number of pods of a Deployment; the operator leaves that number to it, and pods go undrained',
        cure: 'gates: let it aim at the KimCluster (`scaleTargetRef: {apiVersion: kimserver.io/v1alpha1, kind: KimCluster, name: NAME}`); logic nodes: remove it and set `spec.logic.replicas`',
      },
      MachineLost: {
        meaning:
          'a machine does not answer any more, and nobody knows whether its pods have ended; gates and logic nodes were replaced on others, a ZooKeeper server was not',
        cure: 'bring the machine back, or say that it is gone: `kubectl delete node MACHINE`',
      },
    },
    False: { AsExpected: { meaning: 'nothing needs a person', cure: nothing } },
  },
  ConfigValid: {
    True: {
      Valid: { meaning: 'the spec can be followed as it is', cure: nothing },
      ValidWithNotes: {
        meaning: 'the spec is followed but for what the message names, such as a field of a template that belongs to the operator',
        cure: 'take what it names out of the spec, or leave it as it is',
      },
    },
    False: { InvalidSpec: invalid },
  },
  Paused: {
    True: {
      PausedByAnnotation: {
        meaning: 'the annotation `kimserver.io/pause` is set: the operator looks and writes the status, and changes nothing',
        cure: '`kubectl annotate kimcluster NAME kimserver.io/pause-` when the work that it was for is done',
      },
    },
    False: { NotPaused: { meaning: 'changes of the spec are followed', cure: nothing } },
  },
  DiscoveryHealthy: {
    True: { Reached: { meaning: 'every node that answers reaches its directories', cure: nothing } },
    False: {
      NoQuorum: {
        meaning: 'too few of the ZooKeeper servers that the operator runs are ready; usual for some seconds after the cluster was made',
        cure: 'as for QuorumAtRisk, which tells when it lasts',
      },
      DirectoryLost: {
        meaning:
          'the nodes that the message names do not reach a directory; they stay in their Services and go on with the members that they knew last',
        cure: 'look after the ZooKeeper of `spec.discovery.zookeeper.hosts`, or after the network between; a fallback (`spec.discovery.kubernetes: {}` beside it) bridges that',
      },
    },
    Unknown: { NobodyAsked: { meaning: 'no node has answered the operator yet', cure: 'wait until the first pods run' } },
  },
} as const satisfies Readonly<
  Record<ConditionType, Readonly<Partial<Record<'True' | 'False' | 'Unknown', Readonly<Record<string, Advice>>>>>>
>;

type Table = typeof conditionReasons;

/** What a condition can be: a reason that is not in the table, or belongs to another status or condition, does not compile. */
export type VerdictOf<T extends ConditionType> = {
  [S in keyof Table[T]]: { readonly status: S; readonly reason: keyof Table[T][S]; readonly message: string };
}[keyof Table[T]];

export type Verdicts = { readonly [T in ConditionType]: VerdictOf<T> };
export type Verdict = Verdicts[ConditionType];
