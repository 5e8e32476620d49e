// A node that starts from the ConfigMaps of its pod has exactly what the KimCluster says, so that the operator has nothing to tell it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { loadNodeConfig } from '../../../../src/config/load.ts';
import { printConfig } from '../../../../src/config/print.ts';
import type { NodeConfig } from '../../../../src/config/node-config.ts';
import type { Tier } from '../../../../src/config/cluster-schema.ts';
import { tiersOf } from '../../../../src/config/tiers.ts';
import { configMapsOf, CONFIG_FILE } from '../../../../src/operator/plan/config-maps.ts';
import { podConfigOf, settingsOf } from '../../../../src/operator/plan/pod-config.ts';
import { fileOf } from '../../config/support.ts';
import { kim, observed, operator } from './support.ts';

const OF_POD = { KIM_SERVER_NAME: 'demo-gate-abc', KIM_NODE_HOST: '10.1.2.3' };

const specs: Readonly<Record<string, string>> = {
  'a small cluster': '{ gate: { listeners: [{ port: 3355 }] }, logic: { modules: [test] } }',
  'external ZooKeeper with all its options':
    '{ gate: { listeners: [{ port: 3355 }] }, discovery: { zookeeper: { hosts: "zk:2181", root: /shop/, auth: "me:secret", acl: creator, sessionTimeoutMs: 20s } } }',
  'nodes that never change':
    '{ gate: { listeners: [{ port: 3355 }] }, discovery: { static: { members: [{ type: logic, host: 10.0.0.7, port: 4344, workers: 3 }] } } }',
  'much else': `
gate:
  workers: 4
  listeners: [{ name: play, port: 4000, codec: protobuf, advertise: "gate.example.com:4000" }]
  nodePort: 5000
  admin: { port: 6000 }
  modules: [./shop.ts, test]
  keepAlive: 1m
  logLevel: debug
  config: { isReuseport: true, watchTypes: [gate, logic, chat] }
  limits: { maxClients: 20000, acceptRate: 0, relayInFlight: 7, maxFrame: 1MiB }
  links: { connectMs: 2s, pool: 3 }
  sessions: { secondLogin: refuse, resumeMs: 0 }
  drain: { seconds: 1.5 }
  routes:
    - { commands: "1000-1999", to: logic, key: user, timeout: 5s, retry: idempotent, rate: 10 }
    - { commands: "2000-", to: chat, key: "field:room", message: { proto: shop.proto, type: shop.Order } }
logic: { modules: [echo], limits: { maxClients: 5 } }
discovery: { zookeeper: { managed: { replicas: 1 } } }
`,
};

for (const [name, spec] of Object.entries(specs)) {
  test(`a node starts as its KimCluster says: ${name}`, (t) => {
    const cluster = kim(spec);
    for (const tier of tiersOf(cluster)) {
      const wanted = podConfigOf(cluster, tier, operator);
      const { lasting, live } = configMapsOf(cluster, tier, observed());
      const file = fileOf(t, (live['data'] as Record<string, string>)[CONFIG_FILE]!, 'node.json');
      const env = { ...(lasting['data'] as Record<string, string>), ...OF_POD };
      const { config, unknown, notes } = loadNodeConfig(file, { env, strict: true });
      assert.deepEqual([unknown, notes], [[], []]);
      const expected: NodeConfig = { ...wanted, server_name: OF_POD.KIM_SERVER_NAME, node_host: OF_POD.KIM_NODE_HOST };
      assert.deepEqual(config, expected);
      const said = printConfig(config);
      for (const [key, value] of Object.entries(settingsOf(wanted))) assert.deepEqual(said[key], value, key);
    }
  });
}

test('an option that has its usual value is written nowhere, so that new options of a later version change no pod', () => {
  const cluster = kim('{ gate: { listeners: [{ port: 3355 }] }, discovery: { static: { members: [{ type: a, host: b, port: 1 }] } } }');
  const keys = (tier: Tier) => {
    const { lasting, live } = configMapsOf(cluster, tier, observed());
    return [
      Object.keys(lasting['data'] as object),
      Object.keys(JSON.parse((live['data'] as Record<string, string>)[CONFIG_FILE]!) as object),
    ];
  };
  assert.deepEqual(keys('gate'), [
    [
      'KIM_NODE_TYPE',
      'KIM_GATE_HOST',
      'KIM_GATE_PORT',
      'KIM_NODE_PORT',
      'KIM_ADMIN_HOST',
      'KIM_ADMIN_PORT',
      'KIM_ADMIN_PUBLIC_KEY',
      'KIM_DISCOVERY',
      'KIM_MEMBERS',
    ],
    ['node_type', 'worker_cnt', 'drain_ms'],
  ]);
});
