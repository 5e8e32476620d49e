// Generated files say what their sources say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { generated } from '../../scripts/support/generated.ts';
import { root } from './support.ts';

for (const { file, source, text } of generated()) {
  test(`${file} says what ${source} says`, () => {
    assert.equal(readFileSync(`${root}/${file}`, 'utf8'), text, `${file} is stale; run "npm run generate" and commit it`);
  });

  test(`${file} names its source and the command in its first line`, () => {
    const [first = ''] = text.split('\n');
    assert.ok(first.includes(source) && first.includes('npm run generate'), first);
  });
}
