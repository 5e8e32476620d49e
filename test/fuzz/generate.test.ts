// What the fuzzer sends: the same for the same seed, and as good or as bad as it believes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { readBody } from '../../src/wire/body.ts';
import { protobufCodec } from '../../src/wire/codecs/protobuf.ts';
import { systemType } from '../../src/wire/protobuf.ts';
import { oddBody } from './frames.ts';
import { makeLife, type Life } from './generate.ts';
import { poison } from './poison.ts';
import { Random } from './random.ts';

const MAX_FRAME = 1 << 20;
const SEED = 7;

const bytesOf = (life: Life): Buffer => Buffer.concat(life.writes.map(({ bytes }) => bytes));

function digest(seed: number): string {
  const hash = createHash('sha256');
  for (let n = 0; n < 50; n++) {
    const life = makeLife(seed, n, MAX_FRAME);
    for (const { bytes, frames, pause } of life.writes) hash.update(`${bytes.length} ${frames} ${pause}`).update(bytes);
    hash.update(JSON.stringify([life.replies, life.ending, life.delayMs, life.isSure, life.isComplete]));
  }
  return hash.digest('hex');
}

test('the same seed makes the same bytes in the same pieces, another one makes others', () => {
  assert.equal(digest(SEED), digest(SEED));
  assert.notEqual(digest(SEED), digest(SEED + 1));
  assert.notDeepEqual(bytesOf(makeLife(SEED, 1, MAX_FRAME)), bytesOf(makeLife(SEED, 2, MAX_FRAME)));
});

test('numbers by chance are spread evenly and stay in their range', () => {
  const random = new Random(SEED, 0);
  const counts = Array<number>(8).fill(0);
  for (let i = 0; i < 80_000; i++) counts[random.below(8)]!++;
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, String(counts));
  const edges = new Set(Array.from({ length: 1000 }, () => random.between(-1, 1)));
  assert.deepEqual(
    [...edges].sort((a, b) => a - b),
    [-1, 0, 1],
  );
});

test('what it takes for good frames are frames with the command and number that it waits for', () => {
  for (let n = 0; n < 300; n++) {
    const life = makeLife(SEED, n, MAX_FRAME);
    const decoder = protobufCodec.decoder(MAX_FRAME);
    decoder.feed(bytesOf(life));
    for (const { cmd, seq } of life.replies) {
      const frame = decoder.next();
      assert.deepEqual([frame?.cmd, frame?.seq], [cmd - 1, seq], `life ${n}`);
    }
  }
});

test('strange bodies mean to us what they mean to protobufjs', () => {
  const type = systemType('msg', 'MsgBody');
  const random = new Random(SEED, 1);
  for (let n = 0; n < 2000; n++) {
    const data = random.bytes(random.below(30));
    const bytes = oddBody(random, data);
    const { data: theirs } = type.decode(bytes) as { data?: Uint8Array };
    assert.deepEqual(Buffer.from(theirs ?? []), data, bytes.toString('hex'));
    assert.deepEqual(Buffer.from(readBody(bytes).data), data, bytes.toString('hex'));
  }
});

test('what it calls deadly is refused by the decoder or by the reader of bodies, unless it is a command that is not for clients', () => {
  const random = new Random(SEED, 2);
  for (let n = 0; n < 3000; n++) {
    const bad = poison(random, MAX_FRAME);
    if (bad.fate === 'unknown') continue;
    const decoder = protobufCodec.decoder(MAX_FRAME);
    decoder.feed(bad.bytes);
    const read = () => {
      const frame = decoder.next();
      assert.ok(frame !== undefined);
      return frame.cmd === 2015 || !protobufCodec.isClientCommand(frame.cmd) ? 'closes' : protobufCodec.data(frame);
    };
    let outcome: unknown;
    try {
      outcome = read();
    } catch {
      outcome = 'closes';
    }
    assert.equal(outcome, 'closes', bad.bytes.subarray(0, 200).toString('hex'));
  }
});

test('each kind of end and of writing is met', () => {
  const lives = Array.from({ length: 3000 }, (_, n) => makeLife(SEED, n, MAX_FRAME));
  const endings = new Set(lives.map(({ ending }) => ending));
  assert.deepEqual([...endings].sort(), ['glut', 'gone', 'half', 'mute', 'reset', 'reset on reply', 'wait']);
  assert.ok(lives.some(({ writes }) => writes.length > 20 && writes.every(({ bytes }) => bytes.length === 1)));
  assert.ok(lives.some(({ writes }) => writes.length === 0));
  assert.ok(lives.some(({ port }) => port === 'node'));
  const sure = lives.filter(({ isSure }) => isSure).length;
  assert.ok(sure > 600, `only ${sure} lives of 3000 can be judged to their end`);
});
