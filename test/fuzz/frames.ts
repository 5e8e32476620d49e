// Frames that a server has to answer, however strangely they are written, together with the reply that has to come.

import { bytesField, group, oddHead, plainHead, tagOf, unknownField, varint } from './bytes.ts';
import type { Random } from './random.ts';

export interface Expected {
  cmd: number;
  seq: number;
  code: number;
  /** Bytes of data in the reply; -1 where that is not said. */
  length: number;
}

export interface Good {
  bytes: Buffer;
  reply: Expected;
  /** The reply comes in a later turn. */
  isAsync: boolean;
}

/** What the module beside this file and those that are shipped answer. */
interface Command {
  cmd(random: Random): number;
  data(random: Random): Buffer;
  code: number;
  length: number | 'same';
  isAsync?: true;
}

/** The command of pushes; no request is answered under it. */
export const PUSH = 3001;
const NONE = Buffer.alloc(0);

const short = (random: Random): Buffer => random.bytes(random.below(40));
const anything = (random: Random): Buffer =>
  random.weighted<(r: Random) => Buffer>([
    [900, short],
    [95, (r) => Buffer.alloc(r.between(40, 4000), r.u32() & 0xff)],
    [4, (r) => Buffer.alloc(r.between(4000, 40_000), r.u32() & 0xff)],
    [1, (r) => Buffer.alloc(r.between(40_000, 200_000), r.u32() & 0xff)],
  ])(random);
const text = (...texts: string[]) => {
  const all = texts.map((one) => Buffer.from(one));
  return (random: Random) => random.pick(all);
};
const one = (cmd: number) => () => cmd;
const anyEcho = (random: Random): number => random.between(2000, 0x7ffffffe) * 2 + 1;

const commands: readonly (readonly [weight: number, Command])[] = [
  [300, { cmd: one(1001), data: anything, code: 0, length: 9 }],
  [100, { cmd: one(1003), data: short, code: 0, length: 16 }],
  [60, { cmd: one(1007), data: text('{"user_id":7,"user_name":"x"}', '{"user_id":"7","user_name":1}'), code: 0, length: 13 }],
  [40, { cmd: one(1007), data: text('', '{', 'null', '{"user_id":7}', '[]', '\0'), code: 1, length: 18 }],
  [300, { cmd: anyEcho, data: anything, code: 0, length: 'same' }],
  [60, { cmd: one(2001), data: anything, code: 0, length: 'same', isAsync: true }],
  [40, { cmd: one(2003), data: short, code: 0, length: 'same', isAsync: true }],
  [10, { cmd: one(2005), data: short, code: 1, length: 0 }],
  [10, { cmd: one(2007), data: short, code: 5, length: 0 }],
  [2, { cmd: one(2009), data: short, code: 18, length: 0, isAsync: true }],
  [20, { cmd: one(2011), data: short, code: 0, length: 'same' }],
  [10, { cmd: one(2013), data: short, code: 0, length: 'same' }],
  [6, { cmd: one(2017), data: text('1', '1000', '20000', '70000', '300000'), code: 0, length: -1 }],
  [10, { cmd: one(2019), data: short, code: 0, length: 'same', isAsync: true }],
];

/** A frame that gets its reply. In a third of all cases it is written as no encoder would. */
export function goodFrame(random: Random): Good {
  const command = random.weighted(commands);
  const cmd = command.cmd(random);
  const data = command.data(random);
  const seq = random.chance(0.9) ? random.u32() : random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff]);
  const isAsync = command.isAsync === true;
  const length = command.length === 'same' ? data.length : command.length;
  const reply: Expected = { cmd: (cmd + 1) >>> 0, seq, code: command.code, length };
  if (random.chance(0.66)) {
    const body = data.length === 0 ? NONE : bytesField(3, data);
    return { bytes: Buffer.concat([plainHead(cmd, seq, body.length), body]), reply, isAsync };
  }
  const body = oddBody(random, data);
  const head = random.chance(0.5) ? { bytes: plainHead(cmd, seq, body.length), seq } : oddHead(random, cmd, seq, body.length);
  return { bytes: Buffer.concat([head.bytes, body]), reply: { ...reply, seq: head.seq }, isAsync };
}

/** An empty body, said with a length that is negative: the original takes it for zero. */
export function negativeLength(random: Random): Good {
  const seq = random.u32();
  const reply = { cmd: 1002, seq, code: 0, length: 9 };
  return { bytes: plainHead(1001, seq, -random.between(1, 0x80000000)), reply, isAsync: false };
}

/** A short request for a long reply, which nobody checks. */
export function largeReply(): Buffer {
  const body = bytesField(3, Buffer.from('300000'));
  return Buffer.concat([plainHead(2017, 1, body.length), body]);
}

/** A body with this data and other things around it. */
export function oddBody(random: Random, data: Buffer): Buffer {
  const before = Array.from({ length: random.below(3) }, () => extra(random));
  const after = Array.from({ length: random.below(3) }, () => extra(random));
  if (random.chance(0.2)) before.push(bytesField(3, short(random)));
  const dataTag = varint(tagOf(3, 2), random.chance(0.1) ? random.between(1, 3) : 0);
  // a length may be written with up to five bytes
  const least = varint(data.length).length;
  const length = varint(data.length, random.chance(0.3) ? random.below(6 - least) : 0);
  const isLeftOut = data.length === 0 && !before.some((part) => part[0] === 0x1a);
  return Buffer.concat([...before, ...(isLeftOut ? [] : [dataTag, length, data]), ...after]);
}

function extra(random: Random): Buffer {
  switch (random.below(6)) {
    case 0:
      return bytesField(1, Buffer.concat([varint(8), varint(random.u32()), bytesField(2, Buffer.from('route'))]));
    case 1:
      return bytesField(2, Buffer.concat([varint(8), varint(random.u32()), bytesField(2, short(random))]));
    case 2:
      return bytesField(4, short(random));
    case 3:
      return bytesField(5, Buffer.from(random.u32().toString(16)));
    case 4:
      return group(random.between(6, 20), NONE, random.between(1, 100));
    default:
      return unknownField(random);
  }
}
