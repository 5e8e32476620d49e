// docs/troubleshooting.md: what the operator and the nodes say when something is wrong, and what to do about it.

import { markdownTable } from '../../src/config/markdown.ts';
import { exitCodes } from '../../src/node/exit-codes.ts';
import { conditionReasons, type Advice } from '../../src/operator/condition-reasons.ts';
import { eventReasons } from '../../src/operator/event-reasons.ts';
import { DEFINITION_CURE } from '../../src/operator/run/definition.ts';
import { conditionTypes, type ConditionType } from '../../src/operator/status-types.ts';

/** What each condition answers, and with what everything is well. */
const QUESTIONS: Readonly<Record<ConditionType, string>> = {
  Ready: 'Is everything as the spec says? Well: True.',
  Available: 'Are clients served? Well: True.',
  Progressing: 'Is something on its way? Both are well; what stays True for long is looked at.',
  Degraded: 'Does something need a person? Well: False.',
  ConfigValid: 'Can the spec be followed? Well: True.',
  Paused: 'Does the operator hold still? Well: False.',
  DiscoveryHealthy: 'Do the nodes reach their directories? Well: True.',
};

interface Said extends Advice {
  /** As it stands in the log or the answer; words in capitals stand for others. */
  readonly text: string;
}

/** What a node says of itself: `kim status`, GET /readyz. */
export const nodeReasons: readonly Said[] = [
  {
    text: 'the node is STATE',
    meaning: 'starting: its workers load their modules; draining or stopping: it was told to leave',
    cure: 'wait; one that starts for minutes has a module that does not come to its end, see its log',
  },
  {
    text: 'the node is not announced in its directory yet',
    meaning: 'it has not read its own announcement back; once it has, losing the directory changes its readiness no more',
    cure: 'the details beside it say which directory does not answer; look after its ZooKeeper, or after the Role of the pods (EndpointSlices)',
  },
  {
    text: 'worker N is not serving yet',
    meaning: 'it starts, or has ended and is started again; another worker that serves is enough to be ready',
    cure: 'what follows says how the last one ended; the log has its last words',
  },
  {
    text: 'died N times in a row',
    meaning: 'each start of a worker failed, so that the next one is held back for a while',
    cure: 'the log has why: mostly a module that throws when it is loaded or started, or too little memory',
  },
  {
    text: 'directory NAME is lost',
    meaning: 'a detail, not a reason: the node stays ready and goes on with the members that it knew last',
    cure: 'as for DirectoryLost above',
  },
];

/** What the operator says of itself: its log, GET /readyz and /livez. */
export const operatorReasons: readonly Said[] = [
  {
    text: 'this cluster does not know KimClusters',
    meaning: `it ends with exit code ${exitCodes.failed} and is started again: the definition is not there`,
    cure: `\`${DEFINITION_CURE.replace(/ \(.*/, '')}\`, or upgrade the chart with \`crds.install\``,
  },
  {
    text: 'the definition of KimClusters is of revision N',
    meaning: 'the same: the definition is older than the operator, and the API server would drop fields that it writes',
    cure: `the same, of the version of the operator: \`${DEFINITION_CURE.replace(/ \(.*/, '')}\``,
  },
  {
    text: 'has no private key of Ed25519',
    meaning: 'the same: its Secret holds something else',
    cure: 'empty the Secret; the operator makes another key, and pods are replaced to learn it',
  },
  {
    text: 'not listed yet',
    meaning: 'not ready: one of the kinds that it watches could not be listed',
    cure: 'forbidden: a right is missing, see docs/operator.md; else the API server does not answer',
  },
  {
    text: 'reconcile loops',
    meaning: 'not alive: a reconcile or a watch stands still; Kubernetes starts it anew',
    cure: 'once is no harm; again and again: its log, and its limits of CPU and memory',
  },
  {
    text: 'lease lost',
    meaning: 'it could not renew its lease in time, wrote nothing more, and ends; another one goes on',
    cure: 'the API server was slow or away; with two replicas nothing waits for a new start',
  },
];

/** The page, without its first line. */
export function renderTroubleshooting(): string {
  return [
    '# Troubleshooting',
    'What the operator of KimClusters says, and what to do about it. Faults that peers are told by number, reasons why connections close and exit' +
      ' codes are in [faults.md](faults.md), metrics and what to watch in [metrics.md](metrics.md).',
    [
      '```sh',
      'kubectl get kim                              # gates, logic nodes, connections, what drains, and the reason when it is not ready',
      'kubectl describe kim NAME                    # the conditions, and the latest events',
      'kubectl events --for kimcluster/NAME         # all events that are kept, an hour of them as a rule',
      'kubectl exec POD -- kim status 127.0.0.1:9355    # what a gate says of itself; logic nodes: 10344, or spec.TIER.admin.port',
      'kubectl -n kimserver logs deploy/kimserver-operator',
      '```',
    ].join('\n'),
    '## Conditions',
    'All of them are always there. The time of each is that of its last change of status; `observedGeneration` says which edit it is about.',
    ...conditionTypes.flatMap((type) => [
      `### ${type}`,
      QUESTIONS[type],
      markdownTable(
        ['status', 'reason', 'meaning', 'what to do'],
        Object.entries(conditionReasons[type]).flatMap(([status, reasons]) =>
          Object.entries<Advice>(reasons).map(([reason, { meaning, cure }]) => [status, `\`${reason}\``, meaning, cure]),
        ),
      ),
    ]),
    '## Events',
    'About the KimCluster; the same one again within six minutes is counted, not written anew.',
    markdownTable(
      ['reason', 'type', 'meaning', 'what to do'],
      Object.entries(eventReasons).map(([reason, { type, meaning, cure }]) => [`\`${reason}\``, type, meaning, cure]),
    ),
    '## A pod is not ready',
    'What stands in `kim status` and in the answer of `GET /readyz` ([admin.md](admin.md)):',
    saidTable(nodeReasons),
    '## The operator does not work',
    'What stands in its log, under Last State of `kubectl -n kimserver describe pod -l app.kubernetes.io/component=operator`, and in the answers of `/readyz` and' +
      ' `/livez` on its health port. KimClusters run on without it; nothing changes meanwhile.',
    saidTable(operatorReasons),
  ].join('\n\n');
}

function saidTable(rows: readonly Said[]): string {
  return markdownTable(
    ['what it says', 'meaning', 'what to do'],
    rows.map(({ text, meaning, cure }) => [`... ${text} ...`, meaning, cure]),
  );
}
