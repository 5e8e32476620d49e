// How the data of a message is read and written where a command declares types.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '../../../src/config/z.ts';
import { Fault, type FaultName } from '../../../src/errors.ts';
import { proto, reader, replyWriter, type MessageType, type StandardSchema } from '../../../src/route/types.ts';
import { hex } from '../../support/frames.ts';

const shop = new URL('../../support/shop.proto', import.meta.url);
const Order = proto<{ id: number; count: number; to?: { street: string } | null; notes?: string[] }>(shop, 'shop.Order');
const Person = z.object({ name: z.string(), age: z.number().int().optional(), home: z.object({ street: z.string() }).optional() });

function fault(name: FaultName, text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.fault, name);
    assert.match(error.message, text);
    return true;
  };
}

const read = (type: MessageType<unknown>, data: string | Buffer) => reader(type)(Buffer.from(data));
const write = (type: MessageType<unknown>, value: unknown) => Buffer.from(replyWriter(type)(value)).toString();

test('JSON that fits is what the schema makes of it', () => {
  assert.deepEqual(read(Person, '{"name":"ann","age":3,"more":1}'), { name: 'ann', age: 3 });
  const Trimmed = z.object({ at: z.coerce.date(), text: z.string().trim().default('none') });
  assert.deepEqual(read(Trimmed, '{"at":5}'), { at: new Date(5), text: 'none' });
});

test('JSON that does not fit is answered with the field and what it should be', () => {
  assert.throws(() => read(Person, '{"name":5}'), fault('invalidMessage', /^name: .*expected string/));
  assert.throws(() => read(Person, '{"name":"a","home":{"street":1}}'), fault('invalidMessage', /^home\.street: /));
  assert.throws(() => read(z.array(z.number()), '[1,"x"]'), fault('invalidMessage', /^1: /));
  assert.throws(() => read(Person, '[]'), fault('invalidMessage', /expected object/));
});

test('of many wrong fields three are named: an answer stays short', () => {
  const Many = z.object(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, z.string()])));
  assert.throws(() => read(Many, '{}'), fault('invalidMessage', /^f0: [^;]*; f1: [^;]*; f2: [^;]*$/));
});

test('what is not JSON is answered with that', () => {
  for (const data of ['', 'hello', '{"name":', '\u0000'])
    assert.throws(() => read(Person, data), fault('invalidMessage', /^data is not JSON$/));
});

test('a reply that fits is JSON', () => {
  assert.equal(write(Person, { name: 'ann', age: 3 }), '{"name":"ann","age":3}');
  assert.equal(write(z.string(), 'x'), '"x"');
  assert.equal(write(z.null(), null), 'null');
});

test('a reply that does not fit names the field', () => {
  assert.throws(() => write(Person, { name: 5 }), fault('encodeFailed', /^name: /));
  assert.throws(() => write(Person, undefined), fault('encodeFailed', /expected object/));
});

test('a reply that fits but has no JSON says so', () => {
  assert.throws(() => write(z.object({ id: z.bigint() }), { id: 5n }), fault('encodeFailed', /JSON.*BigInt/));
  assert.throws(() => write(z.any(), undefined), fault('encodeFailed', /JSON/));
  assert.throws(() => write(z.any(), () => 1), fault('encodeFailed', /JSON/));
  const ring: { self?: unknown } = {};
  ring.self = ring;
  assert.throws(() => write(z.any(), ring), fault('encodeFailed', /JSON/));
});

test('protobuf that fits is an object with every field', () => {
  assert.equal(Order.name, 'shop.Order');
  assert.deepEqual(read(Order, hex('0805 1002 1a03 0a0161 2201 78')), { id: 5, count: 2, to: { street: 'a' }, notes: ['x'] });
  assert.deepEqual(read(Order, ''), { id: 0, count: 0, to: null, notes: [] });
});

test('protobuf that does not parse is answered with the type and the reason', () => {
  assert.throws(() => read(Order, hex('08')), fault('invalidMessage', /^request is no shop\.Order: /));
  assert.throws(() => read(Order, hex('1a05 61')), fault('invalidMessage', /^request is no shop\.Order: /));
});

test('a protobuf reply that does not fit names the field', () => {
  assert.deepEqual(Buffer.from(replyWriter(Order)({ id: 5, count: 2 })), hex('0805 1002'));
  assert.throws(() => replyWriter(Order)({ id: 'x', count: 1 }), fault('encodeFailed', /^reply is no shop\.Order: id: integer expected/));
  assert.throws(
    () => replyWriter(Order)({ idd: 1 }),
    fault('encodeFailed', /^reply is no shop\.Order: idd: no such field in Order; fields: id, count, to, notes$/),
  );
  assert.throws(() => replyWriter(Order)({ to: { street: 5 } }), fault('encodeFailed', /to\.street: string expected/));
  for (const value of [undefined, null, 'text', 5])
    assert.throws(() => replyWriter(Order)(value), fault('encodeFailed', /^reply is no shop\.Order: /));
});

test('any library that speaks Standard Schema will do, also when its schemas are functions', () => {
  const judge = (value: unknown) =>
    typeof value === 'string' ? { value: value.length } : { issues: [{ message: 'must be text', path: [{ key: 'a' }, 'b', 3] }] };
  const schema: StandardSchema<number> = { '~standard': { version: 1, vendor: 'test', validate: judge } };
  for (const type of [schema, Object.assign(() => undefined, schema)]) {
    assert.equal(read(type, '"four"'), 4);
    assert.throws(() => read(type, '5'), fault('invalidMessage', /^a\.b\.3: must be text$/));
  }
});

test('a schema that promises its judgement is refused, and what it promises hurts nobody', async () => {
  const late: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('late')) } };
  assert.throws(() => read(late, '1'), /^Error: a schema that checks asynchronously can not be used/);
  await new Promise((resolve) => setImmediate(resolve));
});

test('a type of a .proto file is looked for when the module is loaded', () => {
  assert.equal(proto(shop, 'Address').name, 'shop.Address');
  assert.throws(() => proto(shop, 'shop.Ordr'), /no message type "shop\.Ordr" in .*shop\.proto; there is: shop\.Order, shop\.Address$/);
  assert.throws(() => proto(shop), /name one of the types of .*shop\.proto: shop\.Order, shop\.Address$/);
  assert.throws(() => proto('/nowhere/shop.proto', 'x'), /ENOENT.*nowhere/);
});
