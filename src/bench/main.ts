// The benchmark: a node beside the least that a Node.js server can do, in the same run. Runs alone: node src/bench/main.ts --help

import { fileURLToPath } from 'node:url';
import { about } from './about.ts';
import type { Bench } from './contest.ts';
import { docsFolder, writeDocuments } from './docs.ts';
import { Loads } from './loads.ts';
import { aboutLine, asText, tables } from './report.ts';
import type { Results } from './results.ts';
import { churnRows } from './rows/churn.ts';
import { relayRows, ringRow, spreadRows } from './rows/cluster.ts';
import { idleRows } from './rows/idle.ts';
import { loadRows } from './rows/load.ts';
import { soakRow } from './rows/soak.ts';
import { workersRows } from './rows/workers.ts';
import { parseSettings, rowNames, usage, type Settings } from './settings.ts';

const FAILED = 1;
const MISUSED = 2;

/** Runs what the flags ask for, prints it, and returns the exit code: 0, 1 when a measurement failed, 2 for wrong flags. */
export async function runBench(argv: readonly string[]): Promise<number> {
  let settings: Settings;
  let folder: string | undefined;
  try {
    settings = parseSettings(argv);
    if (settings.write) folder = docsFor(settings);
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}; see npm run bench -- --help\n`);
    return MISUSED;
  }
  if (settings.help) {
    process.stdout.write(usage);
    return 0;
  }
  const progress = new Progress();
  try {
    const results = await measure(settings, (text) => progress.say(text));
    progress.end();
    const text = `kimserver benchmark: ${aboutLine(results.about)}\n\n${tables(results).map(asText).join('\n')}`;
    process.stdout.write(settings.output === 'json' ? `${JSON.stringify(results, undefined, 2)}\n` : text);
    if (folder !== undefined) for (const file of writeDocuments(results, folder)) process.stderr.write(`wrote ${file}\n`);
    return 0;
  } catch (error) {
    progress.end();
    process.stderr.write(`bench: ${progress.said}: ${(error as Error).message}\n`);
    return FAILED;
  }
}

/** A part of the rows must not replace a page that has all of them. */
function docsFor({ rows }: Settings): string {
  const missing = rowNames.filter((name) => !rows.includes(name));
  if (missing.length > 0) throw new Error(`--write wants all rows, ${missing.join(', ')} would be missing; leave out --rows and --quick`);
  return docsFolder();
}

async function measure(settings: Settings, say: (text: string) => void): Promise<Results> {
  const loads = new Loads(settings.loads, settings.awake);
  const bench: Bench = { settings, loads, say };
  try {
    const { load, profiles } = await loadRows(bench);
    const workers = await workersRows(bench);
    const churn = await churnRows(bench);
    const idle = await idleRows(bench);
    const relay = await relayRows(bench);
    const spread = await spreadRows(bench);
    const ring = ringRow(bench);
    const soak = await soakRow(bench);
    return { about: about(settings), load, workers, churn, idle, relay, spread, ring, soak, profiles };
  } finally {
    await loads.end();
  }
}

/** One line on standard error that says what is being done, where somebody can see it. */
class Progress {
  readonly #isShown = process.stderr.isTTY;
  readonly #start = performance.now();
  /** What was being done last. */
  said = 'starting';

  say(text: string): void {
    this.said = text;
    if (this.#isShown) process.stderr.write(`\r\x1b[K${Math.round((performance.now() - this.#start) / 1000)} s  ${text}`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await runBench(process.argv.slice(2));
