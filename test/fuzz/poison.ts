// Bytes that break the rules: each ends the connection for sure, or does what nobody can say.

import { bytesField, group, plainHead, tagOf, varint } from './bytes.ts';
import { goodFrame, type Expected } from './frames.ts';
import type { Random } from './random.ts';

export interface Poison {
  bytes: Buffer;
  /** `closes`: the server ends the connection here and answers nothing behind it. */
  fate: 'closes' | 'unknown';
  /** A last word that comes before the end. */
  reply?: Expected;
}

const closes = (bytes: Buffer): Poison => ({ bytes, fate: 'closes' });
const unknown = (bytes: Buffer): Poison => ({ bytes, fate: 'unknown' });

type Maker = (random: Random, maxFrame: number) => Poison;

const makers: readonly (readonly [weight: number, Maker])[] = [
  [15, (random) => unknown(random.bytes(random.chance(0.9) ? random.between(1, 60) : random.between(60, 3000)))],
  [20, flipped],
  [10, cut],
  [20, lyingLength],
  [8, (random, maxFrame) => closes(plainHead(1001, 1, random.pick([maxFrame + 1, maxFrame * 2, 0x7fffffff])))],
  [25, (random) => closes(framed(random.pick([1001, 2001, 5001]), random.u32(), brokenBody(random)))],
  [10, brokenHead],
  [10, systemCommand],
  [5, closedByModule],
];

export function poison(random: Random, maxFrame: number): Poison {
  return random.weighted(makers)(random, maxFrame);
}

function framed(cmd: number, seq: number, body: Buffer): Buffer {
  return Buffer.concat([plainHead(cmd, seq, body.length), body]);
}

function flipped(random: Random): Poison {
  const { bytes } = goodFrame(random);
  // what makes a frame lies in its first bytes
  const reach = random.chance(0.8) ? Math.min(bytes.length, 40) : bytes.length;
  for (let n = random.between(1, 8); n > 0; n--) bytes[random.below(reach)]! ^= 1 << random.below(8);
  return unknown(bytes);
}

function cut(random: Random): Poison {
  const { bytes } = goodFrame(random);
  const start = random.chance(0.3) ? random.below(bytes.length) : 0;
  return unknown(bytes.subarray(start, start + random.below(bytes.length - start)));
}

function lyingLength(random: Random): Poison {
  const body = bytesField(3, random.bytes(random.below(100)));
  const lies = [body.length + 1, body.length - 1, 0, -1, -0x80000000, -body.length, body.length * 2, random.below(1000), random.u32() | 0];
  return unknown(Buffer.concat([plainHead(random.pick([1001, 2001, 5001]), random.u32(), random.pick(lies)), body]));
}

/** A body that no parser takes. */
export function brokenBody(random: Random): Buffer {
  const whole = random.chance(0.5) ? bytesField(3, random.bytes(random.below(30))) : Buffer.alloc(0);
  const broken = random.pick([
    () => Buffer.concat([varint(tagOf(3, 2)), varint(1000), random.bytes(5)]), // a field that is longer than the body
    () => Buffer.concat([varint(tagOf(3, 2)), varint(random.pick([0x7fffffff, 0xffffffff, 2 ** 52]))]),
    () => varint(tagOf(random.between(1, 5), 2)), // a tag and nothing behind it
    () => Buffer.concat([varint(tagOf(9, 0)), Buffer.alloc(random.between(1, 4), 0xff)]), // a number that does not end
    () => Buffer.concat([varint(tagOf(9, 0)), Buffer.alloc(10, 0xff), Buffer.of(1)]), // and one that is too long
    () => Buffer.alloc(11, 0x80),
    () => Buffer.concat([varint(tagOf(9, 2)), varint(1, random.between(5, 8)), Buffer.of(0)]), // a length of more than five bytes
    () => Buffer.concat([varint(tagOf(3, 2), random.between(5, 8)), Buffer.of(0)]), // and such a tag
    () => bytesField(5, Buffer.of(0x61, 0xff)), // a text that is not UTF-8
    () => varint(tagOf(0, random.below(8))), // field 0
    () => Buffer.concat([varint(tagOf(random.between(1, 20), random.pick([6, 7]))), Buffer.of(0)]), // kinds that do not exist
    () => varint(tagOf(7, 4)), // the end of a group that did not begin
    () => varint(tagOf(7, 3)), // the beginning of one that does not end
    () => Buffer.concat([varint(tagOf(7, 3)), varint(tagOf(8, 4))]), // the end of another one
    () => group(7, Buffer.alloc(0), random.between(102, 5000)), // deeper than anybody follows
    () => Buffer.concat([varint(tagOf(9, 1)), random.bytes(7)]),
    () => Buffer.concat([varint(tagOf(9, 5)), random.bytes(3)]),
    () => bytesField(random.pick([1, 2]), Buffer.of(0x08)), // a message in it that is broken
    () => bytesField(random.pick([1, 2]), Buffer.of(0x12, 0x05, 0x61)),
    () => bytesField(random.pick([1, 2]), Buffer.of(0x0f)),
  ])();
  return Buffer.concat([whole, broken]);
}

function brokenHead(random: Random): Poison {
  const bytes = plainHead(1001, random.u32(), 0);
  switch (random.below(3)) {
    case 0:
      bytes[random.pick([0, 5, 10])] = random.pick([0x00, 0x0e, 0x0f, 0x06, 0x07]);
      break;
    case 1:
      bytes.fill(random.pick([0x00, 0xff, 0x80]));
      break;
    default:
      // a field that goes on behind the head
      bytes[10] = random.pick([0x19, 0x1a]);
      bytes[11] = 0x7f;
  }
  return closes(bytes);
}

/** A module that closes its client still answers it. */
function closedByModule(random: Random): Poison {
  const seq = random.u32();
  return { ...closes(plainHead(2015, seq, 0)), reply: { cmd: 2016, seq, code: 0, length: 0 } };
}

/** Numbers below 1000 belong to nodes; a client that sends one is told so and closed. */
function systemCommand(random: Random): Poison {
  const cmd = random.chance(0.5) ? random.pick([0, 1, 21, 23, 31, 41, 43, 45, 47, 49, 101, 999]) : random.below(1000);
  const seq = random.u32();
  return {
    bytes: framed(cmd, seq, bytesField(3, random.bytes(random.below(20)))),
    fate: 'closes',
    reply: { cmd: cmd + 1, seq, code: 4, length: 0 },
  };
}
