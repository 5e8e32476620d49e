// However the network cuts the stream, the same messages come out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FramingError } from '../../../src/wire/codec.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { decodeAll, decoded, drain, inPieces, splits, type Decoded } from '../../support/decode.ts';
import { frame, head, hex } from '../../support/frames.ts';

const long = (n: number) => Buffer.alloc(n, 'x');
const odd = (text: string, body = '') => Buffer.concat([hex(text), hex(body)]);

/** Frames of all sorts, with what they are. */
const samples: { what: string; bytes: Buffer; is: Decoded }[] = [
  { what: 'a request', bytes: frame(1001, 1, hex('1a0931202d2068656c6c6f')), is: [1001, 1, '1a0931202d2068656c6c6f'] },
  {
    what: 'a reply',
    bytes: frame(1002, 1, hex('120412026f6b1a09676f6f64206a6f6221')),
    is: [1002, 1, '120412026f6b1a09676f6f64206a6f6221'],
  },
  { what: 'a heartbeat', bytes: frame(31, 2, hex('1a09686561727462656174')), is: [31, 2, '1a09686561727462656174'] },
  { what: 'the answer to a heartbeat', bytes: frame(32, 2, hex('1200')), is: [32, 2, '1200'] },
  {
    what: 'an unknown command',
    bytes: frame(1002, 3, hex('12100804120c696e76616c696420636d6421')),
    is: [1002, 3, '12100804120c696e76616c696420636d6421'],
  },
  { what: 'CONNECT_TO_WORKER', bytes: frame(21, 4, hex('1a0131')), is: [21, 4, '1a0131'] },
  { what: 'an empty body', bytes: frame(1001, 5, hex('')), is: [1001, 5, ''] },
  { what: 'a head of zeros', bytes: head(0, 0, 0), is: [0, 0, ''] },
  { what: 'a negative length', bytes: head(1001, 6, -1), is: [1001, 6, ''] },
  { what: 'the most negative length', bytes: head(1001, 6, -0x80000000), is: [1001, 6, ''] },
  { what: 'fields in another order', bytes: odd('1d03000000 0de9030000 1507000000', '1a0131'), is: [1001, 7, '1a0131'] },
  { what: 'a field twice', bytes: odd('0d01000000 0de9030000 1d03000000', '1a0131'), is: [1001, 0, '1a0131'] },
  { what: 'an unknown field', bytes: odd('2000 2201ff 0de9030000 1d02000000', '1a00'), is: [1001, 0, '1a00'] },
  { what: 'a body of 300 bytes', bytes: frame(1001, 8, long(300)), is: [1001, 8, long(300).toString('hex')] },
];

for (const { what, bytes, is } of samples) {
  test(`${what} is the same whole, byte by byte and at every split`, () => {
    assert.deepEqual(decodeAll(protobufCodec, [bytes]), [is]);
    assert.deepEqual(decodeAll(protobufCodec, inPieces(bytes, 1)), [is]);
    for (const pieces of splits(bytes)) assert.deepEqual(decodeAll(protobufCodec, pieces), [is]);
  });
}

test('any two frames in a row are the same at every split', () => {
  for (const first of samples) {
    for (const second of samples) {
      for (const pieces of splits(Buffer.concat([first.bytes, second.bytes]))) {
        assert.deepEqual(decodeAll(protobufCodec, pieces), [first.is, second.is], `${first.what}, ${second.what}, at ${pieces[0].length}`);
      }
    }
  }
});

test('all samples in one stream come out of pieces of any size', () => {
  const stream = Buffer.concat(samples.map(({ bytes }) => bytes));
  const expected = samples.map(({ is }) => is);
  for (let size = 1; size <= 64; size++) assert.deepEqual(decodeAll(protobufCodec, inPieces(stream, size)), expected);
});

test('pieces that are fed before anybody asks come out in their order', () => {
  const stream = Buffer.concat(samples.map(({ bytes }) => bytes));
  for (const size of [1, 7, 16, 100]) {
    const decoder = protobufCodec.decoder(1 << 20);
    for (const piece of inPieces(stream, size)) decoder.feed(piece);
    assert.deepEqual(
      drain(decoder),
      samples.map(({ is }) => is),
    );
    assert.equal(decoder.held, 0);
  }
});

test('asking for one message takes one message', () => {
  const decoder = protobufCodec.decoder(1 << 20);
  decoder.feed(Buffer.concat([samples[0]!.bytes, samples[1]!.bytes]));
  assert.deepEqual(decoded(decoder.next()!), samples[0]!.is);
  assert.deepEqual(decoded(decoder.next()!), samples[1]!.is);
  assert.equal(decoder.next(), undefined);
  assert.equal(decoder.next(), undefined);
});

test('a message is unfinished from its first byte to its last', () => {
  const decoder = protobufCodec.decoder(1 << 20);
  assert.equal(decoder.unfinished, false);
  const bytes = samples[0]!.bytes;
  for (const piece of inPieces(bytes.subarray(0, -1), 1)) {
    decoder.feed(piece);
    assert.equal(decoder.next(), undefined);
    assert.equal(decoder.unfinished, true);
  }
  decoder.feed(bytes.subarray(-1));
  assert.deepEqual(drain(decoder), [samples[0]!.is]);
  assert.equal(decoder.unfinished, false);
});

test('what is no head breaks the stream at every split, when its 15 bytes are there and not before', () => {
  for (const bytes of [hex('00'.repeat(15)), hex('ff'.repeat(15)), Buffer.from('GET / HTTP/1.1\r\n').subarray(0, 15)]) {
    for (const [one, two] of splits(bytes)) {
      const decoder = protobufCodec.decoder(1 << 20);
      decoder.feed(one);
      assert.equal(decoder.next(), undefined);
      decoder.feed(two);
      assert.throws(
        () => decoder.next(),
        (error: unknown) => error instanceof FramingError && error.reason === 'frame',
      );
    }
  }
});
