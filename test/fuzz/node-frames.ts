// What a node says to another one on the port for nodes: the handshake, heartbeats, requests, and all of it broken now and then.

import { bytesField, plainHead } from './bytes.ts';
import { goodFrame, oddBody } from './frames.ts';
import { brokenBody, poison } from './poison.ts';
import type { Random } from './random.ts';

const CONNECT = 21;
const TELL = 23;
const HEARTBEAT = 31;
const SYSTEM = [CONNECT, TELL, HEARTBEAT, 41, 43, 45, 47, 49];

/** target_node: type, address, port and worker of the one who speaks. */
const SELF = Buffer.concat([bytesField(1, Buffer.from('gate')), bytesField(2, Buffer.from('127.0.0.1'))]);

/** The frames of a connection to the port for nodes. */
export function nodeFrames(random: Random, maxFrame: number): Buffer[] {
  const first = random.weighted<() => Buffer>([
    [70, () => framed(random, CONNECT, bytesField(3, Buffer.from(random.pick(['1', '1', '2', '0', '3', '-1', '99999', 'x', '']))))],
    [10, () => framed(random, CONNECT, brokenBody(random))],
    [10, () => framed(random, random.pick(SYSTEM), oddBody(random, Buffer.from('1')))],
    [10, () => poison(random, maxFrame).bytes],
  ])();
  return [first, ...Array.from({ length: random.below(30) }, () => laterFrame(random, maxFrame))];
}

function laterFrame(random: Random, maxFrame: number): Buffer {
  return random.weighted<() => Buffer>([
    [20, () => framed(random, HEARTBEAT, bytesField(3, Buffer.from('heartbeat')))],
    [15, () => framed(random, TELL, bytesField(3, SELF))],
    [10, () => framed(random, TELL, bytesField(3, random.bytes(random.below(40))))],
    [10, () => framed(random, random.pick(SYSTEM), brokenBody(random))],
    [10, () => framed(random, random.below(1000), oddBody(random, random.bytes(random.below(20))))],
    [30, () => goodFrame(random).bytes],
    [3, () => framed(random, random.pick([1001, 2001, 5001]), brokenBody(random))],
    [2, () => poison(random, maxFrame).bytes],
  ])();
}

function framed(random: Random, cmd: number, body: Buffer): Buffer {
  return Buffer.concat([plainHead(cmd, random.u32(), body.length), body]);
}
