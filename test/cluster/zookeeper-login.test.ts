// A KimCluster whose nodes log in to a real ZooKeeper: nobody else sees them, and the login is shown nowhere.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createClient } from '../../src/client/index.ts';
import { kim } from '../support/kim.ts';
import { KimUp } from '../support/kim-up.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';
import { until } from '../support/until.ts';

const SECRET = 'top:secret-9';

test('nodes of a KimCluster find each other behind a login, which is shown nowhere', { skip: noZookeeper }, async (t) => {
  const server = await startZookeeper(t);
  const more = `  discovery: { zookeeper: { hosts: "${server.address}", root: /shop, auth: "kim:${SECRET}", acl: creator } }\n`;
  const up = await KimUp.serving(t, { workers: 1, logics: 1, more });
  const client = createClient({ host: '127.0.0.1', port: up.port });
  t.after(() => client.close());
  await until(async () => (await client.request(1101, 'hello')).code === 0, 'a request is relayed');
  await client.close();

  const look = (...words: string[]) => kim(['cluster', '--zookeeper', server.address, '--root', '/shop', ...words]);
  assert.match((await look()).err, /^kim: cannot list \/shop\/nodes: it is not allowed\n$/);
  writeFileSync(join(up.folder, 'login'), `kim:${SECRET}\n`);
  const seen = await look('--auth-file', join(up.folder, 'login'));
  assert.match(seen.out, /^gate .*\nlogic /m);

  for (const tier of [[], ['--tier', 'gate']]) {
    const printed = await kim(['config', 'print', 'cluster.yaml', ...tier], { cwd: up.folder });
    assert.equal(printed.code, 0);
    assert.match(printed.out, /\*\*\*/);
    assert.ok(!printed.out.includes(SECRET));
  }
  for (const { admin } of up.rows) {
    for (const page of ['config', 'status', 'members']) {
      const text = await (await fetch(new URL(page, admin))).text();
      assert.ok(!text.includes(SECRET), `${page} does not tell it`);
    }
  }
  assert.ok(!JSON.stringify([up.lines, up.errors]).includes(SECRET), 'nor what kim up says');

  // the file that a node is started from is for its owner alone; logs hold nothing of it
  const state = join(up.folder, '.kim', 'up-test');
  const files = readdirSync(state, { recursive: true, encoding: 'utf8' }).map((name) => join(state, name));
  const holding = files.filter((file) => existsSync(file) && statSync(file).isFile() && readFileSync(file, 'utf8').includes(SECRET));
  assert.deepEqual(
    holding.map((file) => [/\.log/.test(file), statSync(file).mode & 0o077]),
    holding.map(() => [false, 0]),
  );
  assert.ok(holding.length > 0, 'the nodes have it from their files');
});
