// What workers of ours tell each other, against protobufjs with proto/control.proto.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import * as messages from '../../../src/cluster/control.ts';
import {
  control,
  decodePush,
  decodeResults,
  decodeSpread,
  encodeFrames,
  encodeResults,
  encodeSpread,
} from '../../../src/cluster/control.ts';
import { isControl } from '../../../src/wire/commands.ts';
import type { MessageType } from '../../../src/wire/message.ts';
import { systemType } from '../../../src/wire/protobuf.ts';
import { bytes, fc, forAll } from '../../support/property.ts';
import { anyMessage } from '../../support/protobuf-bytes.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 }).map((s) => s.toWellFormed());
const name = text.filter((s) => s !== '');
const uint32 = fc.oneof(fc.nat({ max: 0xffffffff }), fc.constantFrom(0, 127, 128, 1001, 0xffffffff));
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fffffff, -0x80000000));
const time = fc.oneof(fc.double(), fc.constantFrom(0, 1_790_000_000_123.5));
const frame = fc.record({ cmd: uint32, data: bytes(200) }).map((made) => ({ ...made }));
const frames = fc.array(frame, { maxLength: 4 });
const names = fc.array(text, { maxLength: 5 });

const reading =
  (decode: (input: Buffer) => unknown) =>
  (input: Buffer): unknown => {
    try {
      return decode(input);
    } catch (error) {
      if (error instanceof Error && error.name === 'AssertionError') throw error;
      assert.ok(!(error instanceof Fault) || error.fault === 'invalidMessage', String(error));
      return undefined;
    }
  };

/** Our reader of a hand-written message, and what protobufjs reads, in our words. */
const handWritten: Readonly<Record<string, { ours: (input: Buffer) => unknown; words: (read: Record<string, unknown>) => unknown }>> = {
  Push: { ours: decodePush, words: ({ skip_slow, ...rest }) => ({ ...rest, skipSlow: skip_slow }) },
  Spread: { ours: decodeSpread, words: (read) => read },
  Results: { ours: decodeResults, words: ({ results }) => results },
};

for (const [type, { ours, words }] of Object.entries(handWritten)) {
  const reference = systemType('control', type);
  test(`we agree with protobufjs on what is a ${type}`, () => {
    const expected = reading((input) => words(reference.decode(input)));
    const got = reading(ours);
    forAll(anyMessage, (input) => assert.deepEqual(got(input), expected(input)), 3000);
    forAll(bytes(24), (input) => assert.deepEqual(got(input), expected(input)), 2000);
  });
}

test('protobufjs reads every Push that we write, and we read every one that it writes', () => {
  const reference = systemType('control', 'Push');
  forAll(fc.tuple(fc.array(name, { maxLength: 5 }), frames, fc.boolean()), ([users, list, skipSlow]) => {
    const encoded = messages.encodeToUsers(users, encodeFrames(list, skipSlow));
    const value = { sessions: [], users, frames: list, skip_slow: skipSlow };
    assert.deepEqual(reference.decode(encoded), value);
    assert.deepEqual(decodePush(reference.encode(value)), { sessions: [], users, frames: list, skipSlow });
  });
  forAll(fc.tuple(name, uint32, fc.oneof(text, bytes(100))), ([session, cmd, data]) => {
    const read = decodePush(messages.encodeToSession(session, cmd, data));
    assert.deepEqual(read, { sessions: [session], users: [], frames: [{ cmd, data: Buffer.from(data) }], skipSlow: false });
  });
});

test('protobufjs reads every Spread that we write, and we read every one that it writes', () => {
  const reference = systemType('control', 'Spread');
  forAll(fc.tuple(text, frames), ([group, list]) => {
    assert.deepEqual(reference.decode(encodeSpread(group, encodeFrames(list))), { group, frames: list });
    assert.deepEqual(decodeSpread(reference.encode({ group, frames: list })), { group, frames: list });
  });
});

test('protobufjs reads every Results that we write, and we read every one that it writes', () => {
  const reference = systemType('control', 'Results');
  forAll(bytes(300), (results) => {
    assert.deepEqual(reference.decode(encodeResults(results)), { results });
    assert.deepEqual(decodeResults(reference.encode({ results })), results);
  });
});

const tables: Readonly<Record<string, { ours: MessageType<unknown>; values: fc.Arbitrary<object> }>> = {
  Kick: { ours: messages.kick, values: fc.record({ session: text, user: text, code: int32, reason: text }) },
  SpreadReply: { ours: messages.spreadReply, values: fc.record({ delivered: uint32, slow: uint32 }) },
  Membership: { ours: messages.membership, values: fc.record({ session: text, group: text }) },
  Bind: { ours: messages.bind, values: fc.record({ session: text, user: text }) },
  Unbind: { ours: messages.unbind, values: fc.record({ session: text }) },
  Answer: { ours: messages.answer, values: fc.record({ result: uint32 }) },
  Claim: { ours: messages.claim, values: fc.record({ user: text, session: text, time, refuse: fc.boolean() }) },
  ClaimReply: { ours: messages.claimReply, values: fc.record({ result: uint32, time }) },
  Locate: { ours: messages.locate, values: fc.record({ users: names }) },
  Moved: { ours: messages.moved, values: fc.record({ worker: text, sessions: names }) },
  Resume: { ours: messages.resume, values: fc.record({ session: text, token: bytes(200) }) },
  Transfer: {
    ours: messages.transfer,
    values: fc.record({
      session: text,
      user: text,
      user_time: time,
      groups: names,
      properties: bytes(200),
      pins: names,
      requests: uint32,
      token: bytes(16),
    }),
  },
  Follow: { ours: messages.follow, values: fc.record({ session: text, user: text, is_over: fc.boolean() }) },
  Migrate: {
    ours: messages.migrate,
    values: fc.record({ session: text, user: text, address: text, gate: text, properties: bytes(200) }),
  },
};

for (const [type, { ours, values }] of Object.entries(tables)) {
  const reference = systemType('control', type);
  test(`protobufjs reads every ${type} that we write, and we read every one that it writes`, () => {
    forAll(values, (made) => {
      const value = { ...made };
      assert.deepEqual(reference.decode(ours.encode(value)), value);
      assert.deepEqual(ours.decode(reference.encode(value)), value);
    });
  });
}

const isRefused = (decode: (input: Buffer) => unknown, input: Buffer, what: RegExp) =>
  assert.throws(
    () => decode(input),
    (error) => error instanceof Fault && error.fault === 'invalidMessage' && what.test(error.message),
  );

test('lists, names and data above their limits are refused when they are read', () => {
  const long = 'x'.repeat(messages.MAX_NAME + 1);
  const many = Array.from({ length: messages.MAX_NAMES + 1 }, (_, i) => `u${i}`);
  const one = encodeFrames([{ cmd: 1, data: 'x' }]);
  isRefused(decodePush, messages.encodeToUsers(many, one), /more than 4096 clients/);
  isRefused(decodePush, messages.encodeToUsers([long], one), /257 bytes, the limit is 256/);
  isRefused(decodePush, messages.encodeToSession(long, 1, ''), /257 bytes/);
  isRefused(decodePush, Buffer.concat(Array.from({ length: messages.MAX_FRAMES + 1 }, () => one)), /more than 1024 frames/);
  isRefused(decodePush, encodeFrames([{ cmd: 1, data: Buffer.alloc(messages.MAX_DATA + 1) }]), /data of 4194305 bytes/);
  isRefused(decodeSpread, encodeSpread(long, one), /257 bytes/);
  isRefused(decodeResults, encodeResults(Buffer.alloc(messages.MAX_NAMES + 1)), /more than 4096/);
  isRefused(messages.locate.decode, messages.locate.encode({ users: many }), /4097 users, the limit is 4096/);
  isRefused(messages.locate.decode, messages.locate.encode({ users: [long] }), /users of 257 bytes/);
  isRefused(messages.bind.decode, messages.bind.encode({ user: long }), /user of 257 bytes/);
  isRefused(messages.moved.decode, messages.moved.encode({ sessions: many }), /4097 sessions/);
  isRefused(messages.kick.decode, messages.kick.encode({ reason: 'x'.repeat(messages.MAX_REASON + 1) }), /reason of 1025 bytes/);
  isRefused(messages.resume.decode, messages.resume.encode({ token: Buffer.alloc(4097) }), /token of 4097 bytes/);
  isRefused(messages.transfer.decode, messages.transfer.encode({ properties: Buffer.alloc(4 * 1024 * 1024 + 1) }), /properties of/);
  assert.equal(messages.kick.decode(messages.kick.encode({ reason: 'x'.repeat(messages.MAX_REASON) })).reason.length, messages.MAX_REASON);
});

test('an answer that does not parse is as good as none', () => {
  assert.equal(messages.readAnswer(undefined, Buffer.from([0xff]), decodeResults), undefined);
  assert.equal(messages.readAnswer(new Fault('timeout'), Buffer.alloc(0), decodeResults), undefined);
  assert.deepEqual(messages.readAnswer(undefined, Buffer.from([0x0a, 1, 7]), decodeResults), Buffer.from([7]));
});

test('the numbers are odd, and among those of workers of ours', () => {
  const numbers = Object.values(control);
  assert.ok(numbers.every((cmd) => isControl(cmd) && isControl(cmd + 1) && cmd % 2 === 1));
  assert.equal(new Set(numbers).size, numbers.length);
});
