// The shape of a KimCluster: what may stand in it. Its tiers are made of the same options as a node's configuration.

import { clusterOptions, linkName, linkOptions, sessionOptions } from './cluster-options.ts';
import { discovery } from './cluster-discovery.ts';
import type { Option } from './field.ts';
import { camel, limitOptions, type Camel } from './limit-options.ts';
import { host } from './kinds.ts';
import { nodeOptions } from './node-options.ts';
import { label, literal, object, passed, text } from './shapes.ts';
import { z } from './z.ts';

const API_VERSION = 'kimserver.io/v1alpha1';
const KIND = 'KimCluster';
const MAX_REPLICAS = 100;

/** An option as it is written in a tier, with the limits and the words of the table. */
function written<T>({ kind, doc }: Option<T>): z.ZodType<T> {
  return kind.written.meta({ description: doc });
}

/** Options that stand together in a tier, under names made of their keys. */
function together<N extends string>(table: Readonly<Record<string, Option<number>>>, nameOf: (key: string) => string) {
  return Object.fromEntries(Object.entries(table).map(([key, one]) => [nameOf(key), written(one).optional()])) as unknown as {
    readonly [K in N]: z.ZodOptional<z.ZodType<number>>;
  };
}

type LimitName = Camel<keyof typeof limitOptions | 'relay_in_flight'>;
type LinkName = ReturnType<typeof linkName<keyof typeof linkOptions>>;
const limitTypes = together<LimitName>({ ...limitOptions, relay_in_flight: clusterOptions.relay_in_flight }, camel);
const linkTypes = together<LinkName>(linkOptions, linkName);
const { second_login, client_heartbeat_ms, resume_ms, max_lost_sessions, max_remote_sessions, remote_session_idle_ms } = sessionOptions;

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
  links: object(linkTypes).optional(),
  sessions: object({
    secondLogin: written(second_login).optional(),
    clientHeartbeatMs: written(client_heartbeat_ms).optional(),
    resumeMs: written(resume_ms).optional(),
    maxLostSessions: written(max_lost_sessions).optional(),
    maxRemoteSessions: written(max_remote_sessions).optional(),
    remoteSessionIdleMs: written(remote_session_idle_ms).optional(),
  }).optional(),
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
  advertise: written(clusterOptions.gate_advertise).optional(),
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
      .meta({ description: 'Where clients connect: on this port to any gate, and on port + n to replica n.' }),
    routes: written(clusterOptions.routes).optional(),
  }),
  logic: object(tier).optional(),
  discovery: discovery.optional(),
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
