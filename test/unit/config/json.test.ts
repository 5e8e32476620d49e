// JSON with the line of everything in it, and with a sentence where it is broken.

import assert from 'node:assert/strict';
import test from 'node:test';
import { JsonSyntaxError, parseJson } from '../../../src/config/json.ts';

test('knows the line of every key and element', () => {
  const json = parseJson('{\n  "a": 1,\n  "b": { "c":\n    [1,\n    { "d": null }] }\n}\n');
  const rows: [string, number | undefined][] = [
    ['a', 2],
    ['b', 3],
    ['b.c', 3],
    ['b.c[0]', 4],
    ['b.c[1]', 5],
    ['b.c[1].d', 5],
    ['x', undefined],
  ];
  for (const [path, line] of rows) assert.equal(json.lineOf(path), line, path);
});

test('gives the values that JSON.parse gives', () => {
  const texts = ['{}', '[]', ' 1 ', '"\\u0041\\n"', '-1.5e3', 'true', '{"a":{"b":[1,2,{"c":"é\u2028😀"}]},"":""}', '[[],{},null,false]'];
  for (const text of texts) assert.deepEqual(parseJson(text).value, JSON.parse(text), text);
});

test('ignores a byte order mark', () => {
  assert.deepEqual(parseJson('\uFEFF{"a": 1}').value, { a: 1 });
});

test('says where JSON is broken and what was expected', () => {
  const rows: [string, number, number, RegExp][] = [
    ['', 1, 1, /expected a value, but the text ends here/],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, /expected a comma or "}", found "\\""/],
    ['{\n  "a": 1,\n}', 2, 9, /no comma may stand before "}"$/],
    ['[1, 2, ]', 1, 6, /no comma may stand before "]"$/],
    ['{ "a": abc }', 1, 8, /expected a value, found "a"/],
    ["{ 'a': 1 }", 1, 3, /expected a key in double quotes; JSON has only double quotes/],
    ['{ a: 1 }', 1, 3, /expected a key in double quotes, found "a"/],
    ['{ "a" 1 }', 1, 7, /expected ":" after the key, found "1"/],
    ['{\n  // the port\n  "a": 1 }', 2, 3, /JSON has no comments/],
    ['{ "a": 1 # one\n}', 1, 10, /JSON has no comments/],
    ['{ "a": 1', 1, 9, /expected a comma or "}", but the text ends here/],
    ['{ "a": "open\n" }', 1, 8, /the text that begins here has no end/],
    ['{} {}', 1, 4, /nothing may follow the closing bracket/],
    ['[01]', 1, 2, /expected a value/],
    ['[1.]', 1, 2, /expected a value/],
    ['[truer]', 1, 2, /expected a value/],
    ['['.repeat(200), 1, 102, /more than 100 brackets/],
  ];
  for (const [text, line, column, reason] of rows) {
    assert.throws(
      () => parseJson(text),
      (error) => {
        assert.ok(error instanceof JsonSyntaxError);
        assert.deepEqual([error.line, error.column], [line, column], text);
        assert.match(error.message, reason);
        return true;
      },
      text,
    );
  }
});

test('refuses exactly what JSON.parse refuses', () => {
  const whole = '{"a":[1,-2.5e+3,true,null,"x\\n\\u00e9"],"b":{"c":{}}}';
  const texts = Array.from(whole, (_, i) => i).flatMap((i) => [
    whole.slice(0, i),
    whole.slice(0, i) + whole.slice(i + 1),
    `${whole.slice(0, i)},${whole.slice(i)}`,
    `${whole.slice(0, i)} \t\r\n${whole.slice(i)}`,
    `${whole.slice(0, i)}"${whole.slice(i)}`,
    `${whole.slice(0, i)}\u0001${whole.slice(i)}`,
  ]);
  const isTaken = (read: (text: string) => unknown, text: string) => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
  for (const text of texts) assert.equal(isTaken(parseJson, text), isTaken(JSON.parse, text), JSON.stringify(text));
});

test('does not repeat the text of the file, which may hold a password', () => {
  assert.throws(
    () => parseJson('{"password": "hunter2" "host": "x"}'),
    (error) => error instanceof JsonSyntaxError && !error.message.includes('hunter2'),
  );
});
