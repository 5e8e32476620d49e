// Programs of the test cluster: taken from a cache outside the tree, or built into it once.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lock } from './lock.ts';
import { sources, type Program, type Source } from './versions.ts';

/** The slowest is Kubernetes: five minutes on two free cores. */
const BUILD_MS = 25 * 60_000;
const PROGRESS_MS = 30_000;
const ENV = { GOFLAGS: '-mod=mod -buildvcs=false', CGO_ENABLED: '0', GOWORK: 'off', GOTOOLCHAIN: 'auto' };

/** Where programs are kept between runs: KIM_CACHE, or the user's folder for caches. */
export function cacheFolder(): string {
  const base = process.env['KIM_CACHE'] || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kimserver');
  return join(base, 'kube');
}

/** Where a program is, or will be once it is built. */
export function pathOf(program: Program): string {
  const [name, source] = sourceOf(program);
  return join(cacheFolder(), `${name}-${source.version}-${keyOf(source)}`, program);
}

/** Makes sure that these programs are there, which takes minutes the first time. Throws with the end of what the build wrote. */
export async function providePrograms(programs: readonly Program[], report = sayOnStderr): Promise<void> {
  const missing = () => programs.filter((program) => !existsSync(pathOf(program)));
  if (missing().length === 0) return;
  mkdirSync(cacheFolder(), { recursive: true });
  await using _one = await lock(`build-${createHash('sha256').update(cacheFolder()).digest('hex').slice(0, 8)}`, {
    maxMs: 2 * BUILD_MS,
    waiting: () => report(`another run builds programs of the test cluster; waiting for it`),
  });
  // whoever had the lock before may have built the same
  const bySource = Map.groupBy(missing(), (program) => sourceOf(program)[0]);
  for (const [name, wanted] of bySource) await build(name, sources[name], wanted, report);
}

async function build(name: string, source: Source, programs: readonly Program[], report: (line: string) => void): Promise<void> {
  for (const left of readdirSync(cacheFolder())) {
    // only one builds at a time: what another began, it did not end
    if (left.startsWith('building-')) rmSync(join(cacheFolder(), left), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(cacheFolder(), 'building-'));
  try {
    writeFileSync(join(folder, 'go.mod'), moduleFile(source));
    // one command for all of them: packages that they share are compiled once, and both cores have work to the end
    const files = new Map(programs.map((program) => [program, join(folder, 'out', packageName(source.programs[program]!))]));
    mkdirSync(join(folder, 'out'));
    const variables = Object.entries(source.variables ?? {}).map(([variable, value]) => ` -X ${variable}=${value}`);
    const flags = ['-v', '-trimpath', '-ldflags', `-s -w${variables.join('')}`];
    const packages = programs.map((program) => source.programs[program]!);
    await runGo(['build', ...flags, '-o', `${folder}/out/`, ...packages], folder, `${name} ${source.version}`, report);
    for (const [program, file] of files) {
      mkdirSync(join(pathOf(program), '..'), { recursive: true });
      renameSync(file, pathOf(program));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Go names a program after the last part of its package's path, unless that is a version. */
function packageName(path: string): string {
  const parts = path.split('/');
  return /^v\d+$/.test(parts.at(-1)!) ? parts.at(-2)! : parts.at(-1)!;
}

async function runGo(args: readonly string[], cwd: string, what: string, report: (line: string) => void): Promise<void> {
  const start = performance.now();
  const seconds = () => `${Math.round((performance.now() - start) / 1000)} s`;
  report(`building ${what} (once; it takes minutes)`);
  // nice: tests that need none of it go on meanwhile
  const child = spawn('nice', ['-n', '10', 'setpriv', '--pdeathsig', 'KILL', '--', 'go', ...args], {
    cwd,
    env: { ...process.env, ...ENV },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_MS,
    killSignal: 'SIGKILL',
  });
  const last: string[] = [];
  let count = 0;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      count++;
      last.push(line);
      if (last.length > 30) last.shift();
    });
  }
  const timer = setInterval(() => report(`building ${what}: ${seconds()}, ${count} packages so far`), PROGRESS_MS);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.on('error', reject);
    child.on('close', resolve);
    const code = await promise;
    if (code !== 0)
      throw new Error(`go ${args[0]} of ${what} ended with ${code ?? child.signalCode} after ${seconds()}:\n${last.join('\n')}`);
  } finally {
    clearInterval(timer);
  }
  report(`built ${what} in ${seconds()}`);
}

function moduleFile({ module, version, replace }: Source): string {
  const lines = (replace?.modules ?? []).map((name) => `replace ${name} => ${name} ${replace!.version}`);
  return ['module kimserver.test/build', '', 'go 1.24.0', '', `require ${module} ${version}`, '', ...lines, ''].join('\n');
}

function sourceOf(program: Program): [keyof typeof sources, Source] {
  for (const [name, source] of Object.entries(sources) as [keyof typeof sources, Source][]) {
    if (program in source.programs) return [name, source];
  }
  throw new Error(`no source has the program ${program}; the table is in test/support/kube/versions.ts`);
}

/** Changes with all that decides what is built. */
function keyOf(source: Source): string {
  return createHash('sha256')
    .update(JSON.stringify([source, process.arch]))
    .digest('hex')
    .slice(0, 8);
}

function sayOnStderr(line: string): void {
  process.stderr.write(`kube: ${line}\n`);
}
