// Routes: how they are written in a node's file and in a KimCluster, and what is refused.

import assert from 'node:assert/strict';
import test from 'node:test';
import { kimClusterSchema } from '../../../src/config/cluster.ts';
import { nodeFileOf, printCluster } from '../../../src/config/print.ts';
import { nodeConfigOf } from '../../../src/config/tiers.ts';
import { cluster, clusterProblems, FIRST_LINE, messagesOf, parse, problemsOf } from './support.ts';
import { parseNodeConfig } from '../../../src/config/node-config.ts';

const known = { directory_path: '/members' };
const routesOf = (routes: unknown, more = {}) => parse({ ...known, routes, ...more }).config.routes;
const gate = '  gate:\n    listeners: [{ port: 3355 }]\n';

test('a route needs commands and a node type; the rest has defaults', () => {
  assert.deepEqual(routesOf([{ commands: '1000-1999', to: 'logic' }]), [
    { first: 1000, last: 1999, to: 'logic', key: { from: 'session' }, timeoutMs: 3000, retry: 'ifNotSent', rate: 0 },
  ]);
  assert.deepEqual(messagesOf({ routes: [{ key: 'data' }] }), [
    'routes[0].commands is missing; it takes commands from 1000 to 4294967295, as 1001, "1000-1999" or "1000-" (and all above)',
    'routes[0].to is missing; it takes 1 to 100 characters without "/" and control characters',
  ]);
});

test('commands are one number, a range, or everything from a number up', () => {
  const rows: [unknown, number, number][] = [
    [1001, 1001, 1001],
    ['1001', 1001, 1001],
    ['1000-1999', 1000, 1999],
    [' 1000 - 1999 ', 1000, 1999],
    ['1000-', 1000, 0xffffffff],
    ['4294967295', 0xffffffff, 0xffffffff],
  ];
  for (const [commands, first, last] of rows) {
    const [route] = routesOf([{ commands, to: 'logic' }]);
    assert.deepEqual([route?.first, route?.last], [first, last], String(commands));
  }
});

test('commands that no client may send, or that are no range, are refused', () => {
  for (const commands of [999, '21-22', '0-', '2000-1000', '1000-2000-3000', 'all', '', -1, 1.5, '4294967296', true, [1000]]) {
    const shown = Array.isArray(commands) ? 'a list' : JSON.stringify(commands);
    assert.deepEqual(messagesOf({ ...known, routes: [{ commands, to: 'logic' }] }), [
      `routes[0].commands is ${shown}; allowed: commands from 1000 to 4294967295, as 1001, "1000-1999" or "1000-" (and all above)`,
    ]);
  }
});

test('a key is the session, the user, the data, or a field of JSON or of a message', () => {
  const rows: [unknown, unknown][] = [
    ['session', { from: 'session' }],
    ['user', { from: 'user' }],
    ['data', { from: 'data' }],
    ['field:room', { from: 'field', field: 'room' }],
    [{ field: 'room' }, { from: 'field', field: 'room' }],
    [
      { field: 'room', proto: 'shop.proto', type: 'shop.Order' },
      { from: 'field', field: 'room', proto: { file: 'shop.proto', type: 'shop.Order' } },
    ],
  ];
  for (const [key, read] of rows) assert.deepEqual(routesOf([{ commands: 1001, to: 'logic', key }])[0]?.key, read);
  for (const key of [
    'sesion',
    'field:',
    {},
    { field: '' },
    { field: 'a', proto: 'b' },
    { field: 'a', type: 'b' },
    { field: 'a', x: 1 },
    7,
  ]) {
    const [message = '', ...others] = messagesOf({ ...known, routes: [{ commands: 1001, to: 'logic', key }] });
    assert.match(
      message,
      /^routes\[0\]\.key is .*; allowed: session, user, data, field:NAME \(of a JSON object\), or \{ field, proto, type \}/,
    );
    assert.deepEqual(others, []);
  }
});

test('time, retry and rate are judged, and unknown keys are reported', () => {
  const [route] = routesOf([{ commands: 1001, to: 'logic', timeout_ms: '5s', retry: 'IDEMPOTENT', rate: '100' }]);
  assert.deepEqual([route?.timeoutMs, route?.retry, route?.rate], [5000, 'idempotent', 100]);
  assert.deepEqual(messagesOf({ ...known, routes: [{ commands: 1001, to: '', timeout_ms: 0, retry: 'always', rate: -1 }] }), [
    'routes[0].to is ""; allowed: 1 to 100 characters without "/" and control characters',
    'routes[0].timeout_ms is 0; allowed: milliseconds from 1 to 86400000 (24h), or a text like 30s',
    'routes[0].retry is "always"; allowed: never, ifNotSent, idempotent',
    'routes[0].rate is -1; allowed: whole numbers from 0 (off) to 1000000000',
  ]);
  const { unknown } = parse({ ...known, routes: [{ commands: 1001, to: 'logic', timeout: 1 }] });
  assert.deepEqual(unknown, [{ key: 'routes[0].timeout', nearest: 'routes[0].timeout_ms' }]);
});

test('a route without a time has that of all links', () => {
  const [first, second] = routesOf(
    [
      { commands: 1001, to: 'a' },
      { commands: 1003, to: 'b', timeout_ms: 1 },
    ],
    { link_timeout_ms: '7s' },
  );
  assert.deepEqual([first?.timeoutMs, second?.timeoutMs], [7000, 1]);
});

test('what is no list of routes is refused', () => {
  for (const routes of [7, { commands: 1001, to: 'logic' }]) {
    assert.match(messagesOf({ ...known, routes })[0] ?? '', /^routes is .*; allowed: a list of routes \(at most 100\)$/);
  }
  assert.deepEqual(messagesOf({ ...known, routes: ['1000-'] }), [
    'routes[0] is a text that is not a JSON object; allowed: an object with commands, to, key, timeout_ms, retry, rate',
  ]);
});

test('routes come from the environment as JSON', () => {
  assert.equal(routesOf('[{"commands":"1000-","to":"logic"}]').length, 1);
  assert.equal(routesOf('{"commands":"1000-","to":"logic"}').length, 1);
  assert.match(messagesOf({ ...known, routes: '[{' })[0] ?? '', /^routes is "\[\{"; allowed: a list of routes/);
});

test('a command in two routes is refused, and names both', () => {
  const routes = [
    { commands: '1000-1999', to: 'logic' },
    { commands: 2001, to: 'shop' },
    { commands: '1999-2000', to: 'shop' },
  ];
  assert.deepEqual(
    problemsOf(() => parse({ ...known, routes })),
    [
      {
        path: 'routes[2].commands',
        message: 'routes[2].commands is 1999-2000 and overlaps with 1000-1999 of routes[0]; each command can go to one node type only',
      },
    ],
  );
});

test('a node that relays to its own type is refused', () => {
  assert.deepEqual(messagesOf({ ...known, routes: [{ commands: '1000-', to: 'gate' }] }), [
    'routes[0].to is "gate", the type of the node itself, so requests would go round in circles; name another type',
  ]);
});

test('routes of a node that knows nobody are worth a note', () => {
  const { notes } = parse({ routes: [{ commands: '1000-', to: 'logic' }] });
  assert.deepEqual(notes, ['routes are given, but the node knows no other nodes; set zookeeper, directory_path or members']);
});

test('module_gate of the original is a route of everything to the logic nodes by the data', () => {
  const { config, notes } = parse({ ...known, modules: ['module_test.so', 'module_gate.so'] });
  assert.deepEqual(config.modules, ['module_test.so']);
  assert.deepEqual(config.routes, [
    { first: 1000, last: 0xffffffff, to: 'logic', key: { from: 'data' }, timeoutMs: 3000, retry: 'never', rate: 0 },
  ]);
  assert.deepEqual(notes, []);
  const routed = parse({ ...known, modules: ['gate'], routes: [{ commands: 1001, to: 'shop' }] }).config;
  assert.deepEqual([routed.modules, routed.routes.map(({ to }) => to)], [[], ['shop']], 'routes that are given say it better');
});

test('a configuration with routes is written and read back the same', () => {
  const { config } = parse({
    ...known,
    members: [{ type: 'logic', host: 'h', port: 1 }],
    routes: [
      { commands: 1001, to: 'a', key: 'user', rate: 3 },
      { commands: '1003-1004', to: 'b', key: 'field:x', retry: 'never' },
      { commands: '2000-', to: 'b', key: { field: 'x', proto: 'p', type: 't' }, timeout_ms: 9 },
    ],
  });
  const file = nodeFileOf(config);
  assert.deepEqual(
    (file['routes'] as { commands: unknown }[]).map(({ commands }) => commands),
    ['1001', '1003-1004', '2000-'],
  );
  const again = parseNodeConfig(JSON.parse(JSON.stringify(file)), 'again.json');
  assert.deepEqual([again.config, again.notes, again.unknown], [config, [], []]);
});

test('a KimCluster writes the same routes, with "timeout"', () => {
  const { cluster: parsed, notes } = cluster(
    `${gate}    routes:\n      - { commands: 1000-1999, to: logic, key: session, timeout: 2s, retry: idempotent, rate: 5 }\n      - { commands: 2000-, to: logic, key: 'field:id', message: { proto: ./shop.proto, type: shop.Order } }\n  logic: {}\n`,
  );
  assert.deepEqual(notes, []);
  assert.deepEqual(nodeConfigOf(parsed, 'gate', 1, '/base').routes, [
    { first: 1000, last: 1999, to: 'logic', key: { from: 'session' }, timeoutMs: 2000, retry: 'idempotent', rate: 5 },
    {
      first: 2000,
      last: 0xffffffff,
      to: 'logic',
      key: { from: 'field', field: 'id', proto: { file: '/base/shop.proto', type: 'shop.Order' } },
      timeoutMs: 3000,
      retry: 'ifNotSent',
      rate: 0,
    },
  ]);
  assert.deepEqual(nodeConfigOf(parsed, 'logic', 0, '/base').routes, []);
});

test('a KimCluster is printed as it may be written', () => {
  const { cluster: parsed } = cluster(
    `${gate}    admin: { port: none }\n    routes:\n      - { commands: 1000-1999, to: logic, key: 'field:id', timeout: 2s }\n      - { commands: 2000-, to: logic, key: 'field:id', message: { proto: p, type: t } }\n  logic: {}\n`,
  );
  const { spec, ...rest } = printCluster(parsed) as { spec: object };
  assert.deepEqual(kimClusterSchema.parse(JSON.parse(JSON.stringify({ ...rest, spec }))), parsed);
});

test('gates before logic nodes relay everything by the session, unless routes are given', () => {
  const routes = (spec: string) => nodeConfigOf(cluster(spec).cluster, 'gate', 0, '/').routes.map(({ first, key }) => [first, key.from]);
  assert.deepEqual(routes(`${gate}  logic: {}\n`), [[1000, 'session']]);
  assert.deepEqual(routes(`${gate}    modules: [gate]\n  logic: {}\n`), [[1000, 'data']]);
  assert.deepEqual(routes(`${gate}    routes: []\n  logic: {}\n`), []);
  assert.deepEqual(routes(gate), []);
});

test('wrong routes of a KimCluster are refused with their line', () => {
  const at = FIRST_LINE + 3;
  const rows: [string, string][] = [
    [
      '{ commands: 10, to: logic }',
      'spec.gate.routes[0].commands is 10; allowed: commands from 1000 to 4294967295 as a text: "1001", "1000-1999" or "1000-" (and all above)',
    ],
    [
      '{ commands: 2000-1999, to: logic }',
      'spec.gate.routes[0].commands is "2000-1999"; allowed: commands from 1000 to 4294967295 as a text: "1001", "1000-1999" or "1000-" (and all above)',
    ],
    [
      '{ commands: 1000-, to: logic, message: { proto: p, type: t } }',
      'spec.gate.routes[0]: message needs a key of that message; write key: field:NAME, or remove message',
    ],
    ['{ commands: 1000-, to: logic, key: room }', 'spec.gate.routes[0].key is "room"; allowed: session, user, data or field:NAME'],
    [
      '{ commands: 1000-, to: logic, timeout: 3 hours }',
      'spec.gate.routes[0].timeout is "3 hours"; allowed: milliseconds from 1 to 86400000 (24h), or a text like 30s',
    ],
    ['{ commands: 1000-, to: logic, retry: often }', 'spec.gate.routes[0].retry is "often"; allowed: never, ifNotSent, idempotent'],
    ['{ commands: 1000-, to: logic, rate: -1 }', 'spec.gate.routes[0].rate is -1; allowed: whole numbers from 0 (off) to 1000000000'],
    ['{ commands: 1000-, to: logic, timout: 3s }', 'unknown key "timout" in spec.gate.routes[0]; did you mean "timeout"'],
    ['{ commands: 1000- }', 'spec.gate.routes[0].to is missing; it takes 1 to 100 characters without "/" and control characters'],
    ['1000-', 'spec.gate.routes[0] is "1000-"; allowed: an object with commands, to, key, message, timeout, retry, rate'],
    [
      '{ commands: 1000-, to: gate }',
      'spec.gate.routes[0].to is "gate", the type of the node itself, so requests would go round in circles; name another type',
    ],
  ];
  for (const [route, message] of rows) {
    assert.deepEqual(clusterProblems(`${gate}    routes:\n      - ${route}\n  logic: {}\n`), [`${at}: ${message}`]);
  }
  assert.deepEqual(
    clusterProblems(`${gate}    routes:\n      - { commands: 1000-, to: logic }\n      - { commands: '1001', to: logic }\n  logic: {}\n`),
    [
      `${at + 1}: spec.gate.routes[1].commands is 1001 and overlaps with 1000- of spec.gate.routes[0]; each command can go to one node type only`,
    ],
  );
  assert.deepEqual(clusterProblems(`${gate}    routes: all\n  logic: {}\n`), [
    `${at - 1}: spec.gate.routes is "all"; allowed: a list of routes (at most 100)`,
  ]);
});

test('a route to nodes that the cluster does not run is worth a note', () => {
  assert.deepEqual(cluster(`${gate}    routes: [{ commands: 1000-, to: shop }]\n`).notes, [
    'spec.gate.routes[0].to is "shop", of which this cluster runs no nodes; others must announce themselves in the same directory',
  ]);
});
