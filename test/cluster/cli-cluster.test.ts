// kim cluster against a real ZooKeeper, and against the folder in which nodes of this machine announce themselves.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { FileDirectory } from '../../src/cluster/directories/file.ts';
import { folderOf, kim } from '../support/kim.ts';
import { until } from '../support/until.ts';
import { gate, observe, rawClient, tree } from '../support/zookeeper-cluster.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';

test('kim cluster shows what stands in a ZooKeeper', { skip: noZookeeper }, async (t) => {
  const server = await startZookeeper(t);
  const raw = await rawClient(t, server.address);
  const auth = { user: 'kim', password: 'top:secret' };
  const serving = observe(t, { servers: server.address, root: '/shop' }).directory;
  const draining = observe(t, { servers: server.address, root: '/shop' }).directory;
  const hidden = observe(t, { servers: server.address, root: '/hidden', auth, acl: 'creator' }).directory;
  await serving.announce(gate());
  serving.payload(JSON.stringify({ manager: { conn_cnt: 42, read_bytes: 10, write_bytes: 20 } }));
  const leaving = gate({ port: 3345, name: 'old-gate' });
  await draining.announce(leaving);
  draining.payload(JSON.stringify({ node: { node_host: '10.0.0.1', node_port: 3345 }, manager: { conn_cnt: 7 } }));
  await until(async () => Object.values(await tree(raw, '/shop/payload/gate')).every((text) => text !== ''), 'both report');
  await draining.announce({ ...leaving, facts: { state: 'draining', version: '0.1.0', connections: 1, gate: '' } });
  await raw.create('/shop/nodes/logic/x-logic0000000009', Buffer.from('nonsense'));
  await hidden.announce(gate());
  const look = (...words: string[]) => kim(['cluster', '--zookeeper', server.address, ...words]);

  await t.test('as a table', async () => {
    const { code, out, err } = await look('--root', '/shop');
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^ZooKeeper ${server.address}, /shop {2}2 nodes, 4 workers$`, 'm'));
    assert.match(out, /^gate +10\.0\.0\.1:3344 +kim-gate +2 +serving +0\.1\.0 .* 100\.0 % +42 +10 B +20 B +zookeeper$/m);
    assert.match(out, /^gate +10\.0\.0\.1:3345 +old-gate +2 +draining +0\.1\.0 .* - +7 +- +- +zookeeper$/m);
    assert.match(out, /^1 record of no use: x-logic0000000009$/m);
  });

  await t.test('as JSON', async () => {
    const { out } = await look('--root', '/shop', '-o', 'json');
    const { members } = JSON.parse(out) as { members: { port: number; payload: { manager: { conn_cnt: number } } }[] };
    assert.deepEqual(
      members.map(({ port, payload }) => [port, payload.manager.conn_cnt]),
      [
        [3344, 42],
        [3345, 7],
      ],
    );
  });

  await t.test('with credentials from a file, which appear nowhere', async (t) => {
    const folder = folderOf(t, { auth: 'kim:top:secret\n', broken: 'kim' });
    const denied = await look('--root', '/hidden');
    assert.equal(denied.code, 1);
    assert.equal(denied.err, 'kim: cannot list /hidden/nodes: it is not allowed\n');
    const { code, out } = await look('--root', '/hidden', '--auth-file', join(folder, 'auth'));
    assert.equal(code, 0);
    assert.match(out, /kim-gate/);
    assert.doesNotMatch(out, /secret/);
    assert.match((await look('--auth-file', join(folder, 'broken'))).err, /holds no USER:PASSWORD in one line\n$/);
  });

  await t.test('or one sentence of what is wrong', async () => {
    const absent = await look('--root', '/nothing');
    assert.equal(absent.code, 1);
    assert.equal(
      absent.err,
      `kim: there is no cluster under /nothing in the ZooKeeper at ${server.address}; --root names another folder\n`,
    );
    assert.match((await look('--root', 'shop')).err, /^kim: ZooKeeper path "shop" is none; write one such as \/kimserver\n$/);
    assert.match((await look('--watch')).err, /^kim: --watch draws on a terminal, and this is none/);
    const nobody = await kim(['cluster', '--zookeeper', '127.0.0.1:1']);
    assert.equal(nobody.code, 1);
    assert.equal(nobody.err, 'kim: no ZooKeeper server can be used: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n');
  });
});

test('kim cluster shows the nodes of this machine', async (t) => {
  const cwd = folderOf(t, {});
  const none = await kim(['cluster'], { cwd });
  assert.equal(none.err, 'kim: no cluster was run in this folder with "kim up"; --zookeeper looks into a ZooKeeper\n');
  const folder = join(cwd, '.kim', 'demo', 'members');
  const directory = new FileDirectory({ folder });
  t.after(() => directory.close());
  directory.open({ members: () => undefined, health: () => undefined });
  await directory.announce(gate());
  for (const words of [['cluster'], ['cluster', 'demo']]) {
    const { code, out, err } = await kim(words, { cwd });
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.match(out, /^gate +10\.0\.0\.1:3344 +kim-gate +2 +serving +0\.1\.0 .* 100\.0 % +3 +- +- +file$/m);
  }
  mkdirSync(join(cwd, '.kim', 'shop', 'members'), { recursive: true });
  assert.equal((await kim(['cluster'], { cwd })).err, 'kim: there are several clusters here; name one of demo, shop\n');
  assert.match((await kim(['cluster', 'other'], { cwd })).err, /is not there; no cluster "other" was run here with "kim up"\n$/);
  assert.equal((await kim(['cluster', '--root', '/x'], { cwd })).err, 'kim: --root and --auth-file go with --zookeeper\n');
});
