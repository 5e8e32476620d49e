// What readData finds, and what it refuses: the one thing that every request costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { readBody, readData } from '../../../src/wire/body.ts';
import { hex } from '../../support/frames.ts';
import { field } from '../../support/protobuf-bytes.ts';

const data = (body: Buffer) => readData(body, 0, body.length).toString();
const isBroken = (error: unknown) => error instanceof Fault && error.fault === 'invalidMessage' && error.message.includes('body');

test('data is found wherever it stands, at every length around the ends of its varint', () => {
  for (const length of [0, 1, 2, 126, 127, 128, 129, 130, 131, 16_383, 16_384, 16_385, 2_097_151, 2_097_152]) {
    const value = Buffer.alloc(length, 'x');
    for (const body of [
      field(3, value),
      Buffer.concat([field(5, 'trace'), field(3, value)]),
      Buffer.concat([field(3, value), field(4, 'add on')]),
    ]) {
      assert.ok(readData(body, 0, body.length).equals(value), `${length} bytes`);
    }
  }
});

test('an empty body has empty data', () => {
  assert.equal(data(hex('')), '');
  assert.equal(data(hex('1a00')), '');
  assert.equal(data(hex('2a00')), '');
});

test('of several data fields the last one counts', () => {
  assert.equal(data(Buffer.concat([field(3, 'first'), field(3, 'last')])), 'last');
  assert.equal(data(Buffer.concat([field(3, 'first'), field(9, 'other'), field(3, '')])), '');
});

test('a body that happens to begin like one short data field is not taken for it', () => {
  // the second byte is the length that a single field would have, but belongs to a longer varint or leaves bytes behind
  assert.equal(data(Buffer.concat([hex('1a03'), Buffer.from('abc'), field(3, 'z')])), 'z');
  const long = field(3, Buffer.alloc(130, 'y'));
  assert.equal(data(long).length, 130);
  for (let length = 120; length < 140; length++) assert.equal(data(field(3, Buffer.alloc(length, 0x01))).length, length);
});

test('a truncated body is refused at every byte where a field is not whole', () => {
  const body = Buffer.concat([field(1, hex('0801 1201 61')), field(2, hex('0804 1202 6f6b')), field(3, 'data'), field(5, 'trace')]);
  const boundaries = new Set([0, 7, 15, 21, 28]);
  for (let end = 0; end <= body.length; end++) {
    if (boundaries.has(end)) assert.doesNotThrow(() => readData(body, 0, end));
    else assert.throws(() => readData(body, 0, end), isBroken, `of ${end} bytes`);
  }
});

test('a part of the oneof that is broken inside is refused', () => {
  for (const inside of ['08', '0880', '1205', '120561', '00', '0f00', '7b']) {
    assert.throws(() => readBody(field(1, hex(inside))), isBroken, `target ${inside}`);
    assert.throws(() => readBody(field(2, hex(inside))), isBroken, `result ${inside}`);
  }
});

test('text that is not UTF-8 is refused, as by the original; bytes may be anything', () => {
  for (const wrong of ['ff', 'c3', 'eda080', 'c0af', 'f4908080']) {
    assert.throws(() => readBody(field(5, hex(wrong))), isBroken);
    assert.throws(() => readBody(field(1, field(2, hex(wrong)))), isBroken);
    assert.deepEqual(readBody(field(3, hex(wrong))).data, hex(wrong));
    assert.deepEqual(readBody(field(4, hex(wrong))).addOn, hex(wrong));
    assert.deepEqual(readBody(field(2, field(2, hex(wrong)))).result?.msg, hex(wrong));
  }
});

test('what is read is a view: a body costs no copy', () => {
  const body = Buffer.concat([field(3, 'data'), field(4, 'add on')]);
  const { data: read, addOn } = readBody(body);
  body.fill('x', 2, 6);
  assert.equal(read.toString(), 'xxxx');
  assert.equal(addOn.buffer, body.buffer);
});

test('the whole body is read field by field', () => {
  const target = Buffer.concat([hex('0890 4e'), field(2, 'route')]);
  const body = Buffer.concat([field(1, target), field(3, 'data'), field(4, 'add on'), field(5, 'tráce')]);
  assert.deepEqual(readBody(body), {
    data: Buffer.from('data'),
    addOn: Buffer.from('add on'),
    traceId: 'tráce',
    result: undefined,
    target: { routeId: 10_000, route: 'route' },
  });
});

test('of target and result the last one counts, and its parts are merged', () => {
  const both = readBody(Buffer.concat([field(1, field(2, 'route')), field(2, hex('0804')), field(2, field(2, 'ok'))]));
  assert.deepEqual([both.target, both.result], [undefined, { code: 4, msg: Buffer.from('ok') }]);
  const other = readBody(Buffer.concat([field(2, hex('0804')), field(1, field(2, 'route'))]));
  assert.deepEqual([other.target, other.result], [{ routeId: 0, route: 'route' }, undefined]);
});
