// The hashes of the original, checked against what its own compiled code gives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fnv1, fnv1a } from '../../../src/cluster/hash.ts';
import { hex } from '../../support/frames.ts';
import { fc } from '../../support/property.ts';

test('keys are hashed as the original hashes them', () => {
  const vectors: [string | Buffer, number][] = [
    ['', 0x000001b3],
    ['1', 0x3b78fdca],
    ['hello', 0xec50a9a9],
    ['1 - hello', 0xf68f727d],
    ['user-10086', 0x5b9568d0],
    [hex('e4bda0'), 0xfad185de],
  ];
  for (const [key, hash] of vectors) assert.equal(fnv1a(key), hash, String(key));
});

test('connections are chosen as the original chooses them', () => {
  const vectors: [string | Buffer, number][] = [
    ['1', 0x8601b7ee],
    ['hello', 0xb12c8551],
    [hex('e4bda0'), 0xc62ad3c2],
  ];
  for (const [key, hash] of vectors) assert.equal(fnv1(key), hash, String(key));
});

test('text and its UTF-8 bytes are one key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(fnv1a(text), fnv1a(Buffer.from(text)));
      assert.equal(fnv1(text), fnv1(Buffer.from(text)));
    }),
  );
});
