// The configuration of the pods of a tier, in two halves: options that can change while a node runs, and those that need a new pod.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { DEFAULT_ROOT } from '../../config/cluster-discovery.ts';
import type { NodeConfig } from '../../config/node-config.ts';
import { optionKeys, optionOf, options, type OptionKey } from '../../config/options.ts';
import { variableOf } from '../../config/overrides.ts';
import { nodeFileOf } from '../../config/print.ts';
import { nodeConfigOf } from '../../config/tiers.ts';
import { isSame } from '../../kube/json.ts';
import { connectString, hasKubernetesDiscovery, podDirectories } from './directories.ts';
import { namespaceOf, nodesSelector } from './names.ts';
import { drainTimesOf } from './drain-times.ts';
import { once } from './once.ts';
import type { OperatorFacts } from './types.ts';

/** Where the modules of an image are in pods. */
export const MODULES_FOLDER = '/modules';
/** Name of the client port in pods. */
export const CLIENT_PORT = 'client';
const ANY_ADDRESS = '0.0.0.0';
const DEFAULT_CLIENT_PORT = 3355;
const DEFAULT_NODE_PORT = { gate: 3344, logic: 4344 } as const;
const ADMIN_PORT_OFFSET = 6000;
const MAX_PORT = 65_535;
/** Every pod has its own; the downward API says them. */
const OF_EACH_POD: readonly OptionKey[] = ['server_name', 'node_host'];
/** From Secrets, which the operator does not read. */
const OF_SECRETS: readonly OptionKey[] = ['redis', 'database'];

export interface Ports {
  /** Where clients connect; gates only. */
  readonly client: number | undefined;
  readonly node: number;
  readonly admin: number;
}

export function portsOf({ spec }: KimCluster, tier: Tier): Ports {
  // 0 is any free port on one machine; pods need one that everybody knows
  const client = tier === 'gate' ? spec.gate.listeners[0]?.port || DEFAULT_CLIENT_PORT : undefined;
  const node = spec[tier]?.nodePort || DEFAULT_NODE_PORT[tier];
  const first = client ?? node;
  const beside = first + ADMIN_PORT_OFFSET > MAX_PORT ? first - ADMIN_PORT_OFFSET : first + ADMIN_PORT_OFFSET;
  return { client, node, admin: spec[tier]?.admin?.port || beside };
}

/** How the client port is called in the Service; by the others nodes are found. In pods it never changes its name: Services lead to all of them. */
export function clientPortName({ spec }: KimCluster): string {
  const { name } = spec.gate.listeners[0]!;
  return name === 'node' || name === 'admin' ? CLIENT_PORT : name;
}

/** The configuration that all pods of a tier share, in the program's own units. Shared: do not change it. */
export function podConfigOf(cluster: KimCluster, tier: Tier, facts: Pick<OperatorFacts, 'publicKey'>): NodeConfig {
  return once(cluster, facts, `config of ${tier}`, () => makePodConfig(cluster, tier, facts));
}

function makePodConfig(cluster: KimCluster, tier: Tier, { publicKey }: Pick<OperatorFacts, 'publicKey'>): NodeConfig {
  const { modules: _folder, ...spec } = cluster.spec;
  const config = nodeConfigOf({ ...cluster, spec }, tier, 0, MODULES_FOLDER);
  const ports = portsOf(cluster, tier);
  return {
    ...config,
    node_host: ANY_ADDRESS,
    node_port: ports.node,
    ...(ports.client !== undefined && {
      gate_host: ANY_ADDRESS,
      gate_port: ports.client,
      // what clients dialled is better than the address of a pod, which they may not reach
      gate_advertise: cluster.spec.gate.listeners[0]?.advertise ?? '',
    }),
    admin_host: ANY_ADDRESS,
    admin_port: ports.admin,
    admin_public_key: cluster.spec[tier]?.admin?.publicKey ?? publicKey,
    drain_ms: Math.round(drainTimesOf(cluster, tier).drainSeconds * 1000),
    directory_path: '',
    zookeeper: zookeeperOf(cluster),
    discovery: podDirectories(cluster),
    ...(hasKubernetesDiscovery(cluster) && { kubernetes_selector: nodesSelector(cluster), kubernetes_namespace: namespaceOf(cluster) }),
  };
}

function zookeeperOf(cluster: KimCluster): NodeConfig['zookeeper'] {
  const servers = podDirectories(cluster).includes('zookeeper') ? connectString(cluster) : '';
  const closed = options.zookeeper.default!;
  if (servers === '') return closed;
  const { root, auth, acl, sessionTimeoutMs } = cluster.spec.discovery?.zookeeper ?? {};
  return {
    ...closed,
    is_open: true,
    servers,
    root: (root ?? DEFAULT_ROOT).replace(/\/$/, ''),
    ...(auth !== undefined && { auth }),
    ...(acl !== undefined && { acl }),
    ...(sessionTimeoutMs !== undefined && { session_timeout_ms: sessionTimeoutMs }),
  };
}

/**
 * Options that need a new pod, as variables of its environment, which win over the file. Without those that are as they always are: a
 * new version of this program that has more options changes no pod.
 */
export function lastingOf(config: NodeConfig): Record<string, string> {
  const keys = optionKeys.filter((key) => optionOf(key).apply === 'restart' && !OF_EACH_POD.includes(key));
  const entries = keys.map((key) => [variableOf(key), asText(withoutDefaults(config[key], optionOf(key).default))] as const);
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as Record<string, string>;
}

/** Options that change in running nodes, as a node's file holds them: those that are not as they always are, and the number of workers. */
export function liveOf(config: NodeConfig): Record<string, unknown> {
  const file = nodeFileOf(config);
  const isWritten = (key: OptionKey) => key === 'worker_cnt' || !isSame(config[key], optionOf(key).default);
  const keys = optionKeys.filter((key) => optionOf(key).apply !== 'restart' && !OF_SECRETS.includes(key) && isWritten(key));
  return { node_type: config.node_type, ...Object.fromEntries(keys.map((key) => [key, file[key]])) };
}

/** All options that change in running nodes but the number of workers, defaults included: what a node is compared with. */
export function settingsOf(config: NodeConfig): Record<string, unknown> {
  const file = nodeFileOf(config);
  const keys = optionKeys.filter((key) => optionOf(key).apply !== 'restart' && key !== 'worker_cnt' && !OF_SECRETS.includes(key));
  return Object.fromEntries(keys.map((key) => [key, file[key]]));
}

/** A value without the fields that are as they always are; undefined if nothing is left. */
function withoutDefaults(value: unknown, usual: unknown): unknown {
  if (isSame(value, usual)) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = (usual ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(value).filter(([key, inner]) => !isSame(inner, fields[key])));
}

function asText(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
