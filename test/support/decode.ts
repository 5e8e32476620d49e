// Feeding a decoder in pieces, and writing what it is fed with.

import type { Codec, Decoder } from '../../src/wire/codec.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { Writer } from '../../src/wire/writer.ts';

/** A frame as it was decoded, in a form that is easy to compare. */
export type Decoded = [cmd: number, seq: number, body: string];

export const decoded = (frame: Frame): Decoded => [frame.cmd, frame.seq, frame.body.toString('hex')];

/** Every message that is whole by now. */
export function drain(decoder: Decoder): Decoded[] {
  const out: Decoded[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) out.push(decoded(frame));
  return out;
}

/** What comes out of a new decoder that gets the pieces one by one. */
export function decodeAll(codec: Codec, pieces: readonly Buffer[], maxBody = 1 << 20): Decoded[] {
  const decoder = codec.decoder(maxBody);
  return pieces.flatMap((piece) => {
    decoder.feed(piece);
    return drain(decoder);
  });
}

/** All ways to cut bytes in two, the empty first part left out. */
export function* splits(bytes: Buffer): Generator<[Buffer, Buffer]> {
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

export function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** The bytes that `write` leaves in a writer. */
export function written(write: (out: Writer) => void): Buffer {
  const out = new Writer();
  write(out);
  return out.take();
}
