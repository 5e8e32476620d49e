// kim plan without a cluster: everything that a KimCluster would become, and nothing secret of it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { folderOf, kim } from '../../support/kim.ts';

const CLUSTER = `
apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: demo, annotations: { kimserver.io/pause: "true" } }
spec:
  gate: { listeners: [{ port: 3355 }] }
  discovery: { zookeeper: { hosts: "zk:2181", auth: 'me:pa"ss' } }
`;

interface List {
  readonly items: readonly { readonly kind: string; readonly metadata: { readonly name: string; readonly ownerReferences?: object } }[];
}

test('it lists what would be made, and shows it as JSON and YAML without the password', async (t) => {
  const file = `${folderOf(t, { 'demo.yaml': CLUSTER })}/demo.yaml`;
  const text = await kim(['plan', '-f', file]);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^create Deployment demo-gate\n8 objects would be made; -o yaml shows them\n$/m);
  const json = await kim(['plan', '-f', file, '-o', 'json']);
  const { items } = JSON.parse(json.out) as List;
  assert.equal(items.length, 8);
  assert.ok(items.every(({ metadata }) => metadata.ownerReferences === undefined));
  const yaml = await kim(['plan', '-f', file, '-o', 'yaml']);
  assert.equal(yaml.out.split('---\n').length, 9);
  for (const { out } of [json, yaml]) {
    assert.doesNotMatch(out, /pa\\*"ss/);
    assert.match(out, /\*\*\*/);
  }
});

test('what is no KimCluster, or says nothing of where it is, is refused with a sentence', async (t) => {
  const folder = folderOf(t, { 'node.json': { node_type: 'gate', gate_host: '127.0.0.1', gate_port: 3355 } });
  const refusal = async (...words: string[]) => {
    const { code, err } = await kim(['plan', ...words]);
    assert.equal(code, 2);
    return err;
  };
  assert.match(await refusal(), /name a KimCluster: kim plan -f/);
  assert.match(await refusal('-f', `${folder}/node.json`), /is the configuration of one node; kim plan is for KimClusters/);
});
