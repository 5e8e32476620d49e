// Where the API server is: in a pod by the service account, elsewhere by a kubeconfig.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { findKube } from '../../../src/kube/config.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'kim-kube-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Replaces a file as the kubelet does: at once. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

test('in a pod the files of the service account are enough, and are read again when they change', async (t) => {
  const account = folder(t);
  const [token, ca] = [join(account, 'token'), join(account, 'ca.crt')];
  writeFileSync(token, 'one\n');
  writeFileSync(ca, 'CA 1\n');
  writeFileSync(join(account, 'namespace'), 'shop');
  const access = await findKube({ account, env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' } });
  assert.equal(access.server.href, 'https://[fd00::1]:6443/');
  assert.deepEqual([access.namespace, access.isInCluster], ['shop', true]);
  assert.deepEqual(await access.credentials(false), { headers: { authorization: 'Bearer one' }, tls: { ca: 'CA 1' } });
  replace(token, 'two');
  replace(ca, 'CA 2');
  assert.deepEqual(await access.credentials(false), { headers: { authorization: 'Bearer two' }, tls: { ca: 'CA 2' } });
  rmSync(token);
  await assert.rejects(access.credentials(true), /ENOENT/);
  replace(token, 'three');
  assert.equal((await access.credentials(true)).headers['authorization'], 'Bearer three');
});

const kubeconfig = (contexts: object[], current: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': Buffer.from('CA').toString('base64') } },
    ],
    users: [
      { name: 'admin', user: { token: 'secret' } },
      { name: 'basic', user: { username: 'a', password: 'b' } },
    ],
    contexts,
    'current-context': current,
  });
const shop = { name: 'shop', context: { cluster: 'test', user: 'admin', namespace: 'shop' } };
const plain = { name: 'plain', context: { cluster: 'test', user: 'basic' } };

test('elsewhere a kubeconfig says it, by its current context or the one that is named', async (t) => {
  const file = join(folder(t), 'config');
  writeFileSync(file, kubeconfig([shop, plain], 'shop'));
  const access = await findKube({ env: { KUBECONFIG: file } });
  assert.equal(access.server.href, 'https://10.0.0.1:6443/');
  assert.equal(access.namespace, 'shop');
  const { headers, tls } = await access.credentials(false);
  assert.equal(headers['authorization'], 'Bearer secret');
  assert.equal(tls.ca, 'CA');
  const other = await findKube({ kubeconfig: file, context: 'plain' });
  assert.equal(other.namespace, 'default');
  assert.equal((await other.credentials(false)).headers['authorization'], `Basic ${Buffer.from('a:b').toString('base64')}`);
});

test('what is missing is said in a sentence', async (t) => {
  const file = join(folder(t), 'config');
  await assert.rejects(findKube({ kubeconfig: file }), /cannot read the kubeconfig ".*config": ENOENT/);
  writeFileSync(file, kubeconfig([shop, plain], 'gone'));
  await assert.rejects(findKube({ kubeconfig: file }), /has no cluster for context "gone"; its contexts are: shop, plain$/);
});
