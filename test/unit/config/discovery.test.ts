// Where nodes find each other: the options of a node, and spec.discovery of a KimCluster.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import test from 'node:test';
import { compareConfigs } from '../../../src/config/changes.ts';
import { knownTypes } from '../../../src/config/discovery.ts';
import { printCluster, printConfig } from '../../../src/config/print.ts';
import { nodeConfigOf } from '../../../src/config/tiers.ts';
import { cluster, clusterProblems, FIRST_LINE, messagesOf, parse, problemsOf } from './support.ts';

const zookeeper = { is_open: true, servers: 'zk:2181', root: '/kim' };
const members = [{ type: 'logic', host: '10.0.0.7', port: 4344, workers: 2 }];
const gate = '  gate:\n    listeners: [{ port: 3355 }]\n';
const after = FIRST_LINE + 2;

test('the directories are those that are configured, in their order, or those that are named', () => {
  const rows: [Record<string, unknown>, string[]][] = [
    [{}, []],
    [{ zookeeper: { ...zookeeper, is_open: false } }, []],
    [{ members, directory_path: '/m', zookeeper }, ['zookeeper', 'file', 'static']],
    [{ directory_path: '/m', zookeeper, discovery: ['file', 'zookeeper'] }, ['file', 'zookeeper']],
    [{ directory_path: '/m', zookeeper, discovery: 'file, ZooKeeper' }, ['file', 'zookeeper']],
    [{ zookeeper, discovery: [] }, ['zookeeper']],
  ];
  for (const [more, found] of rows) assert.deepEqual(parse(more).config.discovery, found);
});

test('a directory that lacks what it needs, is not known, or is named twice is refused', () => {
  const rows: [Record<string, unknown>, string, string][] = [
    [{ discovery: ['file'] }, 'discovery[0]', 'discovery names file, but directory_path is empty; give the folder that the nodes share'],
    [
      { discovery: ['zookeeper'] },
      'discovery[0]',
      'discovery names zookeeper, but zookeeper is not open; set is_open, servers and root in it',
    ],
    [
      { directory_path: '/m', discovery: ['file', 'static'] },
      'discovery[1]',
      'discovery names static, but members is empty; list the other nodes there',
    ],
    [{ directory_path: '/m', discovery: ['file', 'file'] }, 'discovery[1]', 'discovery names file twice; name each directory once'],
    [
      { discovery: ['kubernetes'] },
      'discovery[0]',
      'discovery names kubernetes, but kubernetes_selector is empty; give the labels of the EndpointSlices of the nodes',
    ],
    [{ discovery: ['etcd'] }, 'discovery[0]', 'discovery[0] is "etcd"; allowed: zookeeper, kubernetes, file, static'],
  ];
  for (const [more, path, message] of rows)
    assert.deepEqual(
      problemsOf(() => parse(more)),
      [{ path, message }],
    );
});

test('a directory that is configured and left out is worth a note', () => {
  assert.deepEqual(parse({ directory_path: '/m', members, discovery: ['file'] }).notes, [
    'discovery leaves out static, though members is set; it is not used',
  ]);
});

test('static members are judged one by one', () => {
  assert.deepEqual(parse({ members: [{ type: 'logic', host: 'h', port: '4344' }] }).config.members, [
    { type: 'logic', host: 'h', port: 4344, workers: 1 },
  ]);
  assert.deepEqual(messagesOf({ members: [{ host: 'h:1', port: 0, workers: 0 }, 7] }), [
    'members[0].type is missing; it takes 1 to 100 characters without "/" and control characters',
    'members[0].host is "h:1"; allowed: a host name or address without port',
    'members[0].port is 0; allowed: ports from 1 to 65535',
    'members[0].workers is 0; allowed: whole numbers from 1 to 512',
    'members[1] is 7; allowed: an object with type, host, port, workers',
  ]);
});

test('a node knows the types that it is told, its own and those of its routes', () => {
  const known = (more: Record<string, unknown>) => knownTypes(parse({ directory_path: '/m', ...more }).config);
  assert.deepEqual(known({}), ['gate', 'logic']);
  assert.deepEqual(known({ node_type: 'edge' }), ['gate', 'logic', 'edge']);
  assert.deepEqual(known({ routes: [{ commands: 1001, to: 'shop' }] }), ['gate', 'logic', 'shop']);
  assert.deepEqual(known({ zookeeper: { watch_node_type: ['logic'] } }), ['logic', 'gate']);
  assert.deepEqual(known({ zookeeper: { watch_node_type: ['logic'] }, watch_types: 'a,b', routes: [{ commands: 1001, to: 'a' }] }), [
    'a',
    'b',
    'gate',
  ]);
});

test('the login of ZooKeeper is never shown, and an owner needs one', () => {
  const { config } = parse({ zookeeper: { ...zookeeper, auth: 'kim:hunter2', acl: 'Creator' } });
  assert.deepEqual([config.zookeeper.auth, config.zookeeper.acl], ['kim:hunter2', 'creator']);
  assert.ok(!JSON.stringify(printConfig(config)).includes('hunter2'));
  assert.deepEqual(messagesOf({ zookeeper: { ...zookeeper, acl: 'creator' } }), [
    'zookeeper.acl is "creator" without auth, so nobody would be the creator; give auth, or take "open"',
  ]);
  const [message = ''] = messagesOf({ zookeeper: { ...zookeeper, auth: 'hunter2' } });
  assert.equal(message, 'zookeeper.auth is ***; allowed: user:password');
});

test('the advertised address has a port', () => {
  assert.equal(parse({ gate_advertise: 'kim.example.com:3355' }).config.gate_advertise, 'kim.example.com:3355');
  assert.deepEqual(messagesOf({ gate_advertise: 'kim.example.com' }), [
    'gate_advertise is "kim.example.com"; allowed: an address like gate.example.com:3355',
  ]);
});

function found(discovery: string, tier: 'gate' | 'logic' = 'gate') {
  const { cluster: parsed, notes } = cluster(`${gate}${discovery}`);
  const { discovery: names, directory_path, zookeeper: zk, members: fixed } = nodeConfigOf(parsed, tier, 0, '/base');
  return { names, directory_path, servers: zk.servers, root: zk.root, timeout: zk.session_timeout_ms, fixed, notes };
}

const none = { servers: '', root: '', timeout: 10_000, fixed: [], notes: [] };
const folder = resolve('.kim/demo/members');

test('on one machine nodes find each other in a folder, also in place of a managed ZooKeeper', () => {
  const inFolder = { ...none, names: ['file'], directory_path: folder };
  assert.deepEqual(found(''), inFolder);
  assert.deepEqual(found('  discovery: {}\n'), inFolder);
  assert.deepEqual(found('  discovery: { zookeeper: { managed: { replicas: 3 } } }\n'), inFolder);
  assert.deepEqual(found('  discovery: { zookeeper: { managed: {} } }\n'), inFolder);
  assert.deepEqual(found('  discovery: { kubernetes: {} }\n'), {
    ...inFolder,
    notes: ['spec.discovery.kubernetes has no meaning on one machine and is ignored'],
  });
  assert.equal(found('  discovery: { file: { path: ../shared } }\n').directory_path, '/shared');
});

test('a ZooKeeper that is there is used, alone or before a folder', () => {
  assert.deepEqual(found('  discovery: { zookeeper: { hosts: "zk-0:2181,zk-1:2181", root: /shop/, sessionTimeoutMs: 5s } }\n'), {
    ...none,
    names: ['zookeeper'],
    directory_path: '',
    servers: 'zk-0:2181,zk-1:2181',
    root: '/shop',
    timeout: 5000,
  });
  const both = found('  discovery: { file: {}, zookeeper: { hosts: "zk:2181" } }\n');
  assert.deepEqual([both.names, both.root, both.directory_path], [['zookeeper', 'file'], '/kimserver', folder]);
});

test('the login of a ZooKeeper reaches the nodes of a KimCluster and is never shown', () => {
  const text = (login: string) => `${gate}  discovery: { zookeeper: { hosts: zk-0, ${login} } }\n`;
  const { cluster: parsed, notes } = cluster(text('auth: "kim:hunter:2", acl: creator'));
  const config = nodeConfigOf(parsed, 'gate', 0, '/base');
  assert.deepEqual([config.zookeeper.auth, config.zookeeper.acl, notes], ['kim:hunter:2', 'creator', []]);
  assert.deepEqual((printCluster(parsed) as typeof parsed).spec.discovery?.zookeeper, { hosts: 'zk-0', auth: '***', acl: 'creator' });
  assert.ok(!JSON.stringify(printConfig(config)).includes('hunter'));
  const [before] = [nodeConfigOf(cluster(text('root: /a')).cluster, 'gate', 0, '/base')];
  assert.ok(!JSON.stringify(compareConfigs(before, config)).includes('hunter'), 'nor in what has changed');
  for (const [login, message] of [
    [
      'acl: creator',
      'spec.discovery.zookeeper: acl is "creator" without auth, so nobody would be the creator; give auth or authSecret, or take "open"',
    ],
    ['auth: hunter2', 'spec.discovery.zookeeper.auth is ***; allowed: user:password'],
    ['auth: { user: hunter2 }', 'spec.discovery.zookeeper.auth is ***; allowed: user:password'],
    ['acl: mine, auth: "a:b"', 'spec.discovery.zookeeper.acl is "mine"; allowed: open, creator'],
  ] as const) {
    assert.deepEqual(clusterProblems(text(login)), [`${after}: ${message}`]);
  }
});

test('what only a ZooKeeper that is there can take is noted beside a managed one', () => {
  assert.deepEqual(found('  discovery: { zookeeper: { managed: {}, auth: "kim:hunter2", acl: creator } }\n').notes, [
    'spec.discovery.zookeeper.auth has no meaning on one machine and is ignored',
    'spec.discovery.zookeeper.acl has no meaning on one machine and is ignored',
  ]);
});

test('a list of nodes is a directory too', () => {
  const fixed = found('  discovery: { static: { members: [{ type: logic, host: h, port: 4344 }] } }\n');
  assert.deepEqual([fixed.names, fixed.fixed], [['static'], [{ type: 'logic', host: 'h', port: 4344, workers: 1 }]]);
});

test('a discovery that can not be is refused with its line', () => {
  const rows: [string, string][] = [
    [
      'zookeeper: { managed: {}, hosts: a }',
      'spec.discovery.zookeeper: both managed and hosts are given; name the hosts of a ZooKeeper that is there, or have one managed',
    ],
    [
      'zookeeper: {}',
      'spec.discovery.zookeeper: neither managed nor hosts is given; write managed: {} to have one run, or hosts: zk-0:2181',
    ],
    ['zookeeper: { managed: { replicas: 0 } }', 'spec.discovery.zookeeper.managed.replicas is 0; allowed: 1, 3 or 5'],
    ['zookeeper: { hosts: "" }', 'spec.discovery.zookeeper.hosts is ""; allowed: servers like zk-0:2181,zk-1:2181'],
    ['zookeeper: { hosts: a, root: kim }', 'spec.discovery.zookeeper.root is "kim"; allowed: a path like /kimserver'],
    ['zookeper: {}', 'unknown key "zookeper" in spec.discovery; did you mean "zookeeper"'],
    ['kubernetes: 1', 'spec.discovery.kubernetes is 1; allowed: {} (an object without keys)'],
    ['file: /m', 'spec.discovery.file is "/m"; allowed: an object with path'],
    [
      'static: { members: [] }',
      'spec.discovery.static.members is a list; allowed: a list of nodes, as [{ type: logic, host: 10.0.0.7, port: 4344, workers: 2 }]',
    ],
  ];
  for (const [text, message] of rows) assert.deepEqual(clusterProblems(`${gate}  discovery: { ${text} }\n`), [`${after}: ${message}`]);
});

test('links, sessions and the advertised address of a tier reach its nodes', () => {
  const { cluster: parsed } = cluster(
    '  gate:\n    listeners: [{ port: 3355, advertise: "kim.example.com:80" }]\n    limits: { relayInFlight: 8 }\n    links: { connectMs: 3s, breakerFailures: 2, maxFrame: 1MiB }\n    sessions: { secondLogin: refuse, resumeMs: 0 }\n',
  );
  const config = nodeConfigOf(parsed, 'gate', 1, '/');
  assert.deepEqual(
    [config.gate_advertise, config.relay_in_flight, config.link_connect_ms, config.breaker_failures, config.link_max_frame],
    ['kim.example.com:80', 8, 3000, 2, 1_048_576],
  );
  assert.deepEqual([config.second_login, config.resume_ms], ['refuse', 0]);
  assert.deepEqual(clusterProblems(`${gate}    links: { conectMs: 1 }\n`), [
    `${after}: unknown key "conectMs" in spec.gate.links; did you mean "connectMs"`,
  ]);
});

test('clients that have to move are told the port that all gates share, or what they dialled', () => {
  const advertised = (listener: string) =>
    nodeConfigOf(cluster(`  gate: { listeners: [{ ${listener} }] }\n`).cluster, 'gate', 2, '/').gate_advertise;
  assert.equal(advertised('port: 3355, host: 10.0.0.1'), '10.0.0.1:3355');
  assert.equal(advertised('port: 3355, host: "::1"'), '[::1]:3355');
  assert.equal(advertised('port: 3355, host: 0.0.0.0'), '');
  assert.equal(advertised('port: 0'), '');
});
