// From a KimCluster to the configuration of each node.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import test from 'node:test';
import { camel, limitOptions } from '../../../src/config/limit-options.ts';
import { withDefaults } from '../../../src/config/node-config.ts';
import { everythingToLogic } from '../../../src/config/route-kind.ts';
import { nodeConfigOf, tiersOf } from '../../../src/config/tiers.ts';
import { cluster } from './support.ts';

const demo = cluster('  gate:\n    workers: 2\n    listeners: [{ port: 3355 }]\n    replicas: 3\n  logic: { modules: [test] }\n').cluster;

test('a gate has its name, the listener and the node port, and all defaults', () => {
  assert.deepEqual(
    nodeConfigOf(demo, 'gate', 0, '/base'),
    withDefaults({
      server_name: 'demo-gate-0',
      node_type: 'gate',
      worker_cnt: 2,
      gate_host: '127.0.0.1',
      gate_port: 3355,
      node_host: '127.0.0.1',
      node_port: 3344,
      admin_port: 9355,
      gate_advertise: '127.0.0.1:3355',
      directory_path: resolve('.kim/demo/members'),
      routes: [everythingToLogic('session', 'ifNotSent')],
    }),
  );
});

test('a logic node has no clients and begins at its own node port', () => {
  const config = nodeConfigOf(demo, 'logic', 1, '/base');
  assert.deepEqual(
    [config.server_name, config.node_type, config.gate_host, config.node_port, config.admin_port, config.modules],
    ['demo-logic-1', 'logic', '', 4345, 10_345, ['test']],
  );
});

test('replica n listens n ports further up, but any free port stays any free port', () => {
  const third = nodeConfigOf(demo, 'gate', 2, '/base');
  assert.deepEqual([third.gate_port, third.node_port, third.admin_port], [3357, 3346, 9357]);
  const free = cluster('  gate: { replicas: 2, nodePort: 0, admin: { port: 0 }, listeners: [{ port: 0 }] }\n').cluster;
  const second = nodeConfigOf(free, 'gate', 1, '/base');
  assert.deepEqual([second.gate_port, second.node_port, second.admin_port], [0, 0, 0]);
  const given = cluster('  gate: { replicas: 2, admin: { host: "::1", port: 8000 }, listeners: [{ port: 1 }] }\n').cluster;
  assert.deepEqual([nodeConfigOf(given, 'gate', 1, '/').admin_port, nodeConfigOf(given, 'gate', 1, '/').admin_host], [8001, '::1']);
  const none = cluster('  gate: { admin: { port: none }, listeners: [{ port: 1 }] }\n').cluster;
  assert.equal(nodeConfigOf(none, 'gate', 0, '/').admin_port, null);
});

test('what a tier says reaches the node', () => {
  const { cluster: all } = cluster(
    '  gate: { listeners: [{ port: 1 }], nodeHost: 10.0.0.1, logLevel: notice, keepAlive: 500ms, drain: { seconds: 0.5 } }\n',
  );
  const config = nodeConfigOf(all, 'gate', 0, '/');
  assert.deepEqual([config.node_host, config.log_level, config.keep_alive, config.drain_ms], ['10.0.0.1', 'info', 500, 500]);
});

test('every limit reaches the node under its own key', () => {
  for (const [key, { default: value }] of Object.entries(limitOptions)) {
    const name = camel(key);
    // One more or less than the default stays within every rule.
    const other = (value ?? 0) + (key === 'restart_max_ms' || key === 'outgoing_burst' || key === 'worker_memory' ? 1 : -1);
    const { cluster: one } = cluster(`  gate:\n    listeners: [{ port: 3355 }]\n    limits: { ${name}: ${other} }\n`);
    const config = nodeConfigOf(one, 'gate', 0, '/');
    assert.equal(config[key as keyof typeof limitOptions], other, key);
  }
});

test('modules that are files are found from the folder of modules, else from the file of the cluster', () => {
  const modules = 'modules: [test, hello.ts, ./a.js, sub/b, ../c.mjs, /abs/d.ts, module_test.so]';
  const plain = cluster(`  gate: { listeners: [{ port: 1 }], ${modules} }\n`).cluster;
  assert.deepEqual(nodeConfigOf(plain, 'gate', 0, '/base').modules, [
    'test',
    '/base/hello.ts',
    '/base/a.js',
    '/base/sub/b',
    '/c.mjs',
    '/abs/d.ts',
    'module_test.so',
  ]);
  const folder = cluster(`  modules: { folder: mods }\n  gate: { listeners: [{ port: 1 }], ${modules} }\n`).cluster;
  assert.deepEqual(nodeConfigOf(folder, 'gate', 0, '/base').modules.slice(0, 3), ['test', '/base/mods/hello.ts', '/base/mods/a.js']);
});

test('logic nodes start before gates, and a tier that is not there is refused', () => {
  assert.deepEqual(tiersOf(demo), ['logic', 'gate']);
  const { cluster: gates } = cluster('  gate: { listeners: [{ port: 1 }] }\n');
  assert.deepEqual(tiersOf(gates), ['gate']);
  assert.throws(() => nodeConfigOf(gates, 'logic', 0, '/'), /KimCluster demo has no logic nodes/);
});
