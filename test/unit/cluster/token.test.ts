// What a token of a session holds, and what is none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeToken, encodeToken, SECRET_BYTES } from '../../../src/cluster/token.ts';
import { MAX_TOKEN } from '../../../src/wire/client-control.ts';
import { fc, forAll } from '../../support/property.ts';

const secret = Buffer.alloc(SECRET_BYTES, 7);
const token = { session: 'a1b2-1.1-z', worker: '10.0.0.7:3344.2', secret };

test('a token says whose session it is, where it was, and what only its client knows', () => {
  assert.deepEqual(decodeToken(encodeToken(token)), token);
  assert.ok(encodeToken({ ...token, session: 's'.repeat(256), worker: 'w'.repeat(256) }).length <= MAX_TOKEN);
});

test('what we did not make is no token', () => {
  for (const bad of [
    Buffer.alloc(0),
    Buffer.from('nonsense'),
    encodeToken({ ...token, session: '' }),
    encodeToken({ ...token, session: 's'.repeat(257) }),
    encodeToken({ ...token, worker: 'w'.repeat(257) }),
    encodeToken({ ...token, secret: secret.subarray(1) }),
    Buffer.concat([encodeToken(token), Buffer.alloc(MAX_TOKEN, 0x0a)]),
  ]) {
    assert.equal(decodeToken(bad), undefined);
  }
  forAll(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const found = decodeToken(Buffer.from(bytes));
    assert.ok(found === undefined || found.secret.length === SECRET_BYTES);
  });
});
