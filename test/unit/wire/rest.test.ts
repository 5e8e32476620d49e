// What was fed and not delivered travels along when a connection moves: not a byte more, not a byte less, and in order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { decoded, drain, inPieces, splits } from '../../support/decode.ts';
import { frame, head, hex } from '../../support/frames.ts';

const frames = [
  frame(1001, 1, hex('1a0931202d2068656c6c6f')),
  head(1001, 2, 0),
  frame(1003, 3, Buffer.alloc(300, 0x41)),
  hex('1d03000000 0de9030000 1507000000 1a0131'),
  frame(1005, 4, hex('1200')),
];
const stream = Buffer.concat(frames);
const all = (() => {
  const decoder = protobufCodec.decoder(1 << 20);
  decoder.feed(stream);
  return drain(decoder);
})();

test('at every split, what one decoder has left is where the next goes on', () => {
  for (const [one, two] of splits(stream)) {
    const first = protobufCodec.decoder(1 << 20);
    first.feed(one);
    const before = drain(first);
    const rest = first.rest();
    const delivered = frames.slice(0, before.length).reduce((sum, part) => sum + part.length, 0);
    assert.deepEqual(rest, stream.subarray(delivered, one.length));
    const second = protobufCodec.decoder(1 << 20);
    second.feed(rest);
    assert.deepEqual([...before, ...drain(second)], all.slice(0, before.length));
    second.feed(two);
    assert.deepEqual([...before, ...drain(second)], all);
  }
});

test('at every split and after every message that was taken, nothing is lost', () => {
  for (const [one, two] of splits(stream)) {
    for (let taken = 0; taken <= frames.length; taken++) {
      const first = protobufCodec.decoder(1 << 20);
      first.feed(one);
      const before = [];
      for (let i = 0; i < taken; i++) {
        const next = first.next();
        if (next !== undefined) before.push(decoded(next));
      }
      // more has come since, and nobody has asked
      first.feed(two);
      const second = protobufCodec.decoder(1 << 20);
      second.feed(first.rest());
      assert.deepEqual([...before, ...drain(second)], all);
    }
  }
});

test('the rest of many small pieces is all of them', () => {
  for (const size of [1, 3, 14, 15, 16, 31]) {
    const decoder = protobufCodec.decoder(1 << 20);
    for (const piece of inPieces(stream, size)) decoder.feed(piece);
    assert.deepEqual(decoder.rest(), stream);
  }
});

test('a decoder has nothing left after its rest was taken, and can be fed again', () => {
  const decoder = protobufCodec.decoder(1 << 20);
  decoder.feed(stream.subarray(0, 40));
  assert.equal(drain(decoder).length, 1);
  assert.equal(decoder.rest().length, 40 - frames[0]!.length);
  assert.deepEqual([decoder.held, decoder.unfinished, decoder.rest().length], [0, false, 0]);
  decoder.feed(stream);
  assert.deepEqual(drain(decoder), all);
});

test('the rest is a copy: what the socket reads next does not change it', () => {
  const piece = Buffer.from(stream.subarray(0, 20));
  const decoder = protobufCodec.decoder(1 << 20);
  decoder.feed(piece);
  decoder.next();
  const rest = decoder.rest();
  piece.fill(0);
  assert.deepEqual(rest, stream.subarray(0, 20));
});
