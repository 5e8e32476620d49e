// Comparing two configurations, and printing one.

import assert from 'node:assert/strict';
import test from 'node:test';
import { compareConfigs } from '../../../src/config/changes.ts';
import { parseNodeConfig, withDefaults } from '../../../src/config/node-config.ts';
import { optionKeys, optionOf } from '../../../src/config/options.ts';
import { nodeFileOf, printConfig } from '../../../src/config/print.ts';
import { parse } from './support.ts';

const stores = (password: string) => ({
  redis: { a: { host: 'h' } },
  database: { nodes: { shop: { host: 'h', user: 'u', password }, open: { host: 'h', user: 'u' } } },
});

test('equal configurations have no changes, also when their keys stand in another order', () => {
  const a = parse({ redis: { x: { host: 'x' }, y: { host: 'y' } } }).config;
  const b = parse({ redis: { y: { host: 'y' }, x: { host: 'x' } } }).config;
  assert.deepEqual(compareConfigs(a, b), []);
});

test('a change says from what, to what, and what it takes', () => {
  const old = parse({ worker_cnt: 2, modules: ['test'] }).config;
  const next = parse({ worker_cnt: 4, modules: ['test', 'echo'], gate_port: 3356, admin_port: false, log_level: 'debug' }).config;
  assert.deepEqual(compareConfigs(old, next), [
    { key: 'worker_cnt', from: 2, to: 4, apply: 'live' },
    { key: 'modules', from: ['test'], to: ['test', 'echo'], apply: 'roll' },
    { key: 'gate_port', from: 3355, to: 3356, apply: 'restart' },
    { key: 'admin_port', from: 9355, to: false, apply: 'restart' },
    { key: 'log_level', from: 'info', to: 'debug', apply: 'live' },
  ]);
});

test('the order of modules is a change', () => {
  const changes = compareConfigs(parse({ modules: ['a', 'b'] }).config, parse({ modules: ['b', 'a'] }).config);
  assert.deepEqual(
    changes.map(({ key }) => key),
    ['modules'],
  );
});

test('a changed password is a change that shows neither', () => {
  const changes = compareConfigs(parse(stores('hunter2')).config, parse(stores('hunter3')).config);
  assert.equal(changes.length, 1);
  assert.deepEqual(changes[0]?.from, changes[0]?.to);
  assert.ok(!JSON.stringify(changes).includes('hunter'));
});

test('limits and supervision are live, code and codec roll, sockets and names need a new process', () => {
  const by = Map.groupBy(optionKeys, (key) => optionOf(key).apply);
  assert.deepEqual(by.get('roll'), ['modules', 'gate_codec', 'routes', 'relay_in_flight', 'redis', 'database']);
  assert.deepEqual(by.get('restart'), [
    'server_name',
    'node_type',
    'gate_host',
    'gate_port',
    'is_reuseport',
    'node_host',
    'node_port',
    'admin_host',
    'admin_port',
    'admin_public_key',
    'log_path',
    'discovery',
    'directory_path',
    'kubernetes_selector',
    'kubernetes_namespace',
    'members',
    'watch_types',
    'zookeeper',
  ]);
});

test('a printed configuration masks passwords and nothing else', () => {
  const { config } = parse(stores('hunter2'));
  const printed = printConfig(config);
  assert.deepEqual(printed['database'], {
    ...config.database,
    nodes: { shop: { ...config.database.nodes['shop'], password: '***' }, open: config.database.nodes['open'] },
  });
  assert.deepEqual([printed['redis'], printed['worker_cnt']], [config.redis, 1]);
  assert.equal(config.database.nodes['shop']?.password, 'hunter2', 'the configuration itself is untouched');
});

test('a configuration written as a file is read back the same, without notes', () => {
  const configs = [
    parse().config,
    parse({ ...stores('p'), admin_port: false, keep_alive: 0.5, log_level: 'crit', zookeeper: { is_open: true, servers: 's', root: '/k' } })
      .config,
    ...[1, 500, 999, 1000, 9999, 10_000, 90_000].map((keep_alive) =>
      withDefaults({ node_type: 'logic', node_host: 'h', node_port: 0, keep_alive }),
    ),
  ];
  for (const config of configs) {
    const { notes, unknown, config: again } = parseNodeConfig(JSON.parse(JSON.stringify(nodeFileOf(config))), 'x');
    assert.deepEqual(again, config);
    assert.deepEqual([notes, unknown], [[], []]);
  }
});
