// The shapes that configurations had in the history of the originals.

import assert from 'node:assert/strict';
import test from 'node:test';
import { loadNodeConfig } from '../../../src/config/load.ts';
import { messagesOf, parse } from './support.ts';

const manifest = (name: string) => new URL(`../../../manifests/${name}`, import.meta.url).pathname;

test('a configuration of co_kimserver is read as it is, without a note', () => {
  const { config, notes, unknown } = loadNodeConfig(manifest('co_kimserver.json'));
  assert.deepEqual([notes, unknown], [[], []]);
  assert.deepEqual(config.redis, { test: { host: '127.0.0.1', port: 6379, max_conn_cnt: 3 } });
  assert.deepEqual(config.database.nodes['test'], {
    host: '127.0.0.1',
    port: 3306,
    user: 'root',
    password: 'change me',
    charset: 'utf8mb4',
    max_conn_cnt: 5,
    name: 'mysql',
  });
  assert.deepEqual(config.zookeeper, {
    is_open: false,
    servers: '127.0.0.1:2181',
    log_path: 'zk.log',
    log_level: 'info',
    root: '/kimserver',
    watch_node_type: ['gate', 'logic'],
    session_timeout_ms: 10_000,
    auth: '',
    acl: 'open',
  });
});

test('the first shape says the same as the current one', () => {
  const first = loadNodeConfig(manifest('co_kimserver-first.json'));
  const current = loadNodeConfig(manifest('co_kimserver.json'));
  assert.deepEqual(first.unknown, []);
  assert.equal(first.notes.length, 1, 'only keep_alive in seconds is worth a note');
  assert.deepEqual(first.config, {
    ...current.config,
    // the first version has no such limit
    max_clients: 16_000,
    log_level: 'error',
    database: { ...current.config.database, slowlog_log_slower_than: 0 },
    // The first version has no switch and always tries.
    zookeeper: { ...current.config.zookeeper, is_open: true },
    discovery: ['zookeeper'],
  });
});

test('databases may stand under nodes and beside them', () => {
  const { config, unknown } = parse({
    database: { slowlog_log_slower_than: '7', a: { host: 'a', user: 'u' }, nodes: { b: { host: 'b', user: 'u' } }, slow: 1 },
  });
  assert.deepEqual(Object.keys(config.database.nodes), ['a', 'b']);
  assert.equal(config.database.slowlog_log_slower_than, 7);
  assert.deepEqual(unknown, [{ key: 'database.slow' }]);
});

test('a problem in a historic shape is told with the path that the file has', () => {
  assert.deepEqual(messagesOf({ database: { shop: { host: 'h', user: 'u', port: 'x' } } }), [
    'database.shop.port is "x"; allowed: ports from 1 to 65535',
  ]);
  assert.deepEqual(messagesOf({ database: { shop: { user: 'u' } } }), [
    'database.shop.host is missing; it takes a host name or address without port',
  ]);
  assert.match(
    messagesOf({ zookeeper: { servers: 's', nodes: { root: 'x' } } })[0] ?? '',
    /^zookeeper\.nodes\.root is "x"; allowed: a path/,
  );
});

test('pool sizes above what the original allows are taken as its limit, with a note', () => {
  const { config, notes } = parse({
    redis: { a: { host: 'h', max_conn_cnt: 50 } },
    database: { nodes: { b: { host: 'h', user: 'u', max_conn_cnt: '500' } } },
  });
  assert.deepEqual([config.redis['a']?.max_conn_cnt, config.database.nodes['b']?.max_conn_cnt], [10, 100]);
  assert.deepEqual(notes, ['redis.a.max_conn_cnt is 50 and taken as 10', 'database.nodes.b.max_conn_cnt is "500" and taken as 100']);
});

test('an open ZooKeeper needs servers and a root', () => {
  assert.deepEqual(messagesOf({ zookeeper: { is_open: true } }), [
    'zookeeper.servers is missing though ZooKeeper is open',
    'zookeeper.root is missing though ZooKeeper is open',
  ]);
  assert.deepEqual(messagesOf({ zookeeper: { servers: 's', payload: { root: '/kim/payload' } } }), [
    'zookeeper.nodes.root is missing; it takes a path like /kimserver',
  ]);
});

test('servers without the switch are worth a note, because ZooKeeper stays closed', () => {
  const { config, notes } = parse({ zookeeper: { servers: 's:2181', root: '/kimserver/' } });
  assert.deepEqual([config.zookeeper.is_open, config.zookeeper.root], [false, '/kimserver']);
  assert.deepEqual(notes, ['zookeeper.servers is given but is_open is not, so ZooKeeper stays closed; set is_open to true to use it']);
});

test('the folders of the first shape must have one root', () => {
  const zookeeper = (nodes: string, payload?: string) => ({
    zookeeper: { servers: 's', nodes: { root: nodes }, ...(payload && { payload: { root: payload } }) },
  });
  assert.equal(parse(zookeeper('/a/b/nodes', '/a/b/payload')).config.zookeeper.root, '/a/b');
  assert.equal(parse(zookeeper('/a/nodes/')).config.zookeeper.root, '/a');
  for (const [nodes, payload] of [['/a/nodes', '/b/payload'], ['/a'], ['/nodes', '/payload']] as const) {
    assert.match(
      messagesOf(zookeeper(nodes, payload))[0] ?? '',
      /both must lie under one root, as \/kimserver\/nodes and \/kimserver\/payload$/,
    );
  }
  assert.equal(parse({ zookeeper: { ...zookeeper('/a/nodes').zookeeper, is_open: false } }).config.zookeeper.is_open, false);
});

test('a password is never repeated, whatever it is', () => {
  const secret = 'hunter2';
  const rows: Record<string, unknown>[] = [
    { database: { nodes: { a: { host: 'h', user: 'u', password: [secret] } } } },
    { database: { nodes: { a: { host: 'h', user: 'u', password: secret.repeat(1000) } } } },
    { database: { a: { host: 'h', user: 'u', password: { secret } } } },
    { database: `{"nodes": {"a": {"password": "${secret}"}` },
    { database: { nodes: { a: `${secret}` } } },
  ];
  for (const more of rows) {
    const messages = messagesOf(more);
    assert.equal(messages.length, 1);
    assert.ok(!messages[0]?.includes(secret), messages[0]);
  }
});
