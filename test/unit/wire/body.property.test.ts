// Our reader and writer of bodies against protobufjs, on bodies that are made up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { readBody, readData, replyBodyBytes, writeReplyBody, writeRequestBody, type Body } from '../../../src/wire/body.ts';
import { systemType } from '../../../src/wire/protobuf.ts';
import { written } from '../../support/decode.ts';
import { bodyOf, type BodyFields } from '../../support/frames.ts';
import { bytes, fc, forAll } from '../../support/property.ts';
import { anyMessage } from '../../support/protobuf-bytes.ts';

const msgBody = systemType('msg', 'MsgBody');

/** What protobufjs reads, in our words; undefined where it refuses. */
function reference(input: Buffer): Body | undefined {
  try {
    const fields = msgBody.decode(input) as BodyFields;
    const { rsp_result: result, req_target: target } = fields;
    return {
      data: Buffer.from(fields.data!),
      addOn: Buffer.from(fields.add_on!),
      traceId: fields.trace_id!,
      result: result && { code: result.code!, msg: Buffer.from(result.msg!) },
      target: target && { routeId: target.route_id!, route: target.route! },
    };
  } catch {
    return undefined;
  }
}

function ours(input: Buffer): Body | undefined {
  try {
    return readBody(input);
  } catch (error) {
    assert.ok(error instanceof Fault && error.fault === 'invalidMessage');
    return undefined;
  }
}

/** Any text, lone surrogates aside, which have no UTF-8. */
const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength }).map((s) => s.toWellFormed());
const code = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 127, 128, 0x7fffffff, -1, -0x80000000));
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const anyBody: fc.Arbitrary<BodyFields> = fc
  .record({
    which: fc.constantFrom('none', 'target', 'result'),
    target: fc.record({ route_id: some(fc.nat({ max: 0xffffffff })), route: some(text(40)) }, { requiredKeys: [] }),
    result: fc.record({ code: some(code), msg: some(bytes(200)) }, { requiredKeys: [] }),
    data: some(bytes(300)),
    add_on: some(bytes(200)),
    trace_id: some(text(64)),
  })
  .map(({ which, target, result, ...rest }) => {
    const fields = { ...rest, ...(which === 'target' ? { req_target: target } : which === 'result' ? { rsp_result: result } : {}) };
    return JSON.parse(JSON.stringify(fields), (_, value: unknown) => revive(value)) as BodyFields;
  });

/** JSON drops what is undefined; bytes come back as bytes. */
function revive(value: unknown): unknown {
  const made = value as { type?: unknown; data?: number[] } | null;
  return typeof made === 'object' && made?.type === 'Buffer' ? Buffer.from(made.data!) : value;
}

test('reads every body that protobufjs writes', () => {
  forAll(anyBody, (fields) => {
    const encoded = bodyOf(fields);
    assert.deepEqual(readBody(encoded), reference(encoded));
    assert.deepEqual(readData(encoded, 0, encoded.length), Buffer.from(fields.data ?? []));
  });
});

test('reads a body that lies inside other bytes', () => {
  forAll(fc.tuple(anyBody, bytes(20), bytes(20)), ([fields, before, behind]) => {
    const encoded = bodyOf(fields);
    const all = Buffer.concat([before, encoded, behind]);
    assert.deepEqual(readBody(all, before.length, before.length + encoded.length), reference(encoded));
  });
});

test('protobufjs reads every reply that we write', () => {
  forAll(fc.tuple(code, fc.oneof(text(100), bytes(100)), fc.oneof(text(300), bytes(300))), ([number, msg, data]) => {
    const encoded = written((out) => writeReplyBody(out, number, msg, data));
    const { rsp_result: result, data: read } = msgBody.decode(encoded) as BodyFields;
    assert.equal(result?.code, number);
    assert.deepEqual(result?.msg, Buffer.from(msg));
    assert.deepEqual(read, Buffer.from(data));
    assert.equal(replyBodyBytes(number, msg, data), encoded.length);
  });
});

test('protobufjs reads every request that we write', () => {
  forAll(fc.tuple(fc.oneof(text(300), bytes(300)), text(100)), ([data, traceId]) => {
    const { data: read, trace_id } = msgBody.decode(written((out) => writeRequestBody(out, data, traceId))) as BodyFields;
    assert.deepEqual(read, Buffer.from(data));
    assert.equal(trace_id, traceId);
  });
});

test('text with half a character is written as its replacement, as Node.js writes it', () => {
  for (const data of ['\ud800', 'a\udfffb', '\ud83d\ude00\ud83d', '\ud800'.repeat(60)]) {
    const { data: read } = msgBody.decode(written((out) => writeReplyBody(out, 0, 'ok', data))) as BodyFields;
    assert.deepEqual(read, Buffer.from(data));
  }
});

test('agrees with protobufjs on what is a body, and on its values', () => {
  let accepted = 0;
  forAll(
    anyMessage,
    (input) => {
      const expected = reference(input);
      assert.deepEqual(ours(input), expected);
      if (expected !== undefined) accepted++;
    },
    4000,
  );
  assert.ok(accepted > 1000 && accepted < 3500, `the made-up bodies prove little: ${accepted} of 4000 are bodies`);
});

test('agrees with protobufjs on bytes of any kind', () => {
  forAll(bytes(24), (input) => assert.deepEqual(ours(input), reference(input)), 4000);
});
