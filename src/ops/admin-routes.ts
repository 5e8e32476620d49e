// The routes of the admin server: each with what it takes, what it answers and what it does. docs/admin.md is made from this table.

import type { z } from '../config/z.ts';
import { AdminError } from './admin-guard.ts';
import { adminPage } from './admin-page.ts';
import * as schema from './admin-schema.ts';
import { levelNames, parseLevel, type Level } from './levels.ts';
import { metricsContentType, renderMetrics } from './metrics.ts';
import type { NodeStatus } from './snapshot.ts';

/** What the manager gives the admin server. Promises that take longer than the deadline of a request are given up. */
export interface AdminSource {
  /** Configuration keys of all limits, for the metrics. */
  readonly limits: readonly string[];
  /** At once, from what is known: probes do not wait for workers. */
  readiness(): schema.Readiness;
  /** With counts asked of the workers now; the last known ones of a worker that does not answer. */
  status(): Promise<NodeStatus>;
  connections(limit: number): Promise<schema.ConnectionView[]>;
  members(): Promise<schema.MembersReply>;
  links(): Promise<schema.LinkView[]>;
  routes(): Promise<schema.RouteView[]>;
  /** Undefined if no worker of the cluster has the user. */
  session(user: string): Promise<schema.SessionView | undefined>;
  /** With secrets masked. */
  config(): object;
  /** Throws AdminError 409 when the node cannot. */
  setWorkers(count: number, generation?: number): Promise<schema.WorkersReply>;
  /** Throws AdminError 400 for what is no option, 409 for what can not be changed now. */
  setSettings(config: Readonly<Record<string, unknown>>, generation?: number): Promise<schema.SettingsReply>;
  drain(how: schema.DrainRequest): Promise<schema.DrainReply>;
  setLogLevel(level: Level): Promise<schema.LogLevelReply>;
}

/** Longest user id, as everywhere in the cluster. */
const MAX_USER = 256;

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  body: object | string;
}

export interface Route {
  method: 'GET' | 'POST';
  /** Its last part may stand for any text, as in /sessions/:user. */
  path: string;
  help: string;
  /** Parameter in the address. */
  query?: { name: string; help: string };
  request?: z.ZodType;
  /** Absent where text is answered. */
  reply?: z.ZodType;
  /** `name` is what the last part of the path stands for. */
  run: (source: AdminSource, input: { query: URLSearchParams; body: unknown; name: string }) => Answer | Promise<Answer>;
}

export const adminRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/',
    help: 'A page for people: live numbers and what there is.',
    run: () => ({ status: 200, headers: adminPage.headers, body: adminPage.html }),
  },
  {
    method: 'GET',
    path: '/livez',
    help: 'Whether the manager is alive; for liveness probes.',
    reply: schema.liveSchema,
    run: () => ok({ live: true }),
  },
  {
    method: 'GET',
    path: '/readyz',
    help: 'Whether the node takes new connections: 200, or 503 with the reasons; for readiness probes.',
    reply: schema.readinessSchema,
    run: (source) => {
      const readiness = source.readiness();
      return { status: readiness.ready ? 200 : 503, body: readiness };
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    help: 'All metrics of the node in the text format of Prometheus; docs/metrics.md describes them.',
    run: async (source) => ({
      status: 200,
      headers: { 'content-type': metricsContentType },
      body: await renderMetrics(await source.status(), source.limits),
    }),
  },
  {
    method: 'GET',
    path: '/status',
    help: 'The node and its workers with their counts.',
    reply: schema.nodeStatusSchema,
    run: async (source) => ok(await source.status()),
  },
  {
    method: 'GET',
    path: '/connections',
    help: 'Connections being served.',
    query: { name: 'limit', help: `the most to list, 1 to ${schema.MAX_CONNECTIONS_LISTED}; 100 without it` },
    reply: schema.connectionsSchema,
    run: async (source, { query }) => {
      const limit = schema.limitSchema.safeParse(query.get('limit') ?? undefined);
      if (limit.success) return ok({ connections: await source.connections(limit.data) });
      throw new AdminError(400, `limit "${query.get('limit')}" is not a whole number from 1 to ${schema.MAX_CONNECTIONS_LISTED}`);
    },
  },
  {
    method: 'GET',
    path: '/members',
    help: 'The nodes of the cluster as this one knows them.',
    reply: schema.membersSchema,
    run: async (source) => ok(await source.members()),
  },
  {
    method: 'GET',
    path: '/links',
    help: 'The links between the workers of this node and those of the others.',
    reply: schema.linksSchema,
    run: async (source) => ok({ links: await source.links() }),
  },
  {
    method: 'GET',
    path: '/routes',
    help: 'The commands that other nodes answer: which, how they were answered, and how their keys are shared out.',
    reply: schema.routesSchema,
    run: async (source) => ok({ routes: await source.routes() }),
  },
  {
    method: 'GET',
    path: '/sessions/:user',
    help: 'Where a user is connected; 404 if nowhere.',
    reply: schema.sessionSchema,
    run: async (source, { name: user }) => {
      if (user === '' || Buffer.byteLength(user) > MAX_USER) throw new AdminError(400, `a user id has 1 to ${MAX_USER} bytes`);
      const session = await source.session(user);
      if (session === undefined) throw new AdminError(404, `user "${user}" is not connected to any node that answers`);
      return ok(session);
    },
  },
  {
    method: 'GET',
    path: '/config',
    help: 'The configuration in effect, secrets masked.',
    reply: schema.configSchema,
    run: (source) => ok(source.config()),
  },
  post({
    path: '/workers',
    help: 'Changes how many workers there are; no connection is closed.',
    request: schema.workersRequestSchema,
    reply: schema.workersReplySchema,
    run: async (source, { count, generation }) => ok(await source.setWorkers(count, generation)),
  }),
  post({
    path: '/settings',
    help: 'Changes options while the node runs, as an edited configuration that is read again. 409 if one of them needs a new process: then nothing is changed.',
    request: schema.settingsRequestSchema,
    reply: schema.settingsReplySchema,
    run: async (source, { config, generation }) => ok(await source.setSettings(config, generation)),
  }),
  post({
    path: '/drain',
    help: 'Accepts nothing more, lets replies in flight leave and closes idle connections at a pace; then the node ends. Answers at once, with 202.',
    request: schema.drainRequestSchema,
    reply: schema.drainReplySchema,
    run: async (source, how) => ({ status: 202, body: await source.drain(how) }),
  }),
  post({
    path: '/loglevel',
    help: 'Changes the log level of the manager and all workers until the node ends or its configuration is read again.',
    request: schema.logLevelRequestSchema,
    reply: schema.logLevelReplySchema,
    run: async (source, { level: name }) => {
      const level = parseLevel(name);
      if (level === undefined) throw new AdminError(400, `log level "${name}" is not one of ${levelNames.join(', ')}`);
      return ok(await source.setLogLevel(level));
    },
  }),
];

function ok(body: object): Answer {
  return { status: 200, body };
}

interface Post<Request extends z.ZodType> {
  path: string;
  help: string;
  request: Request;
  reply: z.ZodType;
  run: (source: AdminSource, body: z.output<Request>) => Promise<Answer>;
}

/** The server has checked the body against `request` before a route runs. */
function post<Request extends z.ZodType>({ run, ...route }: Post<Request>): Route {
  return { method: 'POST', ...route, run: (source, { body }) => run(source, body as z.output<Request>) };
}
