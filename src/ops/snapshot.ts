// A whole node as its manager knows it: what /status answers, what /metrics is made of and what "kim status" shows.

import { z } from '../config/z.ts';
import { clusterStatsSchema, clusterStatusSchema } from './cluster-schema.ts';
import { amount, count, counts, instant, repliesSchema } from './count-schema.ts';
import type { StatsSnapshot } from './stats.ts';

/** What workers count (`ops/stats.ts`), as it looks in JSON. */
export const statsSchema = z
  .object({
    connections: count,
    inFlight: count.describe('requests not yet answered'),
    outgoingBytes: amount.describe('bytes that the kernel has not taken yet'),
    heldBytes: amount.describe('bytes of frames that are unfinished or not yet handled'),
    rssBytes: amount,
    loopLagSeconds: amount.describe('longest delay of the event loop in the last second'),
    paused: count.describe('connections that are not read for now because of a limit'),
    cpuSeconds: amount,
    accepted: count.describe('new connections taken'),
    adopted: count.describe('connections taken over from another worker'),
    handedOver: count.describe('connections given to another worker'),
    closed: counts.describe('by reason'),
    refused: counts.describe('by reason'),
    framesIn: count,
    framesOut: count,
    bytesIn: amount,
    bytesOut: amount,
    limits: counts.describe('how often each limit took effect, by its configuration key'),
    commands: z.record(z.string(), repliesSchema).describe('answered here, by command number: replies by code, latency histogram'),
    routes: z.record(z.string(), repliesSchema).describe('relayed to other nodes, by the name of the route: likewise'),
    cluster: clusterStatsSchema,
  })
  .describe('counters and gauges') satisfies z.ZodType<StatsSnapshot>;

export const nodeStates = ['starting', 'serving', 'draining', 'stopping'] as const;
export type NodeState = (typeof nodeStates)[number];
/** `held`: it died at once again and again and is not started for a while. */
export const workerStates = ['starting', 'serving', 'leaving', 'held'] as const;
export type WorkerState = (typeof workerStates)[number];

export const listenerSchema = z.object({
  name: z.string(),
  host: z.string(),
  port: z.number().int().min(1).max(65535),
  codec: z.string().describe('dialect of the clients'),
  kind: z.enum(['gate', 'node']).describe('clients connect to a gate port, other nodes to a node port'),
});
export type ListenerStatus = z.infer<typeof listenerSchema>;

export const workerSchema = z.object({
  index: z.number().int().min(1).describe('number of the worker'),
  pid: count.describe('0 while there is no process'),
  incarnation: count.describe('which process of this number it is, from 1'),
  state: z.enum(workerStates),
  since: instant.describe('when it came into this state'),
  restarts: count.describe('how often it was started again after it died'),
  lastExit: z.string().optional().describe('why the process before this one ended'),
  stats: statsSchema.describe('what all processes of this number counted'),
});
export type WorkerStatus = z.infer<typeof workerSchema>;

export const managerSchema = z.object({
  rssBytes: amount,
  cpuSeconds: amount,
  loopLagSeconds: amount,
  accepted: count.describe('connections accepted, to be passed to workers'),
  refused: counts.describe('connections closed at once, by reason'),
  passes: count.describe('connections passed to a worker'),
  passQueue: count.describe('connections accepted and not yet taken by a worker'),
  limits: counts.describe('how often each limit took effect in the manager, by its configuration key'),
});

export const nodeStatusSchema = z.object({
  name: z.string().describe('server_name'),
  type: z.string().describe('node_type'),
  version: z.string(),
  pid: count,
  startedAt: instant,
  state: z.enum(nodeStates),
  ready: z.boolean(),
  reasons: z.array(z.string()).describe('why it is not ready'),
  listeners: z.array(listenerSchema),
  workers: z.array(workerSchema),
  totals: statsSchema.describe('all workers, those that ended included'),
  manager: managerSchema,
  cluster: clusterStatusSchema,
  configDigest: z.string().describe('another one when /config answers something else: whoever asks often need not read it each time'),
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
