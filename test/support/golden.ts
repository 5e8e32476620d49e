// Golden files: what something gives is kept as a file that people read, and compared with it. KIM_ACCEPT=1 (npm test -- PATH --accept) writes them anew.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../golden/', import.meta.url));

export const isAccepting = process.env['KIM_ACCEPT'] === '1';

/** Compares a text with test/golden/`name`. */
export function golden(name: string, text: string): void {
  const file = join(ROOT, name);
  if (isAccepting) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  assert.equal(text, goldenText(name), `${file} differs; if it is right so, accept it: npm test -- ${name.split('/')[0]} --accept`);
}

/** What is kept, to be read by a test. */
export function goldenText(name: string): string {
  try {
    return readFileSync(join(ROOT, name), 'utf8');
  } catch (error) {
    throw new Error(`there is no test/golden/${name}; make it: npm test -- ${name.split('/')[0]} --accept`, { cause: error });
  }
}

/** Every file in a folder has its test: those of tests that are gone are refused, or removed when files are accepted. */
export function noOtherGolden(folder: string, names: readonly string[]): void {
  const others = readdirSync(join(ROOT, folder)).filter((name) => !names.includes(name));
  if (isAccepting) for (const name of others) rmSync(join(ROOT, folder, name));
  else assert.deepEqual(others, [], `no test makes these any more; remove them: npm test -- ${folder} --accept`);
}
