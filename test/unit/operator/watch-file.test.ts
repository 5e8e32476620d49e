// A followed file: edits are seen however they are made, also those made before anybody looked.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { watchText } from '../../../src/operator/local/watch-file.ts';

/** A followed file, and the texts that its follower was told, to be waited for one by one. */
function followed(t: TestContext, text: string, known: string): { file: string; next(): Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'kim-watch-'));
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, text);
  const told: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const stop = watchText(file, known, (now) => {
    const first = waiting.shift();
    if (first === undefined) told.push(now);
    else first(now);
  });
  t.after(() => {
    stop();
    rmSync(folder, { recursive: true });
  });
  return { file, next: () => (told.length > 0 ? Promise.resolve(told.shift()!) : new Promise((resolve) => waiting.push(resolve))) };
}

test('an edit is told once, with its text', async (t) => {
  const { file, next } = followed(t, 'one', 'one');
  writeFileSync(file, 'two');
  assert.equal(await next(), 'two');
});

test('an edit made between reading the file and following it is told', async (t) => {
  const { next } = followed(t, 'edited meanwhile', 'as it was read');
  assert.equal(await next(), 'edited meanwhile');
});

test('a file that is replaced is followed on', async (t) => {
  const { file, next } = followed(t, 'one', 'one');
  for (const text of ['two', 'three']) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    assert.equal(await next(), text);
  }
});
