// Tokens of an operator: what they allow, and what they do not.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { publicKeyText, readPublicKey, signToken, TOKEN_SECONDS, tokenProblem } from '../../../src/ops/admin-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const purpose = { node: 'demo-gate-0', host: '10.0.0.7', path: '/workers', body: '{"count":4}' };
const NOW = 1_800_000_000;

test('a token allows one node one thing, for a while', () => {
  const token = signToken(privateKey, purpose, NOW);
  assert.equal(tokenProblem(publicKey, token, purpose, NOW), undefined);
  assert.equal(tokenProblem(readPublicKey(publicKeyText(privateKey)), token, purpose, NOW), undefined);
  const wrong = [
    [{ ...purpose, node: 'demo-gate-1' }, /for the node "demo-gate-0", this is "demo-gate-1"/],
    // the same name in another namespace
    [{ ...purpose, host: '10.0.0.8' }, /for the node at 10\.0\.0\.7, this one is at 10\.0\.0\.8/],
    [{ ...purpose, path: '/drain' }, /for \/workers, not for \/drain/],
    [{ ...purpose, body: '{"count":9}' }, /for another body/],
  ] as const;
  for (const [other, why] of wrong) assert.match(tokenProblem(publicKey, token, other, NOW) ?? '', why);
});

test('clocks may be ten minutes apart, and no more', () => {
  const token = signToken(privateKey, purpose, NOW);
  for (const now of [NOW - 600, NOW + TOKEN_SECONDS + 600]) assert.equal(tokenProblem(publicKey, token, purpose, now), undefined);
  for (const now of [NOW - 601, NOW + TOKEN_SECONDS + 601, NaN]) {
    assert.match(tokenProblem(publicKey, token, purpose, now) ?? '', /compare the clocks/);
  }
});

test('what another key has signed, or nobody, is no token', () => {
  const token = signToken(privateKey, purpose, NOW);
  const other = generateKeyPairSync('ed25519');
  assert.match(tokenProblem(other.publicKey, token, purpose, NOW) ?? '', /not signed with the key/);
  const [head, claims, signature] = token.split('.') as [string, string, string];
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const bad of ['', 'x', `${head}.${claims}`, `${none}.${claims}.`, `${head}.${claims}.`, `${token}.x`, 'x'.repeat(10_000)]) {
    assert.notEqual(tokenProblem(publicKey, bad, purpose, NOW), undefined);
  }
  const altered = Buffer.from(claims, 'base64url');
  altered[10]! ^= 1;
  assert.match(tokenProblem(publicKey, `${head}.${altered.toString('base64url')}.${signature}`, purpose, NOW) ?? '', /not signed/);
});

test('a public key is of Ed25519', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  assert.throws(() => readPublicKey(publicKeyText(rsa.privateKey)), /a key of rsa/);
  assert.throws(() => readPublicKey('AAAA'));
});
