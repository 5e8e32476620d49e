// What a decoder keeps: nothing for what was only announced, little for what comes in crumbs, and nothing after a message.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FramingError, type Decoder } from '../../../src/wire/codec.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { decodeAll, drain, inPieces } from '../../support/decode.ts';
import { frame, head, hex } from '../../support/frames.ts';
import { turn } from '../../support/turns.ts';

const MAX_BODY = 8 << 20;

function sizeError(limit: number) {
  return (error: unknown) => error instanceof FramingError && error.reason === 'size' && error.message.includes(String(limit));
}

/** How many bytes are allocated, and in how many pieces, while `work` runs. */
function allocations(t: TestContext, work: () => void): { bytes: number; calls: number; joins: number } {
  const count = { bytes: 0, calls: 0, joins: 0 };
  const { allocUnsafeSlow, concat } = Buffer;
  const slow = t.mock.method(Buffer, 'allocUnsafeSlow', (size: number) => {
    count.bytes += size;
    count.calls++;
    return allocUnsafeSlow.call(Buffer, size);
  });
  const join = t.mock.method(Buffer, 'concat', (list: Uint8Array[], size?: number) => {
    count.bytes += size ?? list.reduce((sum, part) => sum + part.length, 0);
    count.joins++;
    return concat.call(Buffer, list, size);
  });
  work();
  slow.mock.restore();
  join.mock.restore();
  return count;
}

for (const [what, len] of [
  ['8 MiB and one byte', MAX_BODY + 1],
  ['2 GiB less one byte', 0x7fffffff],
] as const) {
  test(`a head that announces ${what} is refused before a byte of the body is kept`, () => {
    const announced = head(1001, 1, len);
    const fed: [string, Buffer[]][] = [
      ['whole, with some of the body', [Buffer.concat([announced, Buffer.alloc(1000)])]],
      ['byte by byte', inPieces(announced, 1)],
      ['in two', [announced.subarray(0, 7), announced.subarray(7)]],
    ];
    for (const [how, pieces] of fed) {
      const decoder = protobufCodec.decoder(MAX_BODY);
      assert.throws(() => feedAll(decoder, pieces), sizeError(MAX_BODY), how);
      assert.ok(decoder.held < 2048, `${decoder.held} bytes are held, fed ${how}`);
    }
  });
}

function feedAll(decoder: Decoder, pieces: readonly Buffer[]): void {
  for (const piece of pieces) {
    decoder.feed(piece);
    drain(decoder);
  }
}

test('the largest body is one of exactly max_frame bytes', () => {
  const body = Buffer.alloc(1000, 0x08);
  assert.equal(decodeAll(protobufCodec, [frame(1001, 1, body)], 1000).length, 1);
  assert.throws(() => decodeAll(protobufCodec, [frame(1001, 1, body)], 999), sizeError(999));
});

test('a length in a head of another order is judged too', () => {
  const announced = hex('1dffffff7f 0de9030000 1501000000');
  assert.throws(() => decodeAll(protobufCodec, [announced]), sizeError(1 << 20));
});

test('a head that announces 8 MiB costs a kilobyte until bytes come', () => {
  const decoder = protobufCodec.decoder(MAX_BODY);
  feedAll(decoder, [head(1001, 1, MAX_BODY)]);
  assert.ok(decoder.held > 0 && decoder.held < 2048, `${decoder.held} bytes are held`);
});

test('what is held follows what came, not what was announced', () => {
  const decoder = protobufCodec.decoder(MAX_BODY);
  let came = 0;
  for (const piece of inPieces(frame(1001, 1, Buffer.alloc(MAX_BODY)), 1460).slice(0, -1)) {
    feedAll(decoder, [piece]);
    came += piece.length;
    assert.ok(decoder.held >= came, `${decoder.held} bytes are counted of ${came}`);
    assert.ok(decoder.held <= 2 * came + 2048 + came / 16, `${decoder.held} bytes are held for ${came}`);
  }
});

test('a body that comes byte by byte is held once, not once for each byte', () => {
  const decoder = protobufCodec.decoder(MAX_BODY);
  const bytes = frame(1001, 1, Buffer.alloc(100_000));
  for (let at = 0; at < bytes.length - 1; at++) {
    feedAll(decoder, [bytes.subarray(at, at + 1)]);
    assert.ok(decoder.held <= 2 * at + 8192, `${decoder.held} bytes are held for ${at + 1}`);
  }
});

test('a body of 8 MiB in pieces of 1,460 bytes is joined once', (t) => {
  const body = Buffer.alloc(MAX_BODY, 'kim');
  const pieces = inPieces(frame(1001, 1, body), 1460);
  const decoder = protobufCodec.decoder(MAX_BODY);
  let out: Buffer | undefined;
  const { bytes, calls, joins } = allocations(t, () => {
    for (const piece of pieces) {
      decoder.feed(piece);
      out = decoder.next()?.body ?? out;
    }
  });
  assert.ok(out?.equals(body));
  assert.equal(joins, 1);
  assert.ok(bytes < 2.3 * MAX_BODY, `${bytes} bytes were allocated`);
  assert.ok(calls < 40, `${calls} pieces of memory were allocated`);
});

test('a message that is whole in one piece is not copied', (t) => {
  const stream = Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame(1001, i, Buffer.alloc(50))));
  const decoder = protobufCodec.decoder(MAX_BODY);
  const count = allocations(t, () => {
    decoder.feed(stream);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) assert.equal(frame.bytes.buffer, stream.buffer);
  });
  assert.deepEqual(count, { bytes: 0, calls: 0, joins: 0 });
});

test('nothing is held after a message, however it came', () => {
  const bytes = frame(1001, 1, Buffer.alloc(5000));
  for (const size of [1, 2, 15, 16, 1460, 5015]) {
    const decoder = protobufCodec.decoder(MAX_BODY);
    feedAll(decoder, inPieces(bytes, size));
    assert.equal(decoder.held, 0, `in pieces of ${size}`);
    assert.equal(decoder.rest().length, 0);
    assert.equal(decoder.unfinished, false);
  }
});

test('no memory of a message is kept once the decoder was asked for the next one', async () => {
  const decoder = protobufCodec.decoder(MAX_BODY);
  const refs = deliver(decoder);
  await turn();
  collectGarbage();
  assert.deepEqual(
    refs.map((ref) => ref.deref()),
    refs.map(() => undefined),
  );
  assert.equal(decoder.held, 0);
});

/** Feeds a message in three pieces and two in one piece; what it returns does not keep them alive. */
function deliver(decoder: Decoder): WeakRef<ArrayBufferLike>[] {
  const own = (bytes: Buffer) => Buffer.from(Uint8Array.from(bytes).buffer);
  const long = inPieces(frame(1001, 1, Buffer.alloc(50_000)), 20_000).map(own);
  const pieces = [...long, own(Buffer.concat([frame(1001, 2, Buffer.alloc(9)), frame(1001, 3, Buffer.alloc(9))]))];
  const refs: WeakRef<ArrayBufferLike>[] = pieces.map((piece) => new WeakRef(piece.buffer));
  for (const piece of pieces) {
    decoder.feed(piece);
    for (let next = decoder.next(); next !== undefined; next = decoder.next()) refs.push(new WeakRef(next.bytes.buffer));
  }
  assert.equal(refs.length, 7);
  return refs;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('a piece that waits behind a message is held until it is asked for', () => {
  const decoder = protobufCodec.decoder(MAX_BODY);
  const two = Buffer.concat([frame(1001, 1, Buffer.alloc(10)), frame(1001, 2, Buffer.alloc(10))]);
  decoder.feed(two);
  decoder.next();
  assert.ok(decoder.held >= 25);
  decoder.feed(two);
  assert.ok(decoder.held >= 75);
  assert.equal(drain(decoder).length, 3);
  assert.equal(decoder.held, 0);
});

test('random pieces leave a decoder that holds no more than twice what came, and a little', () => {
  const stream = Buffer.concat(Array.from({ length: 200 }, (_, i) => frame(1001, i, Buffer.alloc((i * 37) % 4000))));
  const decoder = protobufCodec.decoder(MAX_BODY);
  let count = 0;
  for (let at = 0, step = 1; at < stream.length; at += step, step = (step * 7 + 3) % 1999) {
    decoder.feed(stream.subarray(at, at + step));
    count += drain(decoder).length;
    assert.ok(decoder.held < 2 * 4015 + 4096, `${decoder.held} bytes are held`);
  }
  assert.equal(count, 200);
});
