// What the operator says about a KimCluster in its status. It writes all of it itself, so nothing here has to be judged for people.

import { hinted } from '../../config/rules.ts';
import { listBy, object } from '../../config/shapes.ts';
import { z } from '../../config/z.ts';

const text = (description: string) => z.string().meta({ description });
const count = (description: string) => z.int().min(0).meta({ description });
const time = (description: string) => hinted(z.string(), { schema: { format: 'date-time' } }).meta({ description });

const cause = z.enum(['ScaleDown', 'Rollout', 'NodeDrain', 'Delete', 'Requested']).meta({
  description: 'Why it drains: fewer replicas, a new revision, a machine that is drained, the KimCluster deleted, or somebody asked.',
});

const condition = object({
  type: text('What the condition is about: Ready, Available, Progressing, Degraded, ConfigValid, Paused or DiscoveryHealthy.'),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it holds.' }),
  reason: text('One word for programs.'),
  message: text('A sentence for people.'),
  lastTransitionTime: time('When status changed the last time.'),
  observedGeneration: z.int().meta({ description: 'The generation of the spec that this was found for.' }).optional(),
}).meta({ description: 'What is known about one aspect of the cluster.' });

const draining = object({
  pod: text('The pod.'),
  cause: cause.optional(),
  connections: count('Client connections that it still has.'),
  moved: count('Clients that went to another gate by themselves when they were asked to.').optional(),
  closed: count('Connections that were closed between a reply and the next request.').optional(),
  forced: count('Connections that were cut because the time was over.').optional(),
  startedAt: time('When it began.'),
  estimatedEnd: time('When it will have ended, at its pace so far or when its time is over.').optional(),
}).meta({ description: 'A pod that drains.' });

const lastDrain = object({
  pod: text('The pod.'),
  cause: cause.optional(),
  moved: count('Clients that went to another gate by themselves when they were asked to.'),
  closed: count('Connections that were closed between a reply and the next request.'),
  forced: count('Connections that were cut because the time was over.'),
  seconds: count('How long it took.'),
  endedAt: time('When it had ended.'),
});

const tier = object({
  replicas: count('Pods that there are.'),
  ready: count('Pods that are ready.'),
  updated: count('Pods of the newest revision.'),
  revision: text('Name of the newest revision.').optional(),
  workers: count('Worker processes in all pods.'),
  connections: count('Connections of clients.'),
  // of one piece: API servers make null of a list by keys when its last entry is applied away, and refuse that
  draining: z.array(draining).max(500).meta({ description: 'Pods that drain, with what is left to do.' }),
  selector: text('Labels of its pods, as a selector.'),
  configHash: text('Hash of the configuration that needs new pods when it changes.').optional(),
  settingsGeneration: z.int().meta({ description: 'Generation of the spec whose live settings all pods have.' }).optional(),
});

const directory = object({
  name: z.enum(['zookeeper', 'kubernetes', 'file', 'static']).meta({ description: 'Which one.' }),
  healthy: z.boolean().meta({ description: 'Whether all nodes reach it.' }),
  message: text('What is wrong, or how many servers answer.').optional(),
});

const versions = object({
  current: text('Version that all pods run.').optional(),
  target: text('Version that they are to run.').optional(),
  operator: text('Version of the operator that wrote this.').optional(),
});

const summary = object({
  gates: text('Gates that are ready, of how many: 3/3.'),
  logics: text('Logic nodes that are ready, of how many: 5/5.'),
  workers: text('Workers of the gates and of the logic nodes: 6+5.'),
  connections: count('Connections of clients to all gates.'),
  draining: count('Pods that drain.'),
  discovery: text('The directory that counts, and whether it answers: zookeeper 3/3.'),
});

const plan = object({
  generation: z.int().meta({ description: 'Generation of the spec that was planned.' }),
  changes: z.array(text('One change.')).max(1000).meta({ description: 'What would change, a line for each.' }),
  connections: count('Connections that would be touched.'),
});

export const statusSchema = object({
  observedGeneration: z.int().meta({ description: 'Generation of the spec that the operator has acted on.' }).optional(),
  conditions: listBy('type', condition, 'conditions', 32)
    .meta({
      description: 'What is known about the cluster: Ready, Available, Progressing, Degraded, ConfigValid, Paused, DiscoveryHealthy.',
    })
    .optional(),
  summary: summary.meta({ description: 'What "kubectl get kim" shows.' }).optional(),
  selector: text('Labels of the gates as a selector, for autoscalers.').optional(),
  endpoint: text('Where clients connect: host and port.').optional(),
  gate: tier.meta({ description: 'The gates.' }).optional(),
  logic: tier.meta({ description: 'The logic nodes.' }).optional(),
  versions: versions.meta({ description: 'Versions that run and that should.' }).optional(),
  lastDrain: lastDrain.meta({ description: 'How the last drain went.' }).optional(),
  discovery: object({
    primary: directory.meta({ description: 'The directory that counts while it answers.' }).optional(),
    fallback: directory.meta({ description: 'The directory that counts while the primary one does not.' }).optional(),
    active: text('The one that counts now.').optional(),
  })
    .meta({ description: 'How the directories are.' })
    .optional(),
  plan: plan.meta({ description: 'What would change, while the annotation kimserver.io/dry-run is set.' }).optional(),
});
