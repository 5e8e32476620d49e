// The cheap check of replies in the load processes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchanges, replyBody } from '../../../src/bench/frames.ts';
import { ReplyReader } from '../../../src/bench/replies.ts';
import { HEAD_BYTES, writeHead } from '../../../src/wire/frame.ts';

const body = replyBody(exchanges.test);

function reply(seq: number, cmd = 1002, content = body): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  writeHead(head, 0, cmd, seq, content.length);
  return Buffer.concat([head, content]);
}

function count(...pieces: Buffer[]): number[] {
  const reader = new ReplyReader(1002);
  return pieces.map((piece) => reader.count(piece, piece.length));
}

test('a reply of command 1001 is 32 bytes', () => {
  assert.equal(reply(1).length, 32);
});

test('whole replies are counted', () => {
  assert.deepEqual(count(Buffer.concat([reply(1), reply(2)]), reply(3)), [2, 1]);
});

test('replies are counted once at every split', () => {
  const bytes = Buffer.concat([reply(1), reply(2), reply(3)]);
  for (let at = 0; at <= bytes.length; at++) {
    const [first, second] = count(bytes.subarray(0, at), bytes.subarray(at));
    assert.equal(first! + second!, 3, `split at ${at}`);
  }
});

test('only the bytes that were read count', () => {
  assert.equal(new ReplyReader(1002).count(Buffer.concat([reply(1), reply(2)]), 32), 1);
});

test('each burst begins with seq 1 again', () => {
  const reader = new ReplyReader(1002);
  assert.equal(reader.count(reply(1), 32), 1);
  reader.restart();
  assert.equal(reader.count(reply(1), 32), 1);
});

test('another command, another order and an error code are noticed', () => {
  const failed = Buffer.from([0x12, 0x04, 0x08, 0x04, 0x12, 0x00]);
  assert.deepEqual(count(reply(1, 1004)), [-1]);
  assert.deepEqual(count(reply(2)), [-1]);
  assert.deepEqual(count(reply(1, 1002, failed)), [-1]);
  assert.deepEqual(count(Buffer.alloc(40)), [-1]);
});
