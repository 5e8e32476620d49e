// What a KimCluster becomes on one machine: one process tree for each node. Pure; the same plan in small that Kubernetes gets.

import { compareConfigs, type Change } from '../../config/changes.ts';
import type { KimCluster } from '../../config/cluster.ts';
import type { NodeConfig } from '../../config/node-config.ts';
import { nodeConfigOf, tiersOf } from '../../config/tiers.ts';

/** A port that a node accepts on. It stays open while nodes come and go, and several may accept on it. */
export interface Port {
  kind: 'gate' | 'node' | 'admin';
  host: string;
  /** 0 for any free one. */
  port: number;
  /** Two ports of one key are the same one. */
  key: string;
}

/** A node that should run. */
export interface Workload {
  name: string;
  config: NodeConfig;
  /** For clients first the one that all gates share, then its own. */
  ports: Port[];
}

/** What has to be done about one node. */
export type Action =
  | { kind: 'start'; workload: Workload }
  | { kind: 'stop'; workload: Workload }
  /** All changes can be made inside the running processes; no connection is closed. */
  | { kind: 'change'; workload: Workload; changes: Change[] }
  /** At least one change needs a new process; the old one drains. */
  | { kind: 'replace'; workload: Workload; changes: Change[] };

/** The nodes of a cluster, logic before gates. `baseDir` is the folder of its file, from which relative paths start. */
export function workloads(cluster: KimCluster, baseDir: string): Workload[] {
  return tiersOf(cluster).flatMap((tier) => {
    const replicas = cluster.spec[tier]?.replicas ?? 0;
    return Array.from({ length: replicas }, (_, replica) => {
      const config = nodeConfigOf(cluster, tier, replica, baseDir);
      return { name: config.server_name, config, ports: portsOf(cluster, config, replica) };
    });
  });
}

function portsOf({ spec, metadata }: KimCluster, config: NodeConfig, replica: number): Port[] {
  const { server_name, gate_host, gate_port, node_host, node_port, admin_host, admin_port } = config;
  const own = (kind: Port['kind'], host: string, port: number, owner = server_name): Port => ({
    kind,
    host,
    port,
    key: port === 0 ? `${owner} ${kind}` : `${host}:${port}`,
  });
  const shared = spec.gate.listeners[0]?.port ?? 0;
  return [
    ...(gate_host === '' ? [] : [own('gate', gate_host, shared, metadata.name)]),
    ...(gate_host === '' || replica === 0 ? [] : [own('gate', gate_host, gate_port)]),
    ...(node_host === '' ? [] : [own('node', node_host, node_port)]),
    ...(admin_port === null ? [] : [own('admin', admin_host, admin_port)]),
  ];
}

/** From what runs to what should run: what leaves goes last, so that there is always somebody to take over. */
export function plan(running: readonly Workload[], wanted: readonly Workload[]): Action[] {
  const before = new Map(running.map((workload) => [workload.name, workload]));
  const after = new Set(wanted.map(({ name }) => name));
  const actions = wanted.flatMap((workload): Action[] => {
    const old = before.get(workload.name);
    if (old === undefined) return [{ kind: 'start', workload }];
    const changes = compareConfigs(old.config, workload.config);
    if (changes.length === 0) return [];
    return [{ kind: changes.some(({ apply }) => apply === 'restart') ? 'replace' : 'change', workload, changes }];
  });
  const leaving = running.filter(({ name }) => !after.has(name)).reverse();
  return [...actions, ...leaving.map((workload): Action => ({ kind: 'stop', workload }))];
}
