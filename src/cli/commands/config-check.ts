// kim config check: everything that is wrong with a configuration, at once.

import { ConfigError } from '../../config/error.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { rangeText } from '../../config/route-kind.ts';
import { UsageError } from '../problem.ts';
import { checkModules, readConfigurationFile, type ConfigFile } from '../config-file.ts';

interface CheckOptions {
  set: readonly string[];
  strict: boolean;
  kubernetes: boolean;
  output: 'text' | 'json';
}

export async function runConfigCheck([name = '']: readonly string[], { set, strict, kubernetes, output }: CheckOptions): Promise<number> {
  try {
    const found = readConfigurationFile(name, { set, strict, place: kubernetes ? 'kubernetes' : 'machine' });
    if (kubernetes && found.cluster === undefined)
      throw new UsageError(`--kubernetes is for KimClusters, and ${found.file} is a node; leave it out`);
    // in Kubernetes modules are in an image, which is not here
    if (!kubernetes) checkModules(found);
    const good = kubernetes ? goodForKubernetes(found) : text(found);
    process.stdout.write(output === 'json' ? json({ file: found.file, ok: true, problems: [], warnings: found.warnings }) : good);
    return exitCodes.ok;
  } catch (error) {
    if (output === 'text' || !(error instanceof ConfigError)) throw error;
    process.stdout.write(json({ file: name, ok: false, problems: error.problems, warnings: [] }));
    return exitCodes.usage;
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function text({ file, cluster, nodes, warnings }: ConfigFile): string {
  const what = cluster === undefined ? 'the configuration of a node' : `the KimCluster ${cluster.metadata.name}`;
  const lines = nodes.map(({ label, config: { gate_host, gate_port, node_host, node_port, worker_cnt, modules, routes } }) => {
    const replicas = cluster?.spec[label === 'logic' ? 'logic' : 'gate']?.replicas;
    return [
      `  ${label}: ${replicas === undefined ? '' : `${count(replicas, 'node')} with `}${count(worker_cnt, 'worker')}`,
      ...(gate_host === '' ? [] : [`gate port ${gate_host}:${gate_port}`]),
      ...(node_host === '' ? [] : [`node port ${node_host}:${node_port}`]),
      modules.length === 0 ? 'no modules' : `modules ${modules.join(', ')}`,
      ...routes.map((route) => `relays ${rangeText(route)} to ${route.to}`),
    ].join(', ');
  });
  return [`${file} is good: ${what}`, ...lines, ...warnings.map((warning) => `warning: ${warning}`)].map((line) => `${line}\n`).join('');
}

function goodForKubernetes({ file, cluster, warnings }: ConfigFile): string {
  const tiers = Object.entries({ gate: cluster?.spec.gate, logic: cluster?.spec.logic }).flatMap(([tier, spec]) =>
    spec === undefined ? [] : [`  ${tier}: ${count(spec.replicas, 'pod')} with ${count(spec.workers, 'worker')}`],
  );
  const lines = [
    `${file} is good for Kubernetes: the KimCluster ${cluster?.metadata.name}`,
    ...tiers,
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
