// What the admin server takes and answers, in one place for the server, the command line and the documents.

import { z } from '../config/z.ts';
import { levelNames, levels } from './levels.ts';
import { nodeStates } from './snapshot.ts';

export * from './cluster-schema.ts';
export { nodeStatusSchema, type NodeStatus } from './snapshot.ts';

/** The most connections that one answer lists. */
export const MAX_CONNECTIONS_LISTED = 10_000;
/** The most workers that can be asked for, as worker_cnt. */
const MAX_WORKERS = 512;

export const errorSchema = z.object({
  error: z.string().describe('one sentence'),
  routes: z.array(z.string()).optional().describe('what there is, when something else was asked for'),
});

export const liveSchema = z.object({ live: z.literal(true) });

export const readinessSchema = z.object({
  ready: z.boolean(),
  state: z.enum(nodeStates),
  reasons: z.array(z.string()).describe('why it is not ready'),
  details: z.array(z.string()).describe('what else is wrong, such as a directory that is lost; the node is ready all the same'),
});
export type Readiness = z.infer<typeof readinessSchema>;

export const connectionSchema = z.object({
  id: z.string(),
  worker: z.number().int().describe('number of the worker that serves it'),
  remote: z.string().describe('address and port of the other end'),
  user: z.string().optional().describe('user id, once known'),
  since: z.iso.datetime().describe('when it was accepted'),
  idleMs: z.number().describe('how long nothing came'),
  requests: z.number().int(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  inFlight: z.number().int().describe('requests not yet answered'),
  outgoing: z.number().describe('bytes that the kernel has not taken yet'),
  paused: z.boolean().describe('not read for now because of a limit'),
});
export type ConnectionView = z.infer<typeof connectionSchema>;
export const connectionsSchema = z.object({ connections: z.array(connectionSchema) });
export const limitSchema = z.coerce.number().int().min(1).max(MAX_CONNECTIONS_LISTED).default(100);

export const configSchema = z.record(z.string(), z.unknown()).describe('the configuration in effect, secrets masked');

const generation = z.number().int().min(0).optional().describe('of what is wanted: an older one than the last is refused with 409');

export const settingsRequestSchema = z.strictObject({
  config: z.record(z.string(), z.unknown()).describe('options as in the configuration file, those that shall change'),
  generation,
});
export const settingsReplySchema = z.object({
  changes: z.array(
    z.object({ key: z.string(), from: z.unknown(), to: z.unknown(), apply: z.enum(['live', 'roll']).describe('roll: by new workers') }),
  ),
});
export type SettingsReply = z.infer<typeof settingsReplySchema>;

export const workersRequestSchema = z.strictObject({
  count: z.number().int().min(1).max(MAX_WORKERS).describe('how many workers there shall be'),
  generation,
});
export const workersReplySchema = z.object({
  count: z.number().int().describe('how many there shall be now; GET /status shows them come and go'),
  was: z.number().int(),
});
export type WorkersReply = z.infer<typeof workersReplySchema>;

export const drainRequestSchema = z.strictObject({
  seconds: z.number().min(0).max(86_400).optional().describe('how long what is in flight has; without it drain_ms'),
  perSecond: z
    .number()
    .min(1)
    .max(1e9)
    .optional()
    .describe('connections that other nodes can take in each second; without it as many as those of its type that it knows can'),
  stay: z
    .boolean()
    .optional()
    .describe('the process does not end when nobody is left, but waits for SIGTERM: for pods, which would be started again'),
});
export type DrainRequest = z.infer<typeof drainRequestSchema>;
export const drainReplySchema = z.object({
  state: z.enum(nodeStates),
  connections: z.number().int().describe('connections still open'),
  drainMs: z.number().describe('how long they have'),
});
export type DrainReply = z.infer<typeof drainReplySchema>;

export const logLevelRequestSchema = z.strictObject({ level: z.string().describe(`one of ${levelNames.join(', ')}`) });
export const logLevelReplySchema = z.object({ level: z.enum(levels), was: z.enum(levels) });
export type LogLevelReply = z.infer<typeof logLevelReplySchema>;
