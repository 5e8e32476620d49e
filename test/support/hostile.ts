// What a worker says that claims to be one of ours and is not: control frames of every number, whole and broken, with every kind of content.

import { systemType } from '../../src/wire/protobuf.ts';
import { bodyOf, frame, request } from './frames.ts';
import { field, varint } from './protobuf-bytes.ts';
import { until } from './until.ts';
import { WireClient } from './wire-client.ts';

const greeting = systemType('nodes', 'greeting');
/** Between workers of ours; even ones answer. */
const [FIRST, LAST] = [61, 99];
/** What is sent to everybody, or to a group without a name, would reach clients that a test counts on: of these only broken ones. */
const TO_ALL = [65, 67];
/** Says that a user has logged in. */
const CLAIM = 77;
const NAMES = ['', 'anna', 'nobody', 'x'.repeat(257), '127.0.0.1:1.1', '\u0000', 'ä'.repeat(200)];
const TIMES = [0, -1, Number.NaN, Infinity, -Infinity, 1e300, Number.MAX_SAFE_INTEGER, Date.now() + 1e9];
const NUMBERS = [0, 1, 127, 0xffff_ffff];

type Random = () => number;
const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;
const noise = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => below(random, 256)));

/** `n` frames for each number; the same for the same random numbers. */
export function hostileFrames(random: Random, n: number): Buffer[] {
  const numbers = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
  return numbers.flatMap((cmd) => Array.from({ length: n }, () => frame(cmd, pick(random, [0, 1, 2, 7, 0xffff_ffff]), body(random, cmd))));
}

function body(random: Random, cmd: number): Buffer {
  const kind = below(random, 6);
  if (kind === 0) return Buffer.alloc(0);
  if (kind === 1) return Buffer.concat([Buffer.from([0x1a, 0xff]), noise(random, 20)]);
  if (kind === 2) return bodyOf({ rsp_result: { code: pick(random, NUMBERS) | 0 }, data: noise(random, below(random, 60)) });
  if (kind === 3 || TO_ALL.includes(cmd)) return bodyOf({ data: Buffer.concat([Buffer.from([0xff]), noise(random, 300)]) });
  return bodyOf({ data: message(random) });
}

/** Fields that messages have, in any order and number. */
function message(random: Random): Buffer {
  const one = (): Buffer => {
    const number = 1 + below(random, 6);
    const kind = below(random, 5);
    if (kind === 0) return Buffer.concat([varint(number * 8), varint(pick(random, NUMBERS))]);
    if (kind === 1) return Buffer.concat([varint(number * 8 + 1), double(pick(random, TIMES))]);
    return field(number, kind === 2 ? noise(random, below(random, 100)) : pick(random, NAMES));
  };
  return Buffer.concat(Array.from({ length: 1 + below(random, 8) }, one));
}

function double(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return out;
}

/** Logins of that user that no clock could have told of. */
export function absurdLogins(user: string): Buffer[] {
  return TIMES.map((time) => {
    const data = Buffer.concat([field(1, user), field(2, 'zzz'), varint(3 * 8 + 1), double(time)]);
    return frame(CLAIM, 0, bodyOf({ data }));
  });
}

/** Who it says that it is. */
export interface Claimed {
  type: string;
  port: number;
}

/** Opens a link to a worker as one of ours, sends these frames, and resolves when they are all read, or the link was ended for them. */
export async function talkTo(port: number, worker: number, { type, port: own }: Claimed, frames: readonly Buffer[]): Promise<void> {
  const client = await WireClient.connect(port);
  client.send(request(21, 1, String(worker)));
  await client.frame();
  const self = { node_type: type, ip: '127.0.0.1', port: own, worker_index: 1, capabilities: 1, version: '0' };
  client.send(request(23, 2, greeting.encode(self)));
  await client.frame();
  for (const bytes of frames) client.send(bytes);
  client.send(request(31, 3, 'heartbeat'));
  await until(() => client.ended || client.closed || client.seen.some(({ cmd }) => cmd === 32), 'all is read');
  client.destroy();
}
