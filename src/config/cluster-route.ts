// spec.gate.routes of a KimCluster: what other nodes answer. Every value has one type there, which a node's file takes more loosely.

import { FIELD, FIRST_COMMAND, NO_TIME, rangeText, routeFields } from './route-kind.ts';
import { LAST_COMMAND, type RouteConfig, type RouteKey } from './route.ts';
import { allowedOnly, hinted, ruled } from './rules.ts';
import { listOf, object, text } from './shapes.ts';
import type { z } from './z.ts';

const COMMANDS = /^[1-9]\d{3,9}(-([1-9]\d{3,9})?)?$/;
const KEY = /^(session|user|data|field:.+)$/;
const { to, key, timeout_ms, retry, rate } = routeFields;

const commands = `commands from ${FIRST_COMMAND} to ${LAST_COMMAND} as a text: "1001", "1000-1999" or "1000-" (and all above)`;
const keys = 'session, user, data or field:NAME';

function rangeOf(written: string): { first: number; last: number } {
  const [first = '', last] = written.split('-');
  return { first: Number(first), last: last === undefined ? Number(first) : last === '' ? LAST_COMMAND : Number(last) };
}

const first = "int(self.split('-')[0])";
const last = `(!self.contains('-') ? ${first} : self.endsWith('-') ? ${LAST_COMMAND} : int(self.split('-')[1]))`;

const message = object({
  proto: text('a .proto file', { max: 500 }).meta({ description: 'Your .proto file, relative to the folder of modules.' }),
  type: text('a message like shop.Order', { max: 200 }).meta({ description: 'The message in it, as shop.Order.' }),
});

const written = ruled(
  object({
    commands: hinted(
      text(commands, { max: 21, pattern: COMMANDS }).refine(
        (range) => rangeOf(range).first <= rangeOf(range).last && rangeOf(range).last <= LAST_COMMAND,
        { error: commands },
      ),
      { rules: [{ rule: `${first} <= ${last} && ${last} <= ${LAST_COMMAND}`, message: allowedOnly(commands) }] },
    ).meta({
      description: 'Commands that are relayed: "1001", "1000-1999", or "1000-" for all above too. No command may stand in two routes.',
    }),
    to: hinted(to.kind.written, {
      rules: [
        {
          rule: "self != 'gate'",
          message: 'to is the type of the gates themselves, so requests would go round in circles; name another type',
        },
      ],
    }).meta({ description: to.doc }),
    key: hinted(text(keys, { max: 200, pattern: KEY }), { default: 'session' })
      .default('session')
      .meta({ description: `${key.doc} One of ${keys}, with message for a field of a protobuf message.` }),
    message: message
      .optional()
      .meta({ description: 'The protobuf message that the field of key is in; without it the data are a JSON object.' }),
    timeout: timeout_ms.kind.written
      .optional()
      .meta({ description: 'Time in which the answer must be there, or the client gets code 18; without it links.timeoutMs.' }),
    retry: hinted(retry.kind.written, { default: retry.default }).default('ifNotSent').meta({ description: retry.doc }),
    rate: rate.kind.written.default(0).meta({ description: rate.doc }),
  }),
  [
    {
      rule: `!has(self.message) || self.key.startsWith('${FIELD}')`,
      message: 'message needs a key of that message; write key: field:NAME, or remove message',
      holds: (given) => given.message === undefined || given.key.startsWith(FIELD),
    },
  ],
);

const route = written
  .transform(({ commands: range, key: text, message: inside, timeout = NO_TIME, ...rest }): RouteConfig => {
    return { ...rangeOf(range), key: keyOf(text, inside), timeoutMs: timeout, ...rest };
  })
  .meta({ description: 'Commands that other nodes answer.' });

function keyOf(written: string, inside: z.output<typeof message> | undefined): RouteKey {
  if (!written.startsWith(FIELD)) return { from: written as 'session' | 'user' | 'data' };
  const field = written.slice(FIELD.length);
  return { from: 'field', field, ...(inside !== undefined && { proto: { file: inside.proto, type: inside.type } }) };
}

const ends = (self: string) =>
  `[int(${self}.split('-')[0]), !${self}.contains('-') ? int(${self}) : ${self}.endsWith('-') ? ${LAST_COMMAND} : int(${self}.split('-')[1])]`;

/** Rules for all routes together; that none overlaps is found for files by the rules of nodes, which name the two. */
export const routes = hinted(listOf(route, 'routes', 100), {
  rules: [
    {
      rule: `[self.map(route, ${ends('route.commands')})].all(ranges, ranges.all(a, a[0] > a[1] || ranges.exists_one(b, a[0] <= b[1] && b[0] <= a[1])))`,
      message: 'commands of two routes overlap; each command can go to one node type only',
    },
  ],
});

/** A route as a KimCluster holds it. */
export function writtenRoute({
  first: from,
  last: until,
  to: type,
  key: { from: source, ...more },
  timeoutMs,
  retry: again,
  rate: most,
}: RouteConfig): object {
  const { field, proto } = more as Partial<Extract<RouteKey, { from: 'field' }>>;
  return {
    commands: rangeText({ first: from, last: until }),
    to: type,
    key: field === undefined ? source : FIELD + field,
    ...(proto !== undefined && { message: { proto: proto.file, type: proto.type } }),
    ...(timeoutMs !== NO_TIME && { timeout: timeoutMs }),
    retry: again,
    rate: most,
  };
}
