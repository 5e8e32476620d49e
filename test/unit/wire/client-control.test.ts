// What client and gate tell each other about their connection, against protobufjs with proto/client.proto.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protobufClientCodec } from '../../../src/client/codec.ts';
import { Fault } from '../../../src/errors.ts';
import {
  clientCommands,
  heartbeat,
  heartbeatReply,
  hello,
  isClientControl,
  kick,
  leave,
  move,
  welcome,
} from '../../../src/wire/client-control.ts';
import type { MessageType } from '../../../src/wire/message.ts';
import { systemType } from '../../../src/wire/protobuf.ts';
import { written } from '../../support/decode.ts';
import { hex } from '../../support/frames.ts';
import { bytes, fc, forAll } from '../../support/property.ts';
import { anyMessage } from '../../support/protobuf-bytes.ts';

const text = fc.string({ unit: 'binary', maxLength: 100 }).map((s) => s.toWellFormed());
const uint32 = fc.oneof(fc.nat({ max: 0xffffffff }), fc.constantFrom(0, 127, 128, 0xffffffff));
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fffffff, -0x80000000));
const time = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1_790_000_000_123.5));

const types: Readonly<Record<string, { ours: MessageType<unknown>; values: fc.Arbitrary<object> }>> = {
  Hello: { ours: hello, values: fc.record({ version: text, token: bytes(200), capabilities: uint32 }) },
  Welcome: {
    ours: welcome,
    values: fc.record({
      session_id: text,
      token: bytes(200),
      heartbeat_ms: uint32,
      server_time: time,
      resumed: fc.boolean(),
      user_id: text,
    }),
  },
  Heartbeat: { ours: heartbeat, values: fc.record({ client_time: time }) },
  HeartbeatReply: { ours: heartbeatReply, values: fc.record({ server_time: time, client_time: time }) },
  Kick: { ours: kick, values: fc.record({ reason: text, code: int32 }) },
  Move: { ours: move, values: fc.record({ addresses: fc.array(text, { maxLength: 5 }), leave_by_ms: uint32 }) },
  Leave: { ours: leave, values: fc.record({ moved: fc.boolean() }) },
};

for (const [name, { ours, values }] of Object.entries(types)) {
  const reference = systemType('client', name);
  const expected = (input: Buffer): unknown => {
    try {
      return reference.decode(input);
    } catch {
      return undefined;
    }
  };
  const got = (input: Buffer): unknown => {
    try {
      return ours.decode(input);
    } catch (error) {
      assert.ok(error instanceof Fault && error.fault === 'invalidMessage', String(error));
      return undefined;
    }
  };

  test(`protobufjs reads every ${name} that we write, and we read every one that it writes`, () => {
    forAll(values, (made) => {
      const value = { ...made };
      assert.deepEqual(reference.decode(ours.encode(value)), value);
      assert.deepEqual(ours.decode(reference.encode(value)), value);
    });
  });

  test(`we agree with protobufjs on what is a ${name}`, () => {
    forAll(anyMessage, (input) => assert.deepEqual(got(input), expected(input)), 2000);
    forAll(bytes(24), (input) => assert.deepEqual(got(input), expected(input)), 2000);
  });
}

test('a message of defaults is empty, and what is empty has the defaults', () => {
  assert.equal(hello.encode({ version: '', token: Buffer.alloc(0), capabilities: 0 }).length, 0);
  assert.equal(welcome.encode({}).length, 0);
  assert.deepEqual(move.decode(Buffer.alloc(0)), { addresses: [], leave_by_ms: 0 });
});

test('the frame of the documentation is what a client sends', () => {
  const data = hello.encode({ version: 'kim', token: hex('aabb'), capabilities: 1 });
  const bytes = written((out) => protobufClientCodec.writeRequest(out, clientCommands.hello, 1, data, ''));
  assert.deepEqual(bytes, hex('0d65000000 1501000000 1d0d000000 1a0b 0a036b696d 1202aabb 1801'));
});

test('fields have the numbers that gates and clients in other languages know', () => {
  assert.deepEqual(move.encode({ addresses: ['10.0.0.7:3355'], leave_by_ms: 60_000 }), hex('0a0d31302e302e302e373a33333535 10e0d403'));
  assert.deepEqual(kick.encode({ reason: 'x', code: -1 }), hex('0a0178 10ffffffffffffffffff01'));
  assert.deepEqual(leave.encode({ moved: true }), hex('0801'));
});

test('the numbers set aside lie between those of the system and those of applications', () => {
  assert.ok(Object.values(clientCommands).every((cmd) => isClientControl(cmd) && isClientControl(cmd + 1) && cmd % 2 === 1));
  assert.deepEqual([100, 101, 199, 200, 1000].map(isClientControl), [false, true, true, false, false]);
});
