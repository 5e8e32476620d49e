// What a KimCluster hands through to its pods: where they run, and what runs and is mounted beside the node.

import { ruled } from './rules.ts';
import { annotations, labels, listBy, listOf, number, object, objectName, passed, text, texts, word } from './shapes.ts';
import { z } from './z.ts';

/** Containers of the operator; sidecars have other names. */
export const OWN_CONTAINERS = ['kimserver', 'modules'] as const;
/** Volumes of the operator begin so. */
export const OWN_VOLUMES = 'kimserver-';
/** Options of nodes have variables that begin so. */
const OPTION_VARIABLES = 'KIM_';

const port63 = { max: 63, pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ };
const toleration = object({
  key: text('a text').optional().meta({ description: 'Taint that is tolerated; without it all of the effect.' }),
  operator: word('Exists', 'Equal').optional().meta({ description: 'Whether the value counts: Equal (the default) or Exists.' }),
  value: z.string({ error: 'a text' }).max(63, { error: 'a text' }).optional().meta({ description: 'Value of the taint.' }),
  effect: word('NoSchedule', 'PreferNoSchedule', 'NoExecute').optional().meta({ description: 'Effect of the taint; without it any.' }),
  tolerationSeconds: number(0, 31_536_000, 'seconds').optional().meta({ description: 'How long a NoExecute taint is tolerated.' }),
}).meta({ description: 'A taint of machines that the pods put up with.' });

const spread = passed('a constraint with topologyKey, maxSkew and whenUnsatisfiable', {
  topologyKey: text('a label of machines').meta({ description: 'Label of the machines over whose values pods are spread.' }),
  maxSkew: number(1, 1000).default(1).meta({ description: 'How uneven it may be, in pods.' }),
  whenUnsatisfiable: word('ScheduleAnyway', 'DoNotSchedule')
    .default('ScheduleAnyway')
    .meta({ description: 'Whether a pod that would make it more uneven starts all the same.' }),
}).meta({ description: 'How pods are spread; the label selector is filled in where none is given.' });

const variable = ruled(
  object({
    name: text('the name of a variable, without "=" and spaces', { max: 253, pattern: /^[^=\s]+$/ }).meta({
      description: 'Name of the variable.',
    }),
    value: z.string({ error: 'a text' }).max(32_768, { error: 'a text' }).optional().meta({ description: 'Its value.' }),
    valueFrom: passed('where the value comes from, as secretKeyRef')
      .optional()
      .meta({ description: 'Where the value comes from: secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef.' }),
  }),
  [
    {
      rule: '!(has(self.value) && has(self.valueFrom))',
      message: 'value and valueFrom exclude each other; give one of them',
      holds: ({ value, valueFrom }) => value === undefined || valueFrom === undefined,
    },
    {
      rule: `!self.name.startsWith('${OPTION_VARIABLES}')`,
      message: `variables that begin with ${OPTION_VARIABLES} are options of the node, which have their own fields here; set those`,
      holds: ({ name }) => !name.startsWith(OPTION_VARIABLES),
    },
  ],
).meta({ description: 'A variable of the environment.' });

const container = ruled(
  passed('a container with name and image', {
    name: text('a name of small letters, digits and "-"', port63).meta({ description: 'Name of the container.' }),
  }),
  [
    {
      rule: `!(self.name in [${OWN_CONTAINERS.map((name) => `'${name}'`).join(', ')}])`,
      message: `the names ${OWN_CONTAINERS.join(' and ')} are those of the operator's own containers; take another`,
      holds: ({ name }) => !(OWN_CONTAINERS as readonly string[]).includes(name),
    },
  ],
).meta({ description: 'A container, as in a pod.' });

const volume = ruled(
  passed('a volume with name and source', {
    name: text('a name of small letters, digits and "-"', port63).meta({ description: 'Name of the volume.' }),
  }),
  [
    {
      rule: `!self.name.startsWith('${OWN_VOLUMES}')`,
      message: `names that begin with ${OWN_VOLUMES} are those of the operator's own volumes; take another`,
      holds: ({ name }) => !name.startsWith(OWN_VOLUMES),
    },
  ],
).meta({ description: 'A volume, as in a pod.' });

const mount = passed('a mount with name and mountPath', {
  name: text('the name of a volume', port63).meta({ description: 'Name of the volume.' }),
  mountPath: text('a path in the container', { max: 512 }).meta({ description: 'Where it is mounted.' }),
}).meta({ description: 'A mount, as in a container.' });

/** Fields of a pod template that are handed through. How long a pod may take to end is not among them: drain.seconds says it. */
export function podTemplate() {
  return object({
    metadata: object({
      labels: labels().optional().meta({ description: 'Labels of the pods, beside those of the operator.' }),
      annotations: annotations().optional().meta({ description: 'Annotations of the pods, beside those of the operator.' }),
    })
      .optional()
      .meta({ description: 'Labels and annotations of the pods.' }),
    nodeSelector: texts('labels of machines').optional().meta({ description: 'Labels that a machine must have for pods to run on it.' }),
    affinity: passed('an affinity')
      .optional()
      .meta({ description: 'Affinity of the pods; instead of the one that keeps them on different machines.' }),
    topologySpreadConstraints: listOf(spread, 'constraints', 16)
      .optional()
      .meta({ description: 'How pods are spread over machines and zones; instead of the two that the operator sets.' }),
    tolerations: listOf(toleration, 'tolerations', 32)
      .optional()
      .meta({ description: 'Taints that the pods put up with. A lost machine is given up after 30 s where nothing is said about that.' }),
    priorityClassName: objectName('a PriorityClass').optional().meta({ description: 'How important the pods are to others.' }),
    schedulerName: objectName('a scheduler').optional().meta({ description: 'Another scheduler than the default one.' }),
    runtimeClassName: objectName('a RuntimeClass').optional().meta({ description: 'Another container runtime than the default one.' }),
    env: listBy('name', variable, 'variables', 100).optional().meta({ description: 'More variables of the environment, for modules.' }),
    envFrom: listOf(
      passed('a source of variables, as { secretRef: { name: shop } }').meta({ description: 'A source of variables.' }),
      'sources',
      32,
    )
      .optional()
      .meta({ description: 'Secrets and ConfigMaps whose keys become variables.' }),
    volumes: listBy('name', volume, 'volumes').optional().meta({ description: 'More volumes.' }),
    volumeMounts: listBy('mountPath', mount, 'mounts')
      .optional()
      .meta({ description: 'Where volumes are mounted in the container of the node.' }),
    containers: listBy('name', container, 'containers', 16)
      .optional()
      .meta({ description: 'Containers that run beside the node (sidecars).' }),
    initContainers: listBy('name', container, 'containers', 16)
      .optional()
      .meta({ description: 'Containers that run before the node starts.' }),
  });
}
