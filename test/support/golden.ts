// Texts that are kept in files: a test compares, and KIM_ACCEPT=1 makes what came out the new file.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Compares a text with the file (its path is from the project's folder). */
export function assertGolden(file: string, text: string): void {
  const path = `${root}${file}`;
  if (process.env['KIM_ACCEPT'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(
    text,
    readOr(path),
    `${file} says something else; look at the difference, and accept it with KIM_ACCEPT=1 npm test -- FILTER`,
  );
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
