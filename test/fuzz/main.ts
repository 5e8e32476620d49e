// npm run fuzz -- --frames N [--seed S] [--workers W] [--connections C] [--rolls R] [-o json]
// Attacks a node with frames that break the rules and says whether it held. The same seed sends the same bytes.

import { parseArgs } from 'node:util';
import { fuzz, type FuzzReport } from './fuzz.ts';

const usage = `usage: npm run fuzz -- [--frames N] [--seed S] [--workers W] [--connections C] [--rolls R] [-o json]

  --frames N       frames to send (100000)
  --seed S         a number; the same seed sends the same bytes (by chance)
  --workers W      worker processes of the node (2)
  --connections C  attacking connections at once (64)
  --rolls R        how often all workers are replaced meanwhile, 0 to 9 (0)
  -o json          the report as JSON

example: npm run fuzz -- --frames 1000000 --seed 7`;

const options = {
  frames: { type: 'string', default: '100000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  workers: { type: 'string', default: '2' },
  connections: { type: 'string', default: '64' },
  rolls: { type: 'string', default: '0' },
  output: { type: 'string', short: 'o', default: 'text' },
  help: { type: 'boolean', default: false },
} as const;

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be a whole number from ${least} to ${most}, got "${text}"`);
}

function read(): { run: Parameters<typeof fuzz>[0]; isJson: boolean } {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  if (values.output !== 'text' && values.output !== 'json') throw new Error(`-o must be text or json, got "${values.output}"`);
  const run = {
    frames: number('frames', values.frames, 1, 1e12),
    seed: number('seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    workers: number('workers', values.workers, 1, 64),
    connections: number('connections', values.connections, 1, 10_000),
    rolls: number('rolls', values.rolls, 0, 9),
    progress: (text: string) => console.error(text),
  };
  return { run, isJson: values.output === 'json' };
}

function table(report: FuzzReport): string {
  const { frames, seconds, connections, seed, bytes, replies, pushes, endings, closed, limits, honest, restarts, rss, held } = report;
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ');
  const mib = (n: number) => `${Math.round(n / 1024 / 1024)} MiB`;
  const rows = [
    ['attack', `${frames} frames in ${seconds} s over ${connections} connections, ${mib(bytes)}, seed ${seed}`],
    ['came back', `${replies} replies, ${pushes} pushes`],
    ['endings', list(endings)],
    ['closed for', list(closed)],
    ['limits met', list(limits)],
    ...honest.map((one) => [
      'honest client',
      `${one.replies} of ${one.requests} replies; p50 ${one.p50Ms} ms, p99 ${one.p99Ms} ms, longest ${one.maxMs} ms`,
    ]),
    ['workers', `${restarts} died; memory ${mib(rss.start)} at the start, ${mib(rss.tenth)} after a tenth, ${mib(rss.end)} at the end`],
    ['left behind', held.length === 0 ? 'nothing' : JSON.stringify(held)],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(14)} ${value}`).join('\n');
}

let given: ReturnType<typeof read>;
try {
  given = read();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
const { frames, seed, workers, connections, rolls } = given.run;
const repeat = `repeat with: npm run fuzz -- --frames ${frames} --seed ${seed} --workers ${workers} --connections ${connections} --rolls ${rolls}`;
// the manager runs in this process: what ends it is a finding too
process.on('uncaughtException', (error) => {
  console.error(`FAILED: the manager died\n${error.stack}\n${repeat}`);
  process.exit(1);
});
const report = await fuzz(given.run);
console.log(given.isJson ? JSON.stringify(report, undefined, 2) : table(report));
if (report.problems.length > 0) {
  console.error([...report.problems.map((problem) => `FAILED: ${problem}`), repeat].join('\n'));
  process.exitCode = 1;
}
