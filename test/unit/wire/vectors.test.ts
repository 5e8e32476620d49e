// Every example of the original's wire, byte by byte: what we read, and what we write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { readBody, readData, replyBodyBytes, writeReplyBody, writeRequestBody } from '../../../src/wire/body.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { commands } from '../../../src/wire/commands.ts';
import { Frame, HEAD_BYTES, parseHead, writeHead } from '../../../src/wire/frame.ts';
import { decodeAll, written } from '../../support/decode.ts';
import { hex } from '../../support/frames.ts';

const NONE = Buffer.alloc(0);
const aRequest = (cmd: number, seq: number) => new Frame(cmd, seq, NONE, 0, 0);
const requests = [
  { what: 'the first request of test_tcp_pressure', cmd: 1001, seq: 1, data: '1 - hello', body: '1a0931202d2068656c6c6f' },
  { what: 'CONNECT_TO_WORKER with worker 1', cmd: commands.connectToWorker, seq: 1, data: '1', body: '1a0131' },
  { what: 'HEART_BEAT', cmd: commands.heartbeat, seq: 9, data: 'heartbeat', body: '1a09686561727462656174' },
];
const replies = [
  { what: '1001 of module_test', code: 0, msg: 'ok', data: 'good job!', body: '120412026f6b1a09676f6f64206a6f6221' },
  { what: 'HEART_BEAT', code: 0, msg: '', data: '', body: '1200' },
  { what: 'an unknown command', code: 4, msg: new Fault('unknownCommand').message, data: '', body: '12100804120c696e76616c696420636d6421' },
];

test('a head is 15 bytes with cmd, seq and len in little endian', () => {
  const out = Buffer.alloc(HEAD_BYTES);
  writeHead(out, 0, 1001, 1, 11);
  assert.deepEqual(out, hex('0de9030000 1501000000 1d0b000000'));
  assert.deepEqual(parseHead(out, 0), { cmd: 1001, seq: 1, len: 11 });
});

test('a head keeps fields that are zero: an original closes when they are left out', () => {
  const out = Buffer.alloc(HEAD_BYTES, 0xff);
  writeHead(out, 0, 0, 0, 0);
  assert.deepEqual(out, hex('0d00000000 1500000000 1d00000000'));
  assert.deepEqual(parseHead(out, 0), { cmd: 0, seq: 0, len: 0 });
});

test('a head holds the largest and the most negative values', () => {
  const out = Buffer.alloc(HEAD_BYTES + 2);
  for (const head of [
    { cmd: 0xffffffff, seq: 0xfffffffe, len: 0x7fffffff },
    { cmd: 0x80000000, seq: 0x80000001, len: -0x80000000 },
    { cmd: 1, seq: 256, len: -1 },
  ]) {
    writeHead(out, 2, head.cmd, head.seq, head.len);
    assert.deepEqual(parseHead(out, 2), head);
  }
});

test('the frame of 26 bytes that everybody tries first is read, and gets its reply of 32', () => {
  const bytes = hex('0de90300001501000000 1d0b000000 1a0931202d2068656c6c6f');
  assert.deepEqual(decodeAll(protobufCodec, [bytes]), [[1001, 1, '1a0931202d2068656c6c6f']]);
  const reply = written((out) => protobufCodec.writeReply(out, aRequest(1001, 1), { code: 0, msg: 'ok', data: 'good job!' }));
  assert.deepEqual(reply, hex('0dea0300001501000000 1d11000000 120412026f6b1a09676f6f64206a6f6221'));
});

for (const { what, cmd, seq, data, body } of requests) {
  test(`the request ${what} is read and written as the original writes it`, () => {
    const bytes = hex(body);
    assert.deepEqual(
      written((out) => writeRequestBody(out, data)),
      bytes,
    );
    assert.equal(readData(bytes, 0, bytes.length).toString(), data);
    assert.equal(readBody(bytes).data.toString(), data);
    const head = Buffer.alloc(HEAD_BYTES);
    writeHead(head, 0, cmd, seq, bytes.length);
    assert.deepEqual(decodeAll(protobufCodec, [Buffer.concat([head, bytes])]), [[cmd, seq, body]]);
  });
}

for (const { what, code, msg, data, body } of replies) {
  test(`the reply to ${what} is read and written as the original writes it`, () => {
    assert.deepEqual(
      written((out) => writeReplyBody(out, code, msg, data)),
      hex(body),
    );
    assert.equal(replyBodyBytes(code, msg, data), body.length / 2);
    const { result, data: read } = readBody(hex(body));
    assert.deepEqual([result?.code, result?.msg.toString(), read.toString()], [code, msg, data]);
  });
}

test('a reply goes under the command + 1 with the seq of the request, or under the command that its module names', () => {
  const reply = (cmd?: number) =>
    written((out) => protobufCodec.writeReply(out, aRequest(2001, 0xfffffff0), { code: 0, msg: '', data: '', cmd }));
  assert.deepEqual(reply(), hex('0dd2070000 15f0ffffff 1d02000000 1200'));
  assert.deepEqual(reply(3000), hex('0db80b0000 15f0ffffff 1d02000000 1200'));
});

test('a push is a frame with seq 0', () => {
  const push = written((out) => protobufCodec.writePush(out, 2003, 'hi'));
  assert.deepEqual(push, hex('0dd3070000 1500000000 1d04000000 1a026869'));
});

test('a reply that is the text of a message with an error code keeps both, and a negative code too', () => {
  for (const code of [1, 127, 128, 11003, 0x7fffffff, -1, -0x80000000]) {
    const bytes = written((out) => writeReplyBody(out, code, 'fail', 'invalid json data!'));
    const { result, data } = readBody(bytes);
    assert.deepEqual([result?.code, result?.msg.toString(), data.toString()], [code, 'fail', 'invalid json data!']);
    assert.equal(replyBodyBytes(code, 'fail', 'invalid json data!'), bytes.length);
  }
});
