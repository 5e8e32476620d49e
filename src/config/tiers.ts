// From a KimCluster to the configuration of each of its nodes. Pure: the same cluster gives the same configurations.

import { isAbsolute, resolve } from 'node:path';
import type { KimCluster, Tier } from './cluster-schema.ts';
import { camel, limitOptions } from './limit-options.ts';
import { withDefaults, type NodeConfig } from './node-config.ts';

const DEFAULT_NODE_PORT = { gate: 3344, logic: 4344 } as const;
const DEFAULT_NODE_HOST = '127.0.0.1';
/** Modules of the users are files; those that ship with kimserver are bare names. */
const MODULE_FILE = /\/|\.[cm]?[jt]s$/;

/** The tiers that a cluster has, in the order in which they should start: the gates need logic nodes to relay to. */
export function tiersOf(cluster: KimCluster): Tier[] {
  return cluster.spec.logic === undefined ? ['gate'] : ['logic', 'gate'];
}

/**
 * The configuration of one node. Replicas count from 0, and replica n listens n ports further up, so that all fit on one machine.
 * `baseDir` is the folder of the KimCluster's file. Throws when the cluster has no such tier.
 */
export function nodeConfigOf(cluster: KimCluster, tier: Tier, replica: number, baseDir: string): NodeConfig {
  const spec = cluster.spec[tier];
  if (spec === undefined) throw new Error(`KimCluster ${cluster.metadata.name} has no ${tier} nodes`);
  const [listener] = tier === 'gate' ? cluster.spec.gate.listeners : [];
  const seconds = spec.drain?.seconds;
  const adminPort = spec.admin?.port;
  return withDefaults({
    server_name: `${cluster.metadata.name}-${tier}-${replica}`,
    node_type: tier,
    worker_cnt: spec.workers,
    node_host: spec.nodeHost ?? DEFAULT_NODE_HOST,
    node_port: portOf(spec.nodePort ?? DEFAULT_NODE_PORT[tier], replica),
    ...(listener && { gate_host: listener.host, gate_port: portOf(listener.port, replica), gate_codec: listener.codec }),
    ...(spec.admin?.host !== undefined && { admin_host: spec.admin.host }),
    ...(adminPort !== undefined && { admin_port: adminPort === null ? null : portOf(adminPort, replica) }),
    ...(spec.keepAlive !== undefined && { keep_alive: spec.keepAlive }),
    ...(spec.logLevel !== undefined && { log_level: spec.logLevel }),
    ...(seconds !== undefined && { drain_ms: Math.round(seconds * 1000) }),
    modules: spec.modules.map((module) => modulePath(module, resolve(baseDir, cluster.spec.modules?.folder ?? '.'))),
    ...limitsOf(spec.limits ?? {}),
  });
}

/** Port 0 is any free one for every replica. */
function portOf(first: number, replica: number): number {
  return first === 0 ? 0 : first + replica;
}

function modulePath(module: string, folder: string): string {
  return MODULE_FILE.test(module) && !isAbsolute(module) ? resolve(folder, module) : module;
}

function limitsOf(limits: Readonly<Partial<Record<string, number>>>): Partial<NodeConfig> {
  const entries = Object.keys(limitOptions).map((key) => [key, limits[camel(key)]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
