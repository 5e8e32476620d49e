// How a route is written: the range of its commands, its key, and the whole of it, in a node's file and in a KimCluster.

import { field, type Kind, type Place } from './field.ts';
import { group, objectOf } from './groups.ts';
import { choice, duration, leaf, name, whole } from './kinds.ts';
import { LAST_COMMAND, type RouteConfig, type RouteKey } from './route.ts';
import { z } from './z.ts';

/** Below are the commands of nodes and of the connection itself, which are never relayed. */
export const FIRST_COMMAND = 1000;
const MAX_RATE = 1_000_000_000;

interface Range {
  readonly first: number;
  readonly last: number;
}

const RANGE = /^\s*(\d{1,10})\s*(?:(-)\s*(\d{1,10})?\s*)?$/;

function parseRange(raw: unknown): unknown {
  const [found, first, dash, last] = RANGE.exec(typeof raw === 'number' ? String(raw) : typeof raw === 'string' ? raw : '') ?? [];
  if (found === undefined) return raw;
  return { first: Number(first), last: last !== undefined ? Number(last) : dash === undefined ? Number(first) : LAST_COMMAND };
}

/** The commands of a route as they are written: 1001, "1000-1999", or "1000-" for all above, too. */
export function rangeText({ first, last }: Range): string {
  return first === last ? String(first) : last === LAST_COMMAND ? `${first}-` : `${first}-${last}`;
}

/** What a route is called in logs, metrics and status. */
export function routeName(route: Pick<RouteConfig, 'first' | 'last' | 'to'>): string {
  return `${route.to} ${rangeText(route)}`;
}

function range(): Kind<Range> {
  const allowed = `commands from ${FIRST_COMMAND} to ${LAST_COMMAND}, as 1001, "1000-1999" or "1000-" (and all above)`;
  const number = z.int({ error: allowed }).min(FIRST_COMMAND, { error: allowed }).max(LAST_COMMAND, { error: allowed });
  const type = z
    .object({ first: number, last: number }, { error: allowed })
    .refine(({ first, last }) => first <= last, { error: allowed }) as unknown as z.ZodType<Range>;
  return leaf(
    { type, written: writtenAs(z.union([z.number(), z.string()], { error: allowed }), parseRange, type, allowed), allowed },
    parseRange,
  );
}

export const FIELD = 'field:';

function parseKey(raw: unknown): unknown {
  if (raw === 'session' || raw === 'user' || raw === 'data') return { from: raw };
  if (typeof raw === 'string' && raw.startsWith(FIELD)) return { from: 'field', field: raw.slice(FIELD.length) };
  const { field, proto, type, ...others } = objectOf(raw) ?? {};
  if (field === undefined || Object.keys(others).length > 0 || (proto === undefined) !== (type === undefined)) return raw;
  return { from: 'field', field, ...(proto !== undefined && { proto: { file: proto, type } }) };
}

/** A key as a file holds it. */
function keyText(key: RouteKey): unknown {
  if (key.from !== 'field') return key.from;
  return key.proto === undefined ? FIELD + key.field : { field: key.field, proto: key.proto.file, type: key.proto.type };
}

function routeKey(): Kind<RouteKey> {
  const allowed = 'session, user, data, field:NAME (of a JSON object), or { field, proto, type } (of a message of your .proto file)';
  const word = z.string({ error: allowed }).min(1, { error: allowed });
  const proto = z.object({ file: word, type: word }, { error: allowed });
  const type = z.union(
    [
      z.object({ from: z.enum(['session', 'user', 'data'], { error: allowed }) }),
      z.object({ from: z.literal('field'), field: word, proto: proto.optional() }),
    ],
    { error: allowed },
  ) as unknown as z.ZodType<RouteKey>;
  const object = z.strictObject({ field: word, proto: word.optional(), type: word.optional() });
  return leaf({ type, written: writtenAs(z.union([z.string(), object], { error: allowed }), parseKey, type, allowed), allowed }, parseKey);
}

/** What is written is turned into what the program keeps, and judged then; whatever is wrong gets the same sentence. */
function writtenAs<T>(input: z.ZodType, parse: (raw: unknown) => unknown, type: z.ZodType<T>, error: string): z.ZodType<T> {
  return input.transform((raw, context) => {
    const judged = type.safeParse(parse(raw));
    if (judged.success) return judged.data;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

/** Without a time of its own a route has that of all links, which is filled in when the whole configuration is known. */
export const NO_TIME = 0;

/** What there is to say about each part of a route. */
export const routeFields = {
  commands: field(range(), {
    doc: 'Commands that are relayed. No command may stand in two routes; what a module of the node answers is not relayed.',
  }),
  to: field(name(), { doc: 'Type of the nodes that answer: logic, or any other word that nodes call themselves.' }),
  key: field(routeKey(), {
    default: { from: 'session' },
    defaultText: 'session',
    doc: 'What decides which worker gets a request. session: all requests of a connection go to one worker; user: of a user, once a module has bound the connection to one; data and fields: equal ones go to one worker.',
  }),
  timeout_ms: field(duration(1), {
    default: NO_TIME,
    defaultText: 'link_timeout_ms',
    unit: 'ms',
    doc: 'Time in which the answer must be there, or the client gets code 18. Called timeout in a KimCluster.',
  }),
  retry: field(choice(['never', 'ifNotSent', 'idempotent'] as const), {
    default: 'ifNotSent',
    doc: 'When a request that failed is given to another node: never; ifNotSent: when it certainly reached nobody; idempotent: whenever there was no answer, so it may be handled twice.',
  }),
  rate: field(whole(0, MAX_RATE, { off: true }), {
    default: 0,
    unit: 'per second',
    doc: 'Requests each second that every worker of the node relays by this route; the others are answered with an error at once. 0 turns it off.',
  }),
} as const;

const inNode = group(routeFields);

interface Written {
  readonly commands: Range;
  readonly to: string;
  readonly key: RouteKey;
  readonly retry: RouteConfig['retry'];
  readonly rate: number;
}

function routeOf({ commands, to, key, retry, rate }: Written, timeoutMs: number): RouteConfig {
  return { ...commands, to, key, timeoutMs, retry, rate };
}

/** A route in a node's file, with the keys of the table; how a KimCluster writes it is in cluster-route.ts. */
export function route(): Kind<RouteConfig> {
  return {
    ...inNode,
    type: z.unknown() as z.ZodType<RouteConfig>,
    written: inNode.written as unknown as z.ZodType<RouteConfig>,
    inFile: routeText,
    read(raw: unknown, place: Place) {
      const given = inNode.read(raw, place);
      const isWhole = given !== undefined && Object.values(given).every((value) => value !== undefined);
      return isWhole ? routeOf(given, given.timeout_ms) : undefined;
    },
  };
}

/** A route as a node's file holds it. */
function routeText({ first, last, to, key, timeoutMs, retry, rate }: RouteConfig): object {
  const range = rangeText({ first, last });
  return { commands: range, to, key: keyText(key), ...(timeoutMs !== NO_TIME && { timeout_ms: timeoutMs }), retry, rate };
}

/** The routes with every time filled in. */
export function timed(routes: readonly RouteConfig[], defaultMs: number): readonly RouteConfig[] {
  return routes.map((one) => (one.timeoutMs === NO_TIME ? { ...one, timeoutMs: defaultMs } : one));
}

/** Everything that the node does not answer itself goes to the logic nodes. */
export function everythingToLogic(key: 'session' | 'data', retry: RouteConfig['retry']): RouteConfig {
  return { first: FIRST_COMMAND, last: LAST_COMMAND, to: 'logic', key: { from: key }, timeoutMs: NO_TIME, retry, rate: 0 };
}
