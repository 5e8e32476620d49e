// Golden files: what something gives is kept as a file that people read, and compared with it. KIM_ACCEPT=1 (npm test -- FILTER --accept) writes them anew.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const isAccepting = process.env['KIM_ACCEPT'] === '1';

/** Compares a text with the file (its path is from the project's folder). */
export function assertGolden(file: string, text: string): void {
  const path = `${root}${file}`;
  if (isAccepting) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readOr(path), `${file} says something else; look at the difference, and accept it: npm test -- FILTER --accept`);
}

/** Every file in a folder has its test: those of tests that are gone are refused, or removed when files are accepted. */
export function noOtherGolden(folder: string, names: readonly string[]): void {
  const others = readdirSync(`${root}${folder}`).filter((name) => !names.includes(name));
  if (isAccepting) for (const name of others) rmSync(`${root}${folder}/${name}`);
  else assert.deepEqual(others, [], `no test makes these any more; remove them: npm test -- FILTER --accept`);
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
