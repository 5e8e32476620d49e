// What a node tells about itself: the manager's side of the admin server.

import { printConfig } from '../config/print.ts';
import type { CloseReason } from '../errors.ts';
import { AdminError } from '../ops/admin-guard.ts';
import type { AdminSource } from '../ops/admin-routes.ts';
import type { ConnectionView } from '../ops/admin-schema.ts';
import type { NodeStatus } from '../ops/snapshot.ts';
import type { FromWorker } from './channel.ts';
import { clusterSource, clusterStatus, lostDirectories } from './cluster-status.ts';
import { LIMIT_KEYS } from './limits.ts';
import type { Manager } from './manager.ts';

/** What the manager itself counts. */
export interface ManagerCounts {
  accepted: number;
  refused: Partial<Record<CloseReason, number>>;
  passes: number;
  limits: Record<string, number>;
}

/** A worker that does not answer within this is shown as last heard. */
const ANSWER_MS = 500;

type Reported = Extract<FromWorker, { type: 'report' }>;
type Listed = Extract<FromWorker, { type: 'connections' }>;

export function adminSource(manager: Manager): AdminSource {
  const { pool } = manager;
  return {
    limits: LIMIT_KEYS,

    readiness() {
      const reasons = manager.problems();
      return { ready: reasons.length === 0, state: manager.state, reasons, details: lostDirectories(manager) };
    },

    async status() {
      await pool.ask<Reported>((ask) => ({ type: 'report', ask }), ANSWER_MS);
      return nodeStatus(manager);
    },

    async connections(limit) {
      const answers = await pool.ask<Listed>((ask) => ({ type: 'connections', ask, limit }), ANSWER_MS);
      const all = answers.flatMap(({ worker, answer }): ConnectionView[] =>
        answer.connections.map((c) => ({ ...c, worker: worker.index })),
      );
      return all.slice(0, limit);
    },

    ...clusterSource(manager),

    config: () => printConfig(manager.config),

    async setWorkers(count) {
      if (manager.state !== 'serving')
        throw new AdminError(409, `the node is ${manager.state}; workers can be changed while it is serving`);
      const was = pool.count;
      await manager.setWorkers(count);
      return { count, was };
    },

    drain() {
      const connections = pool.book.total().connections;
      // whoever asked is answered at once; how far it is stands in /status
      manager.drain().catch((error: unknown) => manager.log.error('drain failed', { err: error }));
      return Promise.resolve({ state: manager.state, connections, drainMs: manager.config.drain_ms });
    },

    setLogLevel(level) {
      const was = manager.log.level;
      manager.setLogLevel(level);
      return Promise.resolve({ level, was });
    },
  };
}

/** From what the workers reported last. */
export function nodeStatus(manager: Manager): NodeStatus {
  const { config, counts, pool } = manager;
  const cpu = process.cpuUsage();
  const reasons = manager.problems();
  const totals = pool.book.total();
  return {
    name: config.server_name,
    type: config.node_type,
    version: manager.version,
    pid: process.pid,
    startedAt: manager.startedAt.toISOString(),
    state: manager.state,
    ready: reasons.length === 0,
    reasons,
    listeners: manager.listeners(),
    workers: pool.status(),
    totals,
    manager: {
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      loopLagSeconds: manager.loopLagSeconds,
      accepted: counts.accepted,
      refused: Object.fromEntries(Object.entries(counts.refused)),
      passes: counts.passes,
      passQueue: manager.waiting + pool.living.reduce((sum, worker) => sum + worker.passing, 0),
      limits: { ...counts.limits },
    },
    cluster: clusterStatus(manager, totals),
  };
}
