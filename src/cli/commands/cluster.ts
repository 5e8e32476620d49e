// kim cluster: the nodes of a cluster as they see each other.

import { clusterJson, clusterLines } from '../cluster-text.ts';
import { folderSource, zookeeperSource, type ClusterSource } from '../cluster-source.ts';
import { drawLive } from '../live.ts';
import { UsageError } from '../problem.ts';
import { TerminalScreen } from '../screen.ts';
import { cut, painter } from '../terminal.ts';

interface ClusterOptions {
  zookeeper: string | undefined;
  root: string | undefined;
  authFile: string | undefined;
  watch: boolean;
  output: 'text' | 'json';
}

const DEFAULT_ROOT = '/kimserver';
const INTERVAL_MS = 1000;

export async function runCluster([name]: readonly string[], options: ClusterOptions): Promise<number> {
  const source = sourceOf(name, options);
  try {
    return await show(source, options);
  } finally {
    await source.close();
  }
}

function sourceOf(name: string | undefined, { zookeeper, root, authFile, watch, output }: ClusterOptions): ClusterSource {
  if (watch && output === 'json') throw new UsageError('--watch draws on a terminal; without it -o json prints one look');
  if (watch && !process.stdout.isTTY) throw new UsageError('--watch draws on a terminal, and this is none; without it one look is printed');
  if (zookeeper === undefined) {
    if (root !== undefined || authFile !== undefined) throw new UsageError('--root and --auth-file go with --zookeeper');
    return folderSource(name);
  }
  if (name !== undefined) throw new UsageError(`--zookeeper has a --root instead of the name "${name}"`);
  return zookeeperSource(zookeeper, root ?? DEFAULT_ROOT, authFile);
}

async function show(source: ClusterSource, { watch, output }: ClusterOptions): Promise<number> {
  const first = await source.look();
  const paint = painter(process.stdout.isTTY);
  if (!watch) {
    const text = output === 'json' ? JSON.stringify(clusterJson(first), undefined, 2) : clusterLines(first, paint).join('\n');
    process.stdout.write(`${text}\n`);
    return 0;
  }
  const screen = new TerminalScreen();
  await drawLive({
    screen,
    first,
    look: () => source.look(),
    intervalMs: INTERVAL_MS,
    picture(look, _, problem) {
      const plain = clusterLines(look, (_style, text) => text, problem);
      const lines = clusterLines(look, paint, problem);
      // colours take no room: a line that is too long is cut without them
      const fitting = lines.map((line, i) => (plain[i]!.length > screen.columns ? cut(plain[i]!, screen.columns) : line));
      return [...fitting.slice(0, Math.max(1, screen.rows - 2)), '', paint('dim', 'q ends')];
    },
  });
  return 0;
}
