// The KimClusters of manifests/: each is good on one machine and for Kubernetes, and the chat of one of them works. test/kube/crd.test.ts
// asks the API server about them.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createClient, type Client } from '../../src/client/index.ts';
import { clusterOf, parseCluster } from '../../src/config/cluster.ts';
import { parseDocument } from '../../src/config/yaml.ts';
import { root } from '../meta/support.ts';
import { TestCluster } from '../support/nodes.ts';

const files = globSync(`${root}/manifests/*.yaml`).filter((file) => /^kind: KimCluster$/m.test(readFileSync(file, 'utf8')));

test('there is one for each way to begin', () => {
  assert.deepEqual(files.map((file) => basename(file, '.yaml')).sort(), [
    'chat',
    'external-zookeeper',
    'kubernetes-discovery',
    'production',
    'quickstart',
  ]);
});

for (const file of files) {
  test(`${basename(file)} is a KimCluster for one machine and for Kubernetes, and says in its first line what it is for`, () => {
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^# [A-Z].{20,}/);
    const name = basename(file);
    const here = parseCluster(text, name, 'machine').cluster;
    const there = parseCluster(text, name, 'kubernetes');
    assert.deepEqual(here.spec, there.cluster.spec);
    assert.deepEqual(clusterOf(parseDocument(text).toJS(), name).cluster.spec, here.spec);
  });
}

test('the chat of chat.yaml: who is in a room gets what is said there, whoever is whispered to gets it alone', async (t) => {
  const cluster = await TestCluster.start(t, { logics: 2, logic: { modules: [`${root}/manifests/chat.js`] }, gate: { worker_cnt: 2 } });
  await cluster.settled();
  const [ann, bob, eve] = [await chatter(t, cluster, 'ann'), await chatter(t, cluster, 'bob'), await chatter(t, cluster, 'eve')];
  assert.equal(await ask(ann, 1203, 'lobby'), 'done');
  assert.equal(await ask(bob, 1203, 'lobby'), 'done');
  const said = [heard(ann), heard(bob)];
  assert.equal(await ask(ann, 1205, { room: 'lobby', text: 'hello' }), '2');
  for (const message of said) assert.deepEqual(await message, { room: 'lobby', from: 'ann', text: 'hello' });
  const whispered = heard(eve);
  assert.equal(await ask(bob, 1207, { to: 'eve', text: 'come in' }), 'delivered');
  assert.deepEqual(await whispered, { from: 'bob', text: 'come in' });
});

async function chatter(t: TestContext, { gate }: { readonly gate: { readonly port: number } }, name: string): Promise<Client> {
  const client = createClient({ host: '127.0.0.1', port: gate.port });
  t.after(() => client.close());
  assert.equal(await ask(client, 1201, name), 'bound');
  return client;
}

async function ask(client: Client, command: number, data: string | object): Promise<string> {
  const answer = await client.request(command, typeof data === 'string' ? data : JSON.stringify(data));
  assert.equal(answer.code, 0, answer.msg);
  return answer.text();
}

/** Resolves with the next message that is pushed to a client. */
function heard(client: Client): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stop = client.on(1211, (answer) => {
    stop();
    resolve(JSON.parse(answer.text()));
  });
  return promise;
}
