// The shape of a KimCluster: what may stand in it. Its tiers are made of the same options as a node's configuration.

import { monitoring, networkPolicy, stores } from './cluster-access.ts';
import { discovery } from './cluster-discovery.ts';
import { commonDirectory } from './cluster-switch.ts';
import { gateTier, logicTier } from './cluster-tier.ts';
import { hinted } from './rules.ts';
import { clusterName, image, listBy, literal, object, objectName, text, word } from './shapes.ts';
import { z } from './z.ts';

const API_VERSION = 'kimserver.io/v1alpha1';
const KIND = 'KimCluster';

const pullSecret = object({ name: objectName('a Secret').meta({ description: 'Name of the Secret.' }) }).meta({
  description: 'A Secret in the namespace of the KimCluster.',
});

const fields = object({
  image: image()
    .optional()
    .meta({ description: 'Image of the nodes; without it the one that the operator runs on. Has no meaning on one machine.' }),
  imagePullPolicy: word('Always', 'IfNotPresent', 'Never')
    .optional()
    .meta({ description: 'When images are pulled; without it as Kubernetes does. Has no meaning on one machine.' }),
  imagePullSecrets: listBy('name', pullSecret, 'Secrets', 16)
    .optional()
    .meta({ description: 'Secrets for the registries of the images. Have no meaning on one machine.' }),
  modules: object({
    folder: text('a folder')
      .optional()
      .meta({ description: 'Folder of your modules, relative to this file. Has no meaning in Kubernetes.' }),
    image: image().optional().meta({ description: 'Image with your modules in its folder /modules; has no meaning on one machine.' }),
  })
    .optional()
    .meta({ description: 'Where your own modules are.' }),
  gate: gateTier.meta({ description: 'The gates, which clients connect to.' }),
  logic: logicTier.optional().meta({ description: 'The logic nodes, which answer what gates relay. Without it there are none.' }),
  discovery: discovery
    .optional()
    .meta({ description: 'Where nodes find each other. Without it a managed ZooKeeper of three servers, and on one machine a folder.' }),
  stores: stores.optional().meta({ description: 'What modules store in, by reference to Secrets. Nodes do not connect yet.' }),
  networkPolicy: networkPolicy.prefault({}).meta({ description: 'Who may reach the pods.' }),
  monitoring: monitoring.prefault({}).meta({ description: 'How Prometheus finds the pods.' }),
  deletionPolicy: word('Delete', 'Drain').default('Delete').meta({
    description:
      'What happens when the KimCluster is deleted. Delete: everything goes at once and each pod drains itself; Drain: gates are drained first, at most for ten minutes.',
  }),
});

const spec = hinted(fields, { rules: [commonDirectory] });

const texts = z.record(z.string(), z.string());
/** What Kubernetes keeps of every object; a file may hold it too. */
const metadata = z.looseObject(
  {
    name: clusterName(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    generation: z.int().optional(),
    resourceVersion: z.string().optional(),
    labels: texts.optional(),
    annotations: texts.optional(),
    finalizers: z.array(z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  },
  { error: 'metadata with a name' },
);

/** Judges the object that a KimCluster's YAML holds, completes it with defaults and turns durations and sizes into numbers. */
export const kimClusterSchema = z.strictObject(
  { apiVersion: literal(API_VERSION), kind: literal(KIND), metadata, spec, status: z.unknown().optional() },
  { error: `a ${KIND} (with apiVersion, kind, metadata and spec)` },
);

/** A cluster: gates that clients connect to, and logic nodes behind them. Times are in milliseconds but where the name says seconds. */
export type KimCluster = z.output<typeof kimClusterSchema>;
export type Tier = 'gate' | 'logic';
