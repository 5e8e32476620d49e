// The CustomResourceDefinition of KimClusters, made from the schema of src/config. Pure.

import { kimClusterSchema } from '../../config/cluster-schema.ts';
import { clusterNamePattern, MAX_CLUSTER_NAME } from '../../config/shapes.ts';
import { statusSchema } from './status-schema.ts';
import { structural, type Schema } from './structural.ts';

export const GROUP = 'kimserver.io';
const VERSION = 'v1alpha1';
const PLURAL = 'kimclusters';
export const CRD_NAME = `${PLURAL}.${GROUP}`;

/** Goes up with every change of the schema that the operator needs; one that finds an older number in the cluster does not start. */
export const CRD_REVISION = 1;
export const REVISION_ANNOTATION = `${GROUP}/crd-revision`;

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: number;
}

/** The columns of "kubectl get kim"; those with a priority above 0 are for "-o wide". */
export const columns: readonly Column[] = [
  { name: 'Gates', type: 'string', jsonPath: '.status.summary.gates', description: 'Gates that are ready, of how many.' },
  { name: 'Logics', type: 'string', jsonPath: '.status.summary.logics', description: 'Logic nodes that are ready, of how many.' },
  { name: 'Workers', type: 'string', jsonPath: '.status.summary.workers', description: 'Workers of the gates and of the logic nodes.' },
  { name: 'Connections', type: 'integer', jsonPath: '.status.summary.connections', description: 'Connections of clients.' },
  { name: 'Draining', type: 'integer', jsonPath: '.status.summary.draining', description: 'Pods that drain.' },
  {
    name: 'Discovery',
    type: 'string',
    jsonPath: '.status.summary.discovery',
    description: 'The directory that counts, and whether it answers.',
  },
  { name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status'), description: 'Whether everything is as the spec says.' },
  { name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason'), description: 'Why it is ready, or not.' },
  { name: 'Version', type: 'string', jsonPath: '.status.versions.current', description: 'Version that all pods run.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'When it was made.' },
  { name: 'Endpoint', type: 'string', priority: 1, jsonPath: '.status.endpoint', description: 'Where clients connect.' },
  {
    name: 'Message',
    type: 'string',
    priority: 1,
    jsonPath: condition('Ready', 'message'),
    description: 'The same as Reason in a sentence.',
  },
];

/** The schema of a whole KimCluster. */
export function clusterSchema(): Schema {
  const { properties = {} } = structural(kimClusterSchema);
  return {
    description: 'A cluster of kimserver: gates that clients connect to, and logic nodes behind them.',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: `Always ${GROUP}/${VERSION}.`, type: 'string' },
      kind: { description: 'Always KimCluster.', type: 'string' },
      metadata: { type: 'object' },
      spec: { description: 'What should run.', ...properties['spec'] },
      status: { description: 'What runs, as the operator sees it.', ...structural(statusSchema) },
    },
    'x-kubernetes-validations': [
      {
        rule: `self.metadata.name.size() <= ${MAX_CLUSTER_NAME} && self.metadata.name.matches(r'${clusterNamePattern.source}')`,
        message: `metadata.name has more than ${MAX_CLUSTER_NAME} characters, does not begin with a letter, or has a "."; what is made of the cluster has its name and more behind it`,
      },
    ],
  };
}

/** The CustomResourceDefinition, whole. */
export function customResourceDefinition(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: CRD_NAME, annotations: { [REVISION_ANNOTATION]: String(CRD_REVISION) } },
    spec: {
      group: GROUP,
      names: {
        kind: 'KimCluster',
        listKind: 'KimClusterList',
        plural: PLURAL,
        singular: 'kimcluster',
        shortNames: ['kim'],
        categories: ['kimserver'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: clusterSchema() },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.gate.replicas',
              statusReplicasPath: '.status.gate.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}
