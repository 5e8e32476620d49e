// How a tier of a KimCluster changes: how its pods are replaced, how many may be missing, and how clients reach its gates meanwhile.

import { isNone, podsOrPercent } from './quantities.ts';
import { ruled } from './rules.ts';
import { annotations, flag, labels, listOf, number, object, text, word } from './shapes.ts';

/** How pods are replaced by those of a new revision. */
export const update = ruled(
  object({
    maxSurge: podsOrPercent(0)
      .default(1)
      .meta({ description: 'Pods that may run beyond replicas while pods are replaced: a number, or a share like 25%.' }),
    maxUnavailable: podsOrPercent(0)
      .default(0)
      .meta({ description: 'Pods that may be missing while pods are replaced: a number, or a share like 25%.' }),
    minReadySeconds: number(0, 3600, 'seconds')
      .default(0)
      .meta({ description: 'How long a new pod must be ready before the next one is replaced.' }),
    progressDeadlineSeconds: number(1, 86_400, 'seconds')
      .default(600)
      .meta({ description: 'A rollout that gets no further for so long counts as stalled.' }),
    paused: flag()
      .default(false)
      .meta({ description: 'Changes that need new pods wait until this is false. What can change in running pods does.' }),
    pauseOnTrouble: flag()
      .default(true)
      .meta({ description: 'Whether a rollout pauses itself when new pods fail, or clients reconnect or get errors much more often.' }),
  }),
  [
    {
      rule: "!((type(self.maxSurge) == int ? self.maxSurge == 0 : self.maxSurge == '0%') && (type(self.maxUnavailable) == int ? self.maxUnavailable == 0 : self.maxUnavailable == '0%'))",
      message: 'maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; raise one of them',
      holds: ({ maxSurge, maxUnavailable }) => !isNone(maxSurge) || !isNone(maxUnavailable),
    },
    {
      rule: 'self.progressDeadlineSeconds > self.minReadySeconds',
      message: 'progressDeadlineSeconds is not above minReadySeconds, so every rollout would count as stalled; raise it',
      holds: ({ progressDeadlineSeconds, minReadySeconds }) => progressDeadlineSeconds > minReadySeconds,
    },
  ],
);

/** How many pods others may take away at the same time. */
export const disruptionBudget = object({
  enabled: flag().default(true).meta({ description: 'Whether there is a PodDisruptionBudget.' }),
  maxUnavailable: podsOrPercent(1)
    .default(1)
    .meta({ description: 'Pods that may be away at the same time, as when machines are drained: a number, or a share like 25%.' }),
});

/** An address of IPv4 exactly, one of IPv6 by its characters, and how many bits of it count. */
const RANGE =
  /^((((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\/(3[0-2]|[12]?\d))|([0-9a-fA-F]*:[0-9a-fA-F:.]*\/(12[0-8]|1[01]\d|[1-9]?\d)))$/;

const range = text('a range of addresses like 10.0.0.0/8', { max: 64, pattern: RANGE }).meta({ description: 'Addresses, as 10.0.0.0/8.' });

/** The Service that leads clients to the gates. */
export const service = ruled(
  object({
    type: word('ClusterIP', 'NodePort', 'LoadBalancer').default('ClusterIP').meta({ description: 'From where it can be reached.' }),
    annotations: annotations().optional().meta({ description: 'Annotations, for whoever makes the load balancer.' }),
    labels: labels().optional().meta({ description: 'Labels, beside those of the operator.' }),
    externalTrafficPolicy: word('Cluster', 'Local')
      .optional()
      .meta({ description: 'Local keeps the addresses of clients, and traffic on the machine that it came to. Without it Cluster.' }),
    internalTrafficPolicy: word('Cluster', 'Local')
      .optional()
      .meta({ description: 'Local sends what comes from a pod only to gates on the same machine. Without it Cluster.' }),
    loadBalancerClass: text('the class of a load balancer, as example.com/internal', { max: 316, pattern: /^\S+$/ })
      .optional()
      .meta({ description: 'Which load balancer is made. It can not be changed later.' }),
    loadBalancerSourceRanges: listOf(range, 'ranges of addresses', 100)
      .optional()
      .meta({ description: 'Addresses of clients that the load balancer lets in. Without it all.' }),
    nodePort: number(1, 65_535, 'ports').optional().meta({ description: 'Port on every machine; without it Kubernetes takes a free one.' }),
  }),
  [
    {
      rule: "!has(self.nodePort) || self.type != 'ClusterIP'",
      message: 'nodePort needs type NodePort or LoadBalancer; set the type, or remove it',
      holds: ({ nodePort, type }) => nodePort === undefined || type !== 'ClusterIP',
    },
    {
      rule: "!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",
      message: 'externalTrafficPolicy needs type NodePort or LoadBalancer; set the type, or remove it',
      holds: ({ externalTrafficPolicy, type }) => externalTrafficPolicy === undefined || type !== 'ClusterIP',
    },
    {
      rule: "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
      message: 'loadBalancerClass needs type LoadBalancer; set the type, or remove it',
      holds: ({ loadBalancerClass, type }) => loadBalancerClass === undefined || type === 'LoadBalancer',
    },
    {
      rule: "!has(self.loadBalancerSourceRanges) || self.type == 'LoadBalancer'",
      message: 'loadBalancerSourceRanges needs type LoadBalancer; set the type, or remove it',
      holds: ({ loadBalancerSourceRanges, type }) => loadBalancerSourceRanges === undefined || type === 'LoadBalancer',
    },
  ],
  [
    {
      rule: "self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer' || (has(self.loadBalancerClass) == has(oldSelf.loadBalancerClass) && (!has(self.loadBalancerClass) || self.loadBalancerClass == oldSelf.loadBalancerClass))",
      message: 'loadBalancerClass can not be changed while type stays LoadBalancer; set another type first',
    },
  ],
);
