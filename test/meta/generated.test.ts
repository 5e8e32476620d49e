// Generated files say what their sources say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { generated } from '../../scripts/support/generated.ts';
import { root } from './support.ts';

for (const { file, source, text, inParts } of generated()) {
  test(`${file} says what ${source} says`, () => {
    assert.equal(readFileSync(`${root}/${file}`, 'utf8'), text, `${file} is stale; run "npm run generate" and commit it`);
  });

  const place = inParts ? 'the first line of each part' : 'its first line';
  test(`${file} names its source and the command in ${place}`, () => {
    const lines = inParts ? text.split('\n').filter((line) => /^<!-- \w+: Generated/.test(line)) : text.split('\n', 1);
    assert.ok(lines.length > 0);
    for (const line of lines) assert.ok(line.includes(source) && line.includes('npm run generate'), line);
  });
}
