// How kim call shows a reply.

import assert from 'node:assert/strict';
import test from 'node:test';
import { hexDump, judge, replyJson, replyLine, replyLines, type Reply } from '../../../src/cli/reply-text.ts';
import { painter } from '../../../src/cli/terminal.ts';

const plain = painter(false, {});
const reply = (more: Partial<Reply> = {}): Reply => ({
  cmd: 1002,
  seq: 7,
  code: 0,
  msg: 'ok',
  data: Buffer.from('good job!'),
  seconds: 0.0012,
  ...more,
});

test('a reply is shown line by line', () => {
  assert.deepEqual(replyLines(reply(), plain), [
    'command  1002',
    'seq      7',
    'code     0',
    'msg      ok',
    'data     good job!',
    'time     1.2 ms',
  ]);
});

test('a code that is a fault is shown with its meaning and its cure', () => {
  const text = replyLines(reply({ code: 4, msg: 'invalid cmd!', data: Buffer.alloc(0) }), plain).join('\n');
  assert.match(text, /^code {5}4 unknownCommand: no module answers this command/m);
  assert.match(text, /^cure {5}list the commands with "kim modules list"/m);
  assert.match(text, /^data {5}\(none\)$/m);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
});

test('a code of the application is shown as it is', () => {
  assert.match(replyLines(reply({ code: 4711 }), plain).join('\n'), /^code {5}4711$/m);
});

test('data that is JSON is indented, and data of a known type is shown as that', () => {
  assert.match(replyLines(reply({ data: Buffer.from('{"a":1}') }), plain).join('\n'), /^data {5}\{\n {11}"a": 1\n {9}\}$/m);
  assert.match(replyLines(reply({ data: Buffer.of(8, 7), decoded: { id: 7 } }), plain).join('\n'), /^data {5}\{\n {11}"id": 7\n {9}\}$/m);
});

test('data is judged by its bytes', () => {
  assert.deepEqual(judge(Buffer.alloc(0)), { kind: 'none' });
  assert.deepEqual(judge(Buffer.from('größe\n')), { kind: 'text', text: 'größe\n' });
  assert.deepEqual(judge(Buffer.from('[1]')), { kind: 'json', value: [1] });
  assert.deepEqual(judge(Buffer.from('[1')), { kind: 'text', text: '[1' });
  assert.deepEqual(judge(Buffer.from('12')), { kind: 'text', text: '12' });
  assert.deepEqual(judge(Buffer.of(0xff, 0xfe)), { kind: 'bytes' });
  assert.deepEqual(judge(Buffer.from('a\x1b[2J')), { kind: 'bytes' });
});

test('bytes are dumped with their place and their letters, and not without end', () => {
  assert.equal(
    hexDump(Buffer.from('0123456789abcdef\x00z')),
    ['0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef', `0010  00 7a${' '.repeat(42)}  .z`].join('\n'),
  );
  const long = hexDump(Buffer.alloc(5000)).split('\n');
  assert.equal(long.length, 257);
  assert.equal(long.at(-1), '... 904 bytes more; -o json has all');
});

test('for programs a reply is one object that keeps every byte', () => {
  assert.deepEqual(replyJson(reply()), { cmd: 1002, seq: 7, code: 0, msg: 'ok', data: 'good job!', ms: 1.2 });
  assert.deepEqual(replyJson(reply({ code: 4, data: Buffer.of(0) })), {
    cmd: 1002,
    seq: 7,
    code: 4,
    fault: 'unknownCommand',
    msg: 'ok',
    dataBase64: 'AA==',
    ms: 1.2,
  });
  assert.deepEqual((replyJson(reply({ data: Buffer.from('{"a":1}') })) as { value: object }).value, { a: 1 });
});

test('many replies take a line each', () => {
  assert.equal(replyLine(reply({ msg: 'two\nlines' }), plain), '1002 seq 7  code 0 two lines  9 bytes  1.2 ms');
});
