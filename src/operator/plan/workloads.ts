// What a KimCluster becomes on one machine: one process tree for each node. Pure; the same plan in small that Kubernetes gets.

import { compareConfigs, type Change } from '../../config/changes.ts';
import type { KimCluster } from '../../config/cluster.ts';
import type { NodeConfig } from '../../config/node-config.ts';
import { nodeConfigOf, tiersOf } from '../../config/tiers.ts';

/** A node that should run. */
export interface Workload {
  name: string;
  config: NodeConfig;
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
      return { name: config.server_name, config };
    });
  });
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
