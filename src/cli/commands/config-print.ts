// kim config print: a configuration as it counts.

import { printCluster, printConfig } from '../../config/print.ts';
import { stringify } from '../../config/yaml.ts';
import { readConfigurationFile, type ConfigFile } from '../config-file.ts';
import { UsageError } from '../problem.ts';

interface PrintOptions {
  set: readonly string[];
  tier: string | undefined;
  output: 'auto' | 'json' | 'yaml';
}

export async function runConfigPrint([name = '']: readonly string[], { set, tier, output }: PrintOptions): Promise<number> {
  const found = readConfigurationFile(name, { set });
  const isCluster = found.cluster !== undefined && tier === undefined;
  const value = found.cluster !== undefined && tier === undefined ? printCluster(found.cluster) : nodeOf(found, tier);
  const asYaml = output === 'yaml' || (output === 'auto' && isCluster);
  process.stdout.write(asYaml ? stringify(value) : `${JSON.stringify(value, undefined, 2)}\n`);
  for (const warning of found.warnings) process.stderr.write(`warning: ${warning}\n`);
  return 0;
}

function nodeOf({ file, cluster, nodes }: ConfigFile, tier: string | undefined): Record<string, unknown> {
  if (tier !== undefined && cluster === undefined) throw new UsageError(`--tier chooses a tier of a KimCluster, and ${file} is a node`);
  const node = tier === undefined ? nodes[0] : nodes.find(({ label }) => label === tier);
  if (node === undefined) throw new UsageError(`${file} has no tier "${tier}"; it has: ${nodes.map(({ label }) => label).join(', ')}`);
  return printConfig(node.config);
}
