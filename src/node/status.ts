// What a node tells about itself: the manager's side of the admin server.

import { compareConfigs } from '../config/changes.ts';
import { ConfigError } from '../config/error.ts';
import { parseNodeConfig, type NodeConfig } from '../config/node-config.ts';
import { optionKeys } from '../config/options.ts';
import { configDigest, nodeFileOf, printConfig } from '../config/print.ts';
import type { CloseReason } from '../errors.ts';
import { AdminError } from '../ops/admin-guard.ts';
import type { AdminSource } from '../ops/admin-routes.ts';
import type { ConnectionView } from '../ops/admin-schema.ts';
import { readPublicKey } from '../ops/admin-token.ts';
import type { AdminTokens } from '../ops/admin.ts';
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
  let newest = -1;
  /** What was wanted before what has been done already must not undo it. */
  const judge = (generation = newest): void => {
    if (generation < newest) throw new AdminError(409, `generation ${generation} is older than ${newest}, which has been applied`);
    newest = generation;
  };
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

    async setWorkers(count, generation) {
      if (manager.state !== 'serving')
        throw new AdminError(409, `the node is ${manager.state}; workers can be changed while it is serving`);
      judge(generation);
      const was = pool.count;
      await manager.setWorkers(count);
      return { count, was };
    },

    async setSettings(settings, generation) {
      if (manager.state !== 'serving')
        throw new AdminError(409, `the node is ${manager.state}; options can be changed while it is serving`);
      const next = settingsOf(manager.config, settings);
      const lasting = compareConfigs(manager.config, next).filter(({ apply }) => apply === 'restart');
      if (lasting.length > 0) {
        throw new AdminError(409, `${lasting.map(({ key }) => key).join(', ')} can not be changed in a running node; start a new one`);
      }
      judge(generation);
      const changes = await manager.reload(next);
      return { changes: changes.map(({ key, from, to, apply }) => ({ key, from, to, apply: apply as 'live' | 'roll' })) };
    },

    drain({ seconds, stay = false, perSecond }) {
      const connections = pool.book.total().connections;
      // whoever asked is answered at once; how far it is stands in /status
      const drainMs = seconds === undefined ? manager.config.drain_ms : Math.round(seconds * 1000);
      manager.drain({ stays: stay, ms: drainMs, perSecond }).catch((error: unknown) => manager.log.error('drain failed', { err: error }));
      return Promise.resolve({ state: manager.state, connections, drainMs });
    },

    setLogLevel(level) {
      const was = manager.log.level;
      manager.setLogLevel(level);
      return Promise.resolve({ level, was });
    },
  };
}

/** Who may change something from elsewhere. Throws one sentence. */
export function tokensOf({ server_name: node, node_host: host, admin_public_key: text }: NodeConfig): AdminTokens | undefined {
  if (text === '') return undefined;
  try {
    return { node, host, publicKey: readPublicKey(text) };
  } catch (error) {
    throw new Error(`admin_public_key is no public key: ${(error as Error).message}; it is Ed25519 in base64 (DER, SPKI)`, {
      cause: error,
    });
  }
}

/** The configuration with some options changed. Throws AdminError 400. */
function settingsOf(config: NodeConfig, settings: Readonly<Record<string, unknown>>): NodeConfig {
  const stranger = Object.keys(settings).find((key) => !(optionKeys as readonly string[]).includes(key));
  if (stranger !== undefined) throw new AdminError(400, `"${stranger}" is no option; see docs/configuration.md`);
  try {
    return parseNodeConfig({ ...nodeFileOf(config), ...settings }, 'settings').config;
  } catch (error) {
    if (error instanceof ConfigError) throw new AdminError(400, error.message);
    throw error;
  }
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
    configDigest: configDigest(config),
  };
}
