// The key of the operator: made once, by one of those that start, and used by all.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { KubeError } from '../../../../src/kube/error.ts';
import { signingKey } from '../../../../src/operator/run/signing-key.ts';
import { publicKeyText } from '../../../../src/ops/admin-token.ts';

const FIELD = 'ed25519.pem';
const answer = (status: number, reason: string) => new KubeError(reason, { status, reason });
const secret = (data: Record<string, string> | undefined) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'key', namespace: 'system', resourceVersion: '5' },
  ...(data && { data }),
});

/** An API server with one Secret; `race` is what others do just before a write. */
function server(found: ReturnType<typeof secret> | undefined, race: () => ReturnType<typeof secret> | undefined = () => undefined) {
  let stored = found;
  const writes: { method: string; body: { data: Record<string, string>; metadata: { resourceVersion?: string } } }[] = [];
  return {
    writes,
    get: () => (stored === undefined ? Promise.reject(answer(404, 'NotFound')) : Promise.resolve(stored as never)),
    request: (method: string, _path: string, { body }: { body: unknown }) => {
      const other = race();
      if (other !== undefined) {
        stored = other;
        return Promise.reject(answer(409, method === 'POST' ? 'AlreadyExists' : 'Conflict'));
      }
      writes.push({ method, body: body as (typeof writes)[number]['body'] });
      stored = secret((body as { data: Record<string, string> }).data);
      return Promise.resolve(stored as never);
    },
  };
}

const pem = (type: 'ed25519' | 'rsa') =>
  Buffer.from(
    (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
  ).toString('base64');

test('the key is made where there is none, or the Secret is empty, and read from then on', async () => {
  for (const found of [undefined, secret(undefined), secret({})]) {
    const api = server(found);
    const made = await signingKey(api, 'system', 'key');
    assert.equal(publicKeyText(await signingKey(api, 'system', 'key')), publicKeyText(made));
    assert.deepEqual(
      api.writes.map(({ method, body }) => [method, body.metadata.resourceVersion]),
      [found === undefined ? ['POST', undefined] : ['PATCH', '5']],
    );
  }
});

test('of two operators that start at once both use the key of the quicker one', async () => {
  const theirs = secret({ [FIELD]: pem('ed25519') });
  for (const found of [undefined, secret(undefined)]) {
    let isFirst = true;
    const api = server(found, () => {
      const other = isFirst ? theirs : undefined;
      isFirst = false;
      return other;
    });
    const key = await signingKey(api, 'system', 'key');
    assert.equal(publicKeyText(key), publicKeyText(await signingKey(server(theirs), 'system', 'key')));
    assert.deepEqual(api.writes, []);
  }
});

test('what is no key is refused in a sentence that says what to do and nothing of the key', async () => {
  const rsa = pem('rsa');
  for (const text of [Buffer.from('rubbish').toString('base64'), rsa]) {
    await assert.rejects(signingKey(server(secret({ [FIELD]: text })), 'system', 'key'), (error: Error) => {
      assert.match(error.message, /^the Secret system\/key has no private key of Ed25519 in ed25519\.pem \(.+\); empty it/);
      assert.ok(!error.message.includes(text.slice(0, 40)) && !error.message.includes('rubbish'));
      return true;
    });
  }
});

test('who may not read the Secret is told so, and nothing is written', async () => {
  const api = { ...server(undefined), get: () => Promise.reject(answer(403, 'Forbidden')) };
  await assert.rejects(signingKey(api, 'system', 'key'), /Forbidden/);
  assert.deepEqual(api.writes, []);
});
