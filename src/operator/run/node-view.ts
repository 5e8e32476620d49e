// What a node says of itself, as the plan sees it. It comes from a pod, which may run anything: only what has the right shape is believed.

import { z } from '../../config/z.ts';
import { nodeStates } from '../../ops/snapshot.ts';
import type { NodeView } from '../plan/types.ts';

/** Codes of replies that say that something of ours failed, not the request. */
const FAILURES = ['1', '14', '15', '16', '18', '20'];
/** Ends of connections that nobody meant. */
const BROKEN = ['reset', 'memory', 'worker'] as const;
/** Options are lists of objects at most; what is much deeper is no configuration. */
const MAX_DEPTH = 16;

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const commands = z.record(z.string(), z.object({ codes: counts }));

const statusSchema = z.object({
  name: z.string(),
  state: z.enum(nodeStates),
  version: z.string().max(100),
  workers: z.array(z.object({ index: count, state: z.string() })).max(4096),
  totals: z.object({
    connections: count,
    accepted: count,
    closed: counts,
    limits: counts,
    commands,
    routes: commands,
    cluster: z.object({ links: z.object({ incoming: count }), greetings: z.object({ asked: count }) }),
  }),
  cluster: z.object({ directories: z.array(z.object({ name: z.string().max(40), state: z.string() })).max(16) }),
  configDigest: z.string().max(64).optional(),
});
type Said = z.output<typeof statusSchema>;

const configSchema = z.record(z.string(), z.unknown()).refine((config) => isFlat(config, MAX_DEPTH));

/** Of an answer to /status. Throws for what is none of the node of that name: another one may have its address by now. */
export function saidBy(name: string, answer: unknown): Said {
  const status = statusSchema.parse(answer);
  if (status.name !== name) throw new Error(`it is ${status.name}`);
  return status;
}

/** Of an answer to /config. Throws for what is none. */
export function configOf(answer: unknown): NodeView['config'] {
  return configSchema.parse(answer);
}

export function viewOf(status: Said, config: NodeView['config']): NodeView {
  const { totals } = status;
  const codes = [...Object.values(totals.commands), ...Object.values(totals.routes)].flatMap((replies) => Object.entries(replies.codes));
  const { drain: ended = 0 } = totals.closed;
  const { drain_ms: forced = 0 } = totals.limits;
  return {
    state: status.state,
    connections: totals.connections,
    links: totals.cluster.links.incoming,
    workers: new Set(status.workers.filter(({ state }) => state !== 'leaving').map(({ index }) => index)).size,
    version: status.version,
    config,
    configDigest: status.configDigest,
    replies: sum(codes.map(([, n]) => n)),
    failures: sum(codes.map(([code, n]) => (FAILURES.includes(code) ? n : 0))),
    accepted: totals.accepted,
    broken: sum(BROKEN.map((reason) => totals.closed[reason] ?? 0)),
    left: { moved: Math.max(0, totals.cluster.greetings.asked - forced), closed: Math.max(0, ended - forced), forced },
    lostDirectories: status.cluster.directories.filter(({ state }) => state === 'down').map((directory) => directory.name),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function isFlat(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isFlat(inner, depth - 1));
}
