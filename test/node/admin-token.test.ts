// An operator changes a node over the network: with a token that it has signed, and not otherwise.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { test, type TestContext } from 'node:test';
import { publicKeyText, signToken } from '../../src/ops/admin-token.ts';
import { startNode } from '../support/node.ts';

const { privateKey } = generateKeyPairSync('ed25519');

/** An address of this machine that is not loopback: whoever comes to it comes from it, too. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address;
const skip = outside === undefined ? 'this machine has no address but loopback; connect it to a network' : false;

async function operated(t: TestContext) {
  const node = await startNode(t, { admin_host: '0.0.0.0', admin_public_key: publicKeyText(privateKey), worker_cnt: 1 });
  const url = new URL(node.manager.adminUrl!);
  const post = async (path: string, body: object, sign: boolean | string = true) => {
    const text = JSON.stringify(body);
    const token =
      typeof sign === 'string'
        ? sign
        : signToken(
            privateKey,
            { node: node.manager.config.server_name, host: node.manager.config.node_host, path, body: text },
            Date.now() / 1000,
          );
    const headers = { 'content-type': 'application/json', ...(sign === false ? {} : { authorization: `Bearer ${token}` }) };
    const response = await fetch(`http://${outside}:${url.port}${path}`, { method: 'POST', headers, body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { node, post };
}

test('workers and settings change with a token, and older wishes do not undo newer ones', { skip }, async (t) => {
  const { node, post } = await operated(t);
  assert.deepEqual(await post('/workers', { count: 2, generation: 5 }), { status: 200, body: { count: 2, was: 1 } });
  const late = await post('/workers', { count: 4, generation: 4 });
  assert.equal(late.status, 409);
  assert.match(String(late.body['error']), /generation 4 is older than 5/);
  assert.equal(node.manager.pool.count, 2);
  const changed = await post('/settings', { config: { max_clients: 77, drain_ms: 900 }, generation: 6 });
  assert.deepEqual(changed.body, {
    changes: [
      { key: 'drain_ms', from: 400, to: 900, apply: 'live' },
      { key: 'max_clients', from: 16_000, to: 77, apply: 'live' },
    ],
  });
  assert.equal(node.manager.config.max_clients, 77);
});

test('without a token, or with one for something else, nothing changes', { skip }, async (t) => {
  const { node, post } = await operated(t);
  const { server_name: name, node_host: host } = node.manager.config;
  const elsewhere = signToken(privateKey, { node: name, host, path: '/drain', body: '{"count":3}' }, Date.now() / 1000);
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const forged = signToken(stranger, { node: name, host, path: '/workers', body: '{"count":3}' }, Date.now() / 1000);
  const namesake = signToken(privateKey, { node: name, host: '10.9.9.9', path: '/workers', body: '{"count":3}' }, Date.now() / 1000);
  for (const [sign, why] of [
    [false, /without a token of the operator/],
    [elsewhere, /for \/drain, not for \/workers/],
    [forged, /not signed with the key/],
    [namesake, /for the node at 10\.9\.9\.9/],
  ] as const) {
    const { status, body } = await post('/workers', { count: 3 }, sign);
    assert.equal(status, 403);
    assert.match(String(body['error']), why);
  }
  assert.equal(node.manager.pool.count, 1);
});

test('settings that are none, or need a new process, are refused and nothing is changed', { skip }, async (t) => {
  const { node, post } = await operated(t);
  const before = node.manager.config;
  for (const [config, status, why] of [
    [{ max_client: 7 }, 400, /"max_client" is no option/],
    [{ max_clients: 'many' }, 400, /max_clients/],
    [{ max_clients: 5, node_type: 'logic' }, 409, /node_type can not be changed in a running node/],
  ] as const) {
    const refused = await post('/settings', { config });
    assert.equal(refused.status, status);
    assert.match(String(refused.body['error']), why);
  }
  assert.deepEqual(node.manager.config, before);
});
