// kim up: runs a whole KimCluster as processes on this machine and follows its file.

import { mkdirSync } from 'node:fs';
import { basename, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressText } from '../../config/address.ts';
import { ConfigError } from '../../config/error.ts';
import { stateFolder } from '../../config/tiers.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { followParent } from '../../node/lifecycle.ts';
import { reserve } from '../../node/listen.ts';
import { LocalCluster } from '../../operator/local/local-cluster.ts';
import { watchText } from '../../operator/local/watch-file.ts';
import { checkModules, readConfigurationFile } from '../config-file.ts';
import { shownPath, userPath } from '../paths.ts';
import { workloads, type Workload } from '../../operator/plan/workloads.ts';

export interface UpOptions {
  watch: boolean;
  output?: string | undefined;
}

const PROGRAM = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

interface Parsed {
  name: string;
  /** What was read; an edit made while the nodes start differs from it. */
  text: string;
  wanted: Workload[];
  notes: readonly string[];
}

/** Runs until told to end; resolves with the exit code. */
export async function up(file: string, options: UpOptions): Promise<number> {
  const shown = shownPath(file);
  const out = output(options.output === 'json');
  const parsed = parse(file);
  for (const note of parsed.notes) out.say(shown, note);

  const folder = resolve(stateFolder(parsed.name));
  mkdirSync(folder, { recursive: true });
  const cluster = new LocalCluster({ folder, program: PROGRAM, bind: (kind, host, port) => reserve(host, port, kind), say: out.say });
  const ended = ending(cluster, out);
  try {
    await cluster.apply(parsed.wanted);
  } catch (error) {
    out.problem((error as Error).message);
    cluster.kill();
    return exitCodes.failed;
  }
  out.table(cluster, folder);

  let applying: Promise<void> = Promise.resolve();
  const stop = options.watch
    ? watchText(userPath(file), parsed.text, () => {
        applying = applying.then(() => follow(cluster, file, parsed.name, out));
      })
    : () => undefined;
  const code = await ended;
  stop();
  return code;
}

/** The file changed: make it so, or say why not and leave everything as it is. */
async function follow(cluster: LocalCluster, file: string, name: string, out: Output): Promise<void> {
  try {
    const next = parse(file);
    if (next.name !== name) {
      throw new Error(`${shownPath(file)}: metadata.name is now "${next.name}"; a running cluster keeps its name "${name}", end it first`);
    }
    for (const note of next.notes) out.say(shownPath(file), note);
    await cluster.apply(next.wanted);
  } catch (error) {
    out.problem(`${(error as Error).message}\nwhat runs goes on`);
  }
}

/** Throws a ConfigError with everything that is wrong. */
function parse(name: string): Parsed {
  const read = readConfigurationFile(name);
  if (read.cluster === undefined) {
    throw new ConfigError(read.file, [{ path: 'kind', message: 'this is the configuration of one node; run it with "kim node"' }]);
  }
  checkModules(read);
  return { name: read.cluster.metadata.name, text: read.text, wanted: workloads(read.cluster, read.folder), notes: read.warnings };
}

/** Resolves with the exit code once a signal, or the death of the one who started us, has ended the cluster. */
function ending(cluster: LocalCluster, out: Output): Promise<number> {
  return new Promise((resolve) => {
    let interrupted = false;
    const drain = () => {
      if (interrupted) {
        cluster.kill();
        return resolve(exitCodes.ok);
      }
      interrupted = true;
      out.say('', 'drains and ends; Ctrl-C again ends at once');
      cluster.drain().then(
        () => resolve(exitCodes.ok),
        (error: unknown) => {
          out.problem((error as Error).message);
          cluster.kill();
          resolve(exitCodes.failed);
        },
      );
    };
    process.on('SIGINT', drain);
    process.on('SIGTERM', drain);
    process.on('SIGHUP', drain);
    // npm does not tell its children when it is killed
    if (process.env['npm_lifecycle_event'] !== undefined) {
      followParent(() => {
        cluster.kill();
        resolve(exitCodes.managerGone);
      });
    }
  });
}

// ---- what people see ----

interface Output {
  say(node: string, text: string): void;
  problem(text: string): void;
  table(cluster: LocalCluster, folder: string): void;
}

function output(json: boolean): Output {
  if (json) return jsonOutput;
  const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const paint = (code: number, text: string) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
  return {
    say: (node, text) =>
      console.log(`${paint(2, new Date().toTimeString().slice(0, 8))}  ${node === '' ? '' : paint(36, node) + '  '}${text}`),
    problem: (text) => console.error(paint(31, text)),
    table(cluster, folder) {
      const rows = cluster.nodes.map(({ workload, started }) => {
        const at = (kind: 'gate' | 'node') => {
          const [first, ...others] = started?.listeners.filter((listener) => listener.kind === kind) ?? [];
          return first === undefined ? '-' : [addressText(first.host, first.port), ...others.map(({ port }) => `:${port}`)].join(', ');
        };
        return [workload.name, at('gate'), at('node'), String(started?.workers ?? 0), started?.adminUrl ?? '-'];
      });
      const all = [['NODE', 'CLIENTS', 'NODES', 'WORKERS', 'ADMIN PAGE'], ...rows];
      const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
      for (const [i, row] of all.entries()) {
        const line = row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd();
        console.log(i === 0 ? paint(1, line) : line);
      }
      const gate = cluster.nodes.find(({ started }) => started?.listeners.some(({ kind }) => kind === 'gate'));
      const address = gate?.started?.listeners.find(({ kind }) => kind === 'gate');
      if (address !== undefined) console.log(`\ntry it:  npm run kim -- call ${addressText(address.host, address.port)} 1001 "1 - hello"`);
      console.log(`logs:    ${join(relative(process.cwd(), folder) || '.', '*.log')}`);
      console.log('edit the file while this runs, and it follows; Ctrl-C ends it\n');
    },
  };
}

const jsonOutput: Output = {
  say: (node, text) => console.log(JSON.stringify({ time: new Date().toISOString(), node, text })),
  problem: (text) => console.error(JSON.stringify({ time: new Date().toISOString(), error: text })),
  table: (cluster) => {
    for (const { workload, started, pid, logFile } of cluster.nodes) {
      console.log(
        JSON.stringify({
          node: workload.name,
          pid,
          listeners: started?.listeners,
          workers: started?.workers,
          admin: started?.adminUrl,
          log: basename(logFile),
        }),
      );
    }
  },
};
