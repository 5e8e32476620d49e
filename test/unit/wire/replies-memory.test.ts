// Replies that are kept ready to copy must not keep memory that grows with what handlers say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readBody, writeReplyBody } from '../../../src/wire/body.ts';
import { Writer } from '../../../src/wire/writer.ts';

const ENOUGH = 2000;
const MIB = 1024 * 1024;

function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // the memory behind buffers is freed by the collection after the one that found it
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

test('texts that are ever new, as those with a trace id, leave no memory behind', () => {
  const out = new Writer();
  const before = heldBytes();
  for (let i = 0; i < ENOUGH; i++) {
    writeReplyBody(out, 1, `internal error, trace ${i}`, '');
    out.clear();
    // other small buffers of the process share the memory that short ones are cut from
    Buffer.allocUnsafe(Buffer.poolSize >>> 2);
  }
  const grown = heldBytes() - before;
  assert.ok(grown < MIB, `${grown} bytes are held after ${ENOUGH} replies`);
});

test('a reply is right whether its text was said before, long ago, or never', () => {
  const out = new Writer();
  for (let i = 0; i < ENOUGH; i++) {
    const text = i % 2 === 0 ? 'said again and again' : `new ${i}`;
    writeReplyBody(out, -i, text, '');
    const { result } = readBody(out.take());
    assert.deepEqual([result?.code, result?.msg.toString()], [i === 0 ? 0 : -i, text]);
  }
});
