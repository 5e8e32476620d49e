// npm test: runs test/**/*.test.ts with Node's own test runner, two files at a time.
// usage: npm test [-- FILTER... [--accept]]        (a filter is a part of a path: npm test -- unit/wire; --accept writes golden files anew)

import { globSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import { root } from './support/project.ts';

/** For one test; for all of them; and how many files at once (the machine that all numbers are made for has two cores). */
const TEST_TIMEOUT_MS = 60_000;
const TOTAL_TIMEOUT_MS = 55 * 60_000;
const CONCURRENCY = 2;

const ci = process.env['CI'] === 'true';
// Tests and what they start are in folders of their own; where the user stood means nothing to them.
delete process.env['INIT_CWD'];

const args = process.argv.slice(2);
if (args.includes('--accept')) process.env['KIM_ACCEPT'] = '1';
const filters = args.filter((arg) => arg !== '--accept').map((filter) => filter.replace(`${root}/`, '').replace(/^\.\//, ''));
const all = globSync('test/**/*.test.ts', { cwd: root }).sort();
const none = filters.find((filter) => !all.some((file) => file.includes(filter)));
if (none !== undefined) {
  console.error(`no test file has "${none}" in its path; the folders are: ${folders(all).join(', ')}`);
  process.exit(2);
}
const files = all.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));

const stream = run({
  files: files.map((file) => `${root}/${file}`),
  cwd: root,
  concurrency: CONCURRENCY,
  timeout: TEST_TIMEOUT_MS,
  signal: AbortSignal.timeout(TOTAL_TIMEOUT_MS),
});
stream.on('test:summary', ({ file, success, counts }) => {
  if (file !== undefined) return;
  // A test that is skipped on a developer's machine, for lack of a program it needs, has to run where changes are accepted.
  if (!success || counts.tests === 0 || (ci && counts.skipped + counts.todo > 0)) process.exitCode = 1;
});
await pipeline(stream, listSkipped, new spec(), process.stdout);

/** Names what was skipped, with the reason that the test gives, right before the totals: they stay the last lines. */
async function* listSkipped(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const skipped: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:pass') {
      const { name, skip, todo } = event.data;
      const why = skip ?? todo;
      if (why !== undefined) skipped.push(`skipped: ${name}${typeof why === 'string' ? `: ${why}` : ', without a reason'}\n`);
    }
    if (event.type === 'test:diagnostic' && /^tests \d+$/.test(event.data.message) && skipped.length > 0) {
      const verdict = ci ? 'with CI=true every test has to run, so this is a failure\n' : '';
      const message = `${skipped.join('')}${verdict}`;
      yield { type: 'test:stdout', data: { file: '', message } };
    }
    yield event;
  }
}

function folders(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => path.split('/').slice(0, -1).join('/')))];
}
