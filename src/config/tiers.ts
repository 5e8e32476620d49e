// From a KimCluster to the configuration of each of its nodes. Pure: the same cluster gives the same configurations.

import { isAbsolute, join, resolve } from 'node:path';
import { addressText } from './address.ts';
import type { KimCluster, Tier } from './cluster-schema.ts';
import { DEFAULT_ROOT, directoriesOf } from './cluster-discovery.ts';
import type { DirectoryName } from './cluster-options.ts';
import { DEFAULT_NODE_PORT } from './cluster-tier.ts';
import { isGateModule, withDefaults, type NodeConfig } from './node-config.ts';
import { optionKeys, optionOf, options } from './options.ts';
import { everythingToLogic } from './route-kind.ts';
import type { RouteConfig } from './route.ts';

const DEFAULT_NODE_HOST = '127.0.0.1';
const DEFAULT_LISTENER_HOST = '127.0.0.1';
/** Modules of the users are files; those that ship with kimserver are bare names. */
const MODULE_FILE = /\/|\.[cm]?[jt]s$/;

/** The tiers that a cluster has, in the order in which they should start: the gates need logic nodes to relay to. */
export function tiersOf(cluster: KimCluster): Tier[] {
  return cluster.spec.logic === undefined ? ['gate'] : ['logic', 'gate'];
}

/** Where a cluster on this machine keeps what it writes, below the folder that it is run in. */
export function stateFolder(name: string): string {
  return join('.kim', name);
}

/**
 * The configuration of one node. Replicas count from 0, and replica n listens n ports further up, so that all fit on one machine.
 * `baseDir` is the folder of the KimCluster's file. Throws when the cluster has no such tier.
 */
export function nodeConfigOf(cluster: KimCluster, tier: Tier, replica: number, baseDir: string): NodeConfig {
  const spec = cluster.spec[tier];
  if (spec === undefined) throw new Error(`KimCluster ${cluster.metadata.name} has no ${tier} nodes`);
  const [listener] = tier === 'gate' ? cluster.spec.gate.listeners : [];
  const folder = resolve(baseDir, cluster.spec.modules?.folder ?? '.');
  const seconds = spec.drain?.seconds;
  const adminPort = spec.admin?.port;
  return withDefaults({
    server_name: `${cluster.metadata.name}-${tier}-${replica}`,
    node_type: tier,
    worker_cnt: spec.workers,
    node_host: spec.nodeHost ?? DEFAULT_NODE_HOST,
    node_port: portOf(spec.nodePort ?? DEFAULT_NODE_PORT[tier], replica),
    ...(listener && {
      gate_host: listener.host ?? DEFAULT_LISTENER_HOST,
      gate_port: portOf(listener.port, replica),
      gate_codec: listener.codec,
      gate_advertise: advertisedBy(listener),
    }),
    ...(spec.admin?.host !== undefined && { admin_host: spec.admin.host }),
    ...(spec.admin?.publicKey !== undefined && { admin_public_key: spec.admin.publicKey }),
    ...(adminPort !== undefined && { admin_port: adminPort === null ? null : portOf(adminPort, replica) }),
    ...(spec.keepAlive !== undefined && { keep_alive: spec.keepAlive }),
    ...(spec.logLevel !== undefined && { log_level: spec.logLevel }),
    ...(seconds !== undefined && { drain_ms: Math.round(seconds * 1000) }),
    modules: spec.modules.map((module) => modulePath(module, folder)),
    ...(tier === 'gate' && { routes: routesOf(cluster, folder) }),
    ...groupsOf(spec),
    ...discoveryOf(cluster, baseDir),
  });
}

type Listener = KimCluster['spec']['gate']['listeners'][number];

/** All gates accept on the first one's port, so that is where a client of one that leaves is sent. */
function advertisedBy({ host = DEFAULT_LISTENER_HOST, port, advertise }: Listener): string {
  if (advertise !== undefined) return advertise;
  const isEverywhere = ['0.0.0.0', '::', '*'].includes(host);
  // What clients dialled is better than an address that means all of them.
  return isEverywhere || port === 0 ? '' : addressText(host, port);
}

/** Without routes of their own, gates relay to logic nodes whatever their modules do not answer. */
function routesOf({ spec }: KimCluster, folder: string): readonly RouteConfig[] {
  const isGate = spec.gate.modules.some(isGateModule);
  const routes = spec.gate.routes ?? (spec.logic === undefined || isGate ? [] : [everythingToLogic('session', 'ifNotSent')]);
  return routes.map((route) => {
    const { key } = route;
    if (key.from !== 'field' || key.proto === undefined) return route;
    return { ...route, key: { ...key, proto: { ...key.proto, file: resolve(folder, key.proto.file) } } };
  });
}

/** On one machine a folder does the work of a managed ZooKeeper, and of every directory that is not there. */
function discoveryOf({ spec: { discovery }, metadata: { name } }: KimCluster, baseDir: string): Partial<NodeConfig> {
  const { zookeeper, file, static: fixed } = discovery ?? {};
  const hosts = zookeeper?.hosts;
  const needsFile = file !== undefined || (hosts === undefined && fixed === undefined) || zookeeper?.managed !== undefined;
  const order = orderOf(discovery);
  return {
    ...(order.length > 0 && { discovery: order }),
    ...(hosts !== undefined && {
      zookeeper: {
        ...options.zookeeper.default!,
        is_open: true,
        servers: hosts,
        root: (zookeeper?.root ?? DEFAULT_ROOT).replace(/\/$/, ''),
        ...(zookeeper?.auth !== undefined && { auth: zookeeper.auth }),
        ...(zookeeper?.acl !== undefined && { acl: zookeeper.acl }),
        ...(zookeeper?.sessionTimeoutMs !== undefined && { session_timeout_ms: zookeeper.sessionTimeoutMs }),
      },
    }),
    ...(needsFile && { directory_path: file?.path === undefined ? resolve(stateFolder(name), 'members') : resolve(baseDir, file.path) }),
    ...(fixed?.members !== undefined && { members: fixed.members }),
  };
}

/** The order of the directories where the cluster asks for one; a managed ZooKeeper is a folder here. */
function orderOf(given: KimCluster['spec']['discovery']): DirectoryName[] {
  if (given?.primary === undefined && given?.fallback === undefined) return [];
  const names = directoriesOf(given).flatMap((name): DirectoryName[] => {
    if (name === 'kubernetes') return [];
    return name === 'zookeeper' && given.zookeeper?.managed !== undefined ? ['file'] : [name];
  });
  return [...new Set(names)];
}

/** Port 0 is any free one for every replica. */
function portOf(first: number, replica: number): number {
  return first === 0 ? 0 : first + replica;
}

function modulePath(module: string, folder: string): string {
  return MODULE_FILE.test(module) && !isAbsolute(module) ? resolve(folder, module) : module;
}

/** Options that stand together in a tier. */
const GROUPED = /^(limits|links|sessions|config)\.(\w+)$/;

function groupsOf(
  spec: Partial<Record<'limits' | 'links' | 'sessions' | 'config', Readonly<Record<string, unknown>> | undefined>>,
): Partial<NodeConfig> {
  const entries = optionKeys.map((key) => {
    const [, group, name] = GROUPED.exec(optionOf(key).path ?? '') ?? [];
    return [key, name === undefined ? undefined : spec[group as 'limits']?.[name]] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
