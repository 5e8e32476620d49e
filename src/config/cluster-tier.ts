// A tier of a KimCluster, its gates or its logic nodes: the options of a node under the names of a tier, and what Kubernetes makes of them.

import { limitRules, portRules } from './cluster-limits.ts';
import { clusterOptions, linkName, linkOptions, sessionOptions } from './cluster-options.ts';
import { podTemplate } from './cluster-pods.ts';
import { disruptionBudget, service, update } from './cluster-rollout.ts';
import { routes } from './cluster-route.ts';
import type { Option } from './field.ts';
import { host } from './kinds.ts';
import { camel, limitOptions, type Camel } from './limit-options.ts';
import { nodeOptions } from './node-options.ts';
import { resources } from './quantities.ts';
import { hinted } from './rules.ts';
import { number, object, portName } from './shapes.ts';
import { z } from './z.ts';

const MAX_REPLICAS = 100;
/** What a node that leaves gives to what is in flight where spec.TIER.drain does not say it: in Kubernetes more than by hand. */
export const KUBERNETES_DRAIN_SECONDS = 60;

/** An option as it is written in a tier, with the limits and the words of the table. */
function written<T>({ kind, doc }: Option<T>): z.ZodType<T> {
  return kind.written.meta({ description: inTier(doc) });
}

/** Options are called by their places here: `limits.acceptRate` for accept_rate. */
function inTier(doc: string): string {
  const places = { ...nodeOptions, ...limitOptions, ...clusterOptions } as Readonly<Record<string, Option<unknown>>>;
  return doc.replaceAll(/\b[a-z]+(?:_[a-z]+)+\b/g, (key) => places[key]?.path ?? key);
}

/** An option that need not be given; nodes know its default, which is told. */
function orDefault<T>(one: Option<T>) {
  const { kind, doc, default: value } = one;
  const shown = typeof value === 'number' && kind.human !== undefined ? kind.human(value) : String(value);
  return written({ ...one, doc: `${doc} Without it ${shown}.` }).optional();
}

/** Options that stand together in a tier, under names made of their keys. */
function together<N extends string>(table: Readonly<Record<string, Option<number>>>, nameOf: (key: string) => string) {
  return Object.fromEntries(Object.entries(table).map(([key, one]) => [nameOf(key), orDefault(one)])) as unknown as {
    readonly [P in N]: z.ZodOptional<z.ZodType<number>>;
  };
}

type LimitName = Camel<keyof typeof limitOptions | 'relay_in_flight'>;
type LinkName = ReturnType<typeof linkName<keyof typeof linkOptions>>;
const limitTypes = together<LimitName>({ ...limitOptions, relay_in_flight: clusterOptions.relay_in_flight }, camel);
const linkTypes = together<LinkName>(linkOptions, linkName);
const { second_login, client_heartbeat_ms, resume_ms, max_lost_sessions, max_remote_sessions, remote_session_idle_ms } = sessionOptions;

const seconds = 'seconds from 0 to 86400';

const tier = {
  replicas: number(0, MAX_REPLICAS).default(1).meta({ description: 'Nodes of this tier.' }),
  workers: written(nodeOptions.worker_cnt).default(1),
  nodePort: written(nodeOptions.node_port).optional().meta({
    description: 'Port on which other nodes connect; without it 3344 for gates and 4344 for logic nodes. 0: any free one, on one machine.',
  }),
  nodeHost: written(nodeOptions.node_host)
    .optional()
    .meta({ description: 'Address on which other nodes connect; without it 127.0.0.1. Pods listen on all of theirs.' }),
  modules: written(nodeOptions.modules)
    .default([])
    .meta({ description: 'What the node answers: names of modules that ship with kimserver, or paths of your own, as ./chat.ts.' }),
  admin: object({
    host: written(nodeOptions.admin_host).optional().meta({
      description: 'Address of the admin pages (health, metrics, status); without it 127.0.0.1. Pods listen on all of theirs.',
    }),
    publicKey: written(nodeOptions.admin_public_key).optional(),
    port: written(nodeOptions.admin_port).optional().meta({
      description:
        'Port of the admin pages; without it the port of the listener (gates) or nodePort (logic nodes) and 6000 more. 0: any free one, "none": none, both on one machine only.',
    }),
  })
    .optional()
    .meta({ description: 'Where the admin pages are.' }),
  logLevel: orDefault(nodeOptions.log_level),
  keepAlive: written(nodeOptions.keep_alive)
    .optional()
    .meta({ description: 'A client that sends nothing for so long is closed; without it 15s. A number is milliseconds.' }),
  config: object({
    isReuseport: written(nodeOptions.is_reuseport).optional(),
    watchTypes: written(clusterOptions.watch_types).optional(),
  })
    .optional()
    .meta({ description: 'Options of a node that have no other place here.' }),
  limits: hinted(object(limitTypes), { rules: limitRules })
    .optional()
    .meta({ description: 'What protects a node: every limit and deadline.' }),
  links: object(linkTypes).optional().meta({ description: 'Connections to other nodes.' }),
  sessions: object({
    secondLogin: orDefault(second_login),
    clientHeartbeatMs: orDefault(client_heartbeat_ms),
    resumeMs: orDefault(resume_ms),
    maxLostSessions: orDefault(max_lost_sessions),
    maxRemoteSessions: orDefault(max_remote_sessions),
    remoteSessionIdleMs: orDefault(remote_session_idle_ms),
  })
    .optional()
    .meta({ description: 'What is kept of clients.' }),
  drain: object({
    seconds: z
      .number({ error: seconds })
      .min(0, { error: seconds })
      .max(86_400, { error: seconds })
      .optional()
      .meta({
        description: `Seconds that a node which leaves gives to what is in flight; without it ${nodeOptions.drain_ms.default! / 1000} on one machine and ${KUBERNETES_DRAIN_SECONDS} in Kubernetes. How long a pod may take to end follows from it.`,
      }),
  })
    .optional()
    .meta({ description: 'How nodes leave.' }),
  resources: resources().optional().meta({ description: 'Processors and memory of each node.' }),
  update: update.prefault({}).meta({ description: 'How pods are replaced by those of a new revision.' }),
  disruptionBudget: disruptionBudget.prefault({}).meta({ description: 'How many pods others may take away at the same time.' }),
  template: podTemplate().optional().meta({ description: 'Fields of the pods that are handed through.' }),
};

const listener = object({
  name: hinted(portName(), {}).default('client').meta({ description: 'Name of the port.' }),
  // A node may serve no clients; a listener is there to serve them.
  host: written({ ...nodeOptions.gate_host, kind: host() })
    .optional()
    .meta({
      description: 'Address on which clients connect; without it 127.0.0.1, and 0.0.0.0 or :: for all. Pods listen on all of theirs.',
    }),
  port: written(nodeOptions.gate_port).meta({
    description: 'Port on which clients connect, to a pod and to the Service. 0: any free one, on one machine; in Kubernetes 3355.',
  }),
  codec: hinted(written(nodeOptions.gate_codec), { default: 'protobuf' }).default('protobuf'),
  advertise: written(clusterOptions.gate_advertise).optional(),
}).meta({ description: 'Where clients connect.' });
const oneListener = 'a list with exactly one listener, as [{ name: client, port: 3355, codec: protobuf }]';

/** Where nodes connect to each other if nothing else is said. */
export const DEFAULT_NODE_PORT = { gate: 3344, logic: 4344 } as const;

const gate = object({
  ...tier,
  listeners: z
    .array(listener, { error: oneListener })
    .length(1, { error: oneListener })
    .meta({
      description: 'Where clients connect: on this port to any gate, and on one machine on port + n to replica n.',
      kubernetes: { schema: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } },
    }),
  routes: routes.optional().meta({
    description: 'Which commands other nodes answer. Without it gates relay to logic nodes whatever their modules do not answer.',
  }),
  service: service.prefault({}).meta({ description: 'The Service that leads clients to the gates.' }),
});

export const gateTier = hinted(gate, { rules: portRules('gate', DEFAULT_NODE_PORT.gate) });

export const logicTier = hinted(object(tier), { rules: portRules('logic', DEFAULT_NODE_PORT.logic) });
