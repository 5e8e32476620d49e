// The cluster as one node sees it, in JSON: what workers count of it, what /status says, and what /members, /links, /routes and /sessions answer.

import { z } from '../config/z.ts';
import { bindResults, greetResults, locatorResults, pushResults, spreadResults, type ClusterStats } from './cluster-stats.ts';
import { count, instant, repliesSchema } from './count-schema.ts';

const each = <const Names extends readonly [string, ...string[]]>(names: Names) => z.record(z.enum(names), count);

const linkStatsSchema = z.object({
  up: count.describe('opened from here, and up'),
  incoming: count.describe('opened by workers of kimserver nodes'),
  inFlight: count.describe('requests sent and not yet answered'),
  waiting: count.describe('requests that wait to be sent'),
  opened: count,
  reopened: count.describe('opened again after they had been lost'),
  lost: count,
  failed: count.describe('attempts to open one that failed'),
});

/** What workers count of the cluster (`ops/cluster-stats.ts`). */
export const clusterStatsSchema = z.object({
  links: linkStatsSchema,
  leftAlone: count.describe('nodes that the breaker leaves alone now; of several workers the largest number'),
  remoteSessions: count.describe('sessions of clients of gates that are served here'),
  users: count.describe('users whose clients are connected here'),
  lostSessions: count.describe('sessions that are kept for clients that lost their connections'),
  breakerOpened: count.describe('how often the breaker began to leave a node alone'),
  pushes: each(pushResults).describe('messages to one user that were sent from here, by result'),
  spreads: each(spreadResults).describe('messages to groups and to everybody, each client counted; failed: workers that did not answer'),
  locator: each(locatorResults).describe('where users are: found in the cache, not found in it, and asked for'),
  binds: each(bindResults).describe('logins by result'),
  greetings: each(greetResults).describe('clients that began with HELLO, what became of their sessions, and how many were asked to move'),
}) satisfies z.ZodType<ClusterStats>;

const share = z.number().min(0).max(1);
const nodeState = z.enum(['serving', 'draining']);
const source = z.string().describe('the directory that it was read from');
const nodeId = z.string().describe('address of its node and number of the worker, as in 10.0.0.7:3344.2');

const routeShape = {
  route: z.string().describe('its name, as in metrics'),
  commands: z.string(),
  to: z.string().describe('type of the nodes that answer'),
  key: z.string().describe('what decides which worker is asked'),
  timeoutMs: count,
  retry: z.enum(['never', 'ifNotSent', 'idempotent']),
  rate: count.describe('requests per second that each worker relays at most; 0 for any number'),
};

export const directorySchema = z.object({
  name: z.string(),
  state: z.enum(['connecting', 'up', 'down']),
  detail: z.string().describe('what is wrong, or where it is connected'),
});

export const clusterStatusSchema = z
  .object({
    members: z
      .array(z.object({ type: z.string(), source, state: nodeState, nodes: count, workers: count }))
      .describe('how many there are, itself included; GET /members has each'),
    version: count.describe('goes up with each change of the members'),
    directories: z.array(directorySchema).describe('none for a node that is alone'),
    announced: z.boolean().describe('whether its own record was read back from a directory, once'),
    links: linkStatsSchema.describe('of all workers; GET /links has each'),
    routes: z.array(z.object(routeShape)).describe('their counts are in `totals.routes`'),
  })
  .describe('the cluster as this node sees it');
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;

export const memberSchema = z.object({
  address: z.string().describe('where other nodes connect'),
  type: z.string(),
  name: z.string().describe('its server_name'),
  workers: count,
  state: nodeState.describe('a draining node gets no new sessions'),
  kind: z.enum(['ours', 'original', 'unknown']).describe('unknown: known from a list in the configuration alone'),
  source,
  activeSince: instant.describe('when it announced itself; ISO 8601, UTC'),
  isSelf: z.boolean(),
  leftAloneBy: z.array(count).describe('numbers of the workers here whose breaker leaves it alone'),
  version: z.string().optional().describe('of kimserver nodes'),
  connections: count.optional().describe('clients that it serves, told now and then'),
  gate: z.string().optional().describe('where clients reach it'),
});
export type MemberView = z.infer<typeof memberSchema>;
export const membersSchema = z.object({ version: count.describe('goes up with each change'), members: z.array(memberSchema) });
export type MembersReply = z.infer<typeof membersSchema>;

export const linkSchema = z.object({
  worker: z.number().int().describe('number of the worker here'),
  peer: nodeId.describe('node id of the worker at the other end'),
  type: z.string().describe('node type of the other end; empty if it is not known'),
  direction: z.enum(['outgoing', 'incoming']).describe('who opened it; both ends use it'),
  kind: z.enum(['ours', 'original', 'unknown']).describe('unknown until it was up once'),
  state: z.enum(['idle', 'connecting', 'asking', 'telling', 'up', 'pausing', 'closed']),
  inFlight: count.describe('requests not yet answered; of an incoming one those that are being handled'),
  waiting: count.describe('requests that wait to be sent'),
  opened: count.describe('how often it has been up'),
  leftAlone: z.boolean().describe('the breaker leaves its node alone'),
});
export type LinkView = z.infer<typeof linkSchema>;
export const linksSchema = z.object({ links: z.array(linkSchema) });

export const routeSchema = z.object({
  ...routeShape,
  ...repliesSchema.shape,
  shares: z
    .record(z.string(), share)
    .describe('the part of all keys that each worker gets now, by node id, as worker 1 sees it or another one that serves'),
});
export type RouteView = z.infer<typeof routeSchema>;
export const routesSchema = z.object({ routes: z.array(routeSchema) });

export const sessionSchema = z.object({
  user: z.string(),
  node: nodeId.describe('node id of the worker that has the client'),
  isHere: z.boolean().describe('false: another node has it, whose admin server knows the rest'),
  session: z.string().optional(),
  remote: z.string().optional().describe('address and port of the client'),
  since: instant.optional().describe('when it connected; ISO 8601, UTC'),
});
export type SessionView = z.infer<typeof sessionSchema>;
