// npm run check: everything that says whether a change is good. Goes on after a failure and ends with the list.
// usage: npm run check [-- --fast]        (--fast leaves the tests out)

import { runScript } from './support/project.ts';

interface Step {
  readonly name: string;
  readonly cure: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The tests show what they do while they do it, and end by their own deadline. */
  readonly slow?: true;
}

const bin = 'node_modules/.bin';
const steps: readonly Step[] = [
  { name: 'types', cure: 'mend the types', file: `${bin}/tsc`, args: ['-p', 'tsconfig.json'] },
  { name: 'lint', cure: 'mend what it names', file: `${bin}/oxlint`, args: [] },
  { name: 'format', cure: 'npm run format', file: `${bin}/prettier`, args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'dead code', cure: 'delete what is unused', file: `${bin}/knip`, args: ['--no-progress'] },
  { name: 'generated files', cure: 'npm run generate', file: 'scripts/generate.ts', args: ['--check'] },
  { name: 'tests', cure: 'npm test -- FILE runs one', file: 'scripts/test.ts', args: [], slow: true },
];

const STEP_TIMEOUT_MS = 5 * 60_000;
const TESTS_TIMEOUT_MS = 60 * 60_000;

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--fast');
if (unknown !== undefined) {
  console.error(`unknown argument ${unknown}; there is one: --fast, which leaves the tests out`);
  process.exit(2);
}

const lines: string[] = [];
for (const { name, cure, file, args: given, slow = false } of steps.filter((step) => !step.slow || !args.includes('--fast'))) {
  const start = performance.now();
  if (slow) console.log(name);
  const { code, output } = await runScript(file, given, { timeoutMs: slow ? TESTS_TIMEOUT_MS : STEP_TIMEOUT_MS, show: slow });
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
  const line = `${code === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(16)}${seconds} s${code === 0 ? '' : `    ${cure}`}`;
  if (code !== 0) {
    process.stdout.write(output);
    process.exitCode = 1;
  }
  console.log(line);
  lines.push(line);
}
console.log(`\n${lines.join('\n')}`);
