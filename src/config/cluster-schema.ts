// The shape of a KimCluster: what may stand in it. Its tiers are made of the same options as a node's configuration.

import type { Option } from './field.ts';
import { camel, limitOptions, type Camel } from './limit-options.ts';
import { host } from './kinds.ts';
import { nodeOptions } from './node-options.ts';
import { z } from './z.ts';

const API_VERSION = 'kimserver.io/v1alpha1';
const KIND = 'KimCluster';
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_REPLICAS = 100;

function literal<T extends string>(value: T) {
  return z.literal(value, { error: value });
}

function label() {
  const error = 'small letters, digits and "-", at most 63, with a letter or digit at both ends';
  return z.string({ error }).max(63, { error }).regex(LABEL, { error });
}

function object<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, { error: `an object with ${Object.keys(shape).join(', ')}` });
}

/** An option as it is written in a tier, with the limits and the words of the table. */
function written<T>({ kind, doc }: Option<T>): z.ZodType<T> {
  return kind.written.meta({ description: doc });
}

function text(what: string) {
  return z.string({ error: what }).min(1, { error: what });
}

/** Handed to Kubernetes as it is. */
function passed(what: string) {
  return z
    .looseObject({}, { error: `an object: ${what}` })
    .optional()
    .meta({ description: `Handed to Kubernetes: ${what}; has no meaning on one machine.` });
}

type LimitName = Camel<keyof typeof limitOptions>;

const limitTypes = Object.fromEntries(
  Object.entries(limitOptions).map(([key, limit]) => [camel(key), written(limit).optional()]),
) as unknown as { readonly [K in LimitName]: z.ZodOptional<z.ZodType<number>> };

const whole = `whole numbers from 0 to ${MAX_REPLICAS}`;
const seconds = 'seconds from 0 to 86400';

const tier = {
  replicas: z
    .int({ error: whole })
    .min(0, { error: whole })
    .max(MAX_REPLICAS, { error: whole })
    .default(1)
    .meta({ description: 'Nodes of this tier.' }),
  workers: written(nodeOptions.worker_cnt).default(1),
  nodePort: written(nodeOptions.node_port).optional(),
  nodeHost: written(nodeOptions.node_host).optional(),
  modules: written(nodeOptions.modules).default([]),
  admin: object({
    host: written(nodeOptions.admin_host).optional(),
    port: written(nodeOptions.admin_port).optional(),
  }).optional(),
  logLevel: written(nodeOptions.log_level).optional(),
  keepAlive: written(nodeOptions.keep_alive).optional(),
  limits: object(limitTypes).optional(),
  drain: object({
    seconds: z
      .number({ error: seconds })
      .min(0, { error: seconds })
      .max(86_400, { error: seconds })
      .optional()
      .meta({ description: `The same as drain_ms, in seconds; without it ${nodeOptions.drain_ms.default! / 1000}.` }),
  }).optional(),
  service: passed('fields of a Service'),
  template: passed('fields of a pod template'),
};

const listener = object({
  name: label().default('client'),
  // A node may serve no clients; a listener is there to serve them.
  host: written({ ...nodeOptions.gate_host, kind: host() }).default('127.0.0.1'),
  port: written(nodeOptions.gate_port),
  codec: written(nodeOptions.gate_codec).default('protobuf'),
});
const oneListener = 'a list with exactly one listener, as [{ name: client, port: 3355, codec: protobuf }]';

const spec = object({
  image: text('an image').optional().meta({ description: 'Image of the nodes; has no meaning on one machine.' }),
  modules: object({
    folder: text('a folder').optional().meta({ description: 'Folder of your modules, relative to this file.' }),
    image: text('an image').optional().meta({ description: 'Image with your modules; has no meaning on one machine.' }),
  }).optional(),
  gate: object({
    ...tier,
    listeners: z
      .array(listener, { error: oneListener })
      .length(1, { error: oneListener })
      .meta({ description: 'Where clients connect; replica n listens on port + n.' }),
  }),
  logic: object(tier).optional(),
});

/** Judges the object that a KimCluster's YAML holds, completes it with defaults and turns durations and sizes into numbers. */
export const kimClusterSchema = z.strictObject(
  {
    apiVersion: literal(API_VERSION),
    kind: literal(KIND),
    metadata: z.looseObject({ name: label() }, { error: 'metadata with a name' }),
    spec,
    status: z.unknown().optional(),
  },
  { error: `a ${KIND} (with apiVersion, kind, metadata and spec)` },
);

/** A cluster: gates that clients connect to, and logic nodes behind them. Times are in milliseconds but where the name says seconds. */
export type KimCluster = z.output<typeof kimClusterSchema>;
export type Tier = 'gate' | 'logic';
