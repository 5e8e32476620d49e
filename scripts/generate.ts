// npm run generate: writes the documents and schemas that are made from the sources.
// usage: npm run generate [-- --check]        (--check writes nothing and names the files that are stale)

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generated } from './support/generated.ts';
import { root } from './support/project.ts';

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--check');
if (unknown !== undefined) {
  console.error(`unknown argument ${unknown}; there is one: --check, which writes nothing and names the files that are stale`);
  process.exit(2);
}

const stale = generated().filter(({ file, text }) => textOf(file) !== text);
for (const { file, text, source } of stale) {
  if (args.includes('--check')) {
    console.error(`${file} is older than ${source}; run "npm run generate" and commit it`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(`${root}/${file}`), { recursive: true });
  writeFileSync(`${root}/${file}`, text);
  console.log(`wrote ${file}`);
}
if (stale.length === 0) console.log('all generated files are up to date');

function textOf(file: string): string | undefined {
  try {
    return readFileSync(`${root}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
