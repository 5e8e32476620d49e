// A configuration file of either kind: which one it is shows in what is written there, not in its name.

import { dirname, isAbsolute } from 'node:path';
import { parseCluster, type KimCluster, type Place } from '../config/cluster.ts';
import { ConfigError, type Problem } from '../config/error.ts';
import { parseJson } from '../config/json.ts';
import { loadNodeConfig, readConfigFile } from '../config/load.ts';
import { unknownSentence, type NodeConfig } from '../config/node-config.ts';
import type { Path } from '../config/path.ts';
import { nodeConfigOf, tiersOf } from '../config/tiers.ts';
import { parseYaml } from '../config/yaml-text.ts';
import { shipped } from '../modules/index.ts';
import { findModule } from '../route/load.ts';
import { nodeEnvironment, shownPath, userPath } from './paths.ts';
import { UsageError } from './problem.ts';

/** One node, or the first node of a tier. */
export interface NodeOf {
  /** What it is called: its server_name, or its tier. */
  readonly label: string;
  readonly config: NodeConfig;
}

export interface ConfigFile {
  /** The file as it is shown. */
  readonly file: string;
  /** Its folder, from which paths of modules start. */
  readonly folder: string;
  readonly text: string;
  /** Undefined for the configuration of a node. */
  readonly cluster: KimCluster | undefined;
  readonly nodes: readonly NodeOf[];
  /** What the reader should know though it can be used. */
  readonly warnings: readonly string[];
}

interface ReadOptions {
  readonly set?: readonly string[];
  readonly strict?: boolean;
  /** Where a KimCluster is to run. */
  readonly place?: Place;
}

/** Throws a ConfigError with everything that is wrong; modules are not looked for. */
export function readConfigurationFile(name: string, { set = [], strict = false, place = 'machine' }: ReadOptions = {}): ConfigFile {
  const file = shownPath(name);
  const folder = dirname(userPath(name));
  const text = readConfigFile(file);
  if (isNode(text, file)) {
    const { config, notes, unknown } = loadNodeConfig(file, { env: nodeEnvironment(), set, strict });
    const nodes = [{ label: config.server_name, config }];
    return { file, folder, text, cluster: undefined, nodes, warnings: [...notes, ...unknown.map(unknownSentence)] };
  }
  if (set.length > 0) throw new UsageError(`--set changes the configuration of a node, and ${file} is a KimCluster; change the file`);
  const { cluster, notes } = parseCluster(text, file, place);
  const nodes = tiersOf(cluster).map((tier) => ({ label: tier, config: nodeConfigOf(cluster, tier, 0, folder) }));
  return { file, folder, text, cluster, nodes, warnings: notes };
}

/** Everything that does not say that it is a KimCluster is judged as a node, but for YAML. */
function isNode(text: string, file: string): boolean {
  if (/^\s*["']?kind["']?\s*:\s*["']?KimCluster/m.test(text)) return false;
  return /^\s*\{/.test(text) || !/\.ya?ml$/.test(file);
}

/** Throws a ConfigError for modules that the nodes could not load because they are nowhere. */
export function checkModules({ file, folder, text, cluster, nodes }: ConfigFile): void {
  const problems = nodes.flatMap(({ label, config }) =>
    config.modules.flatMap((module, i): Problem[] => {
      const path: Path = cluster === undefined ? ['modules', i] : ['spec', label, 'modules', i];
      const message = moduleProblem(module, folder, cluster !== undefined);
      return message === undefined ? [] : [{ path: path.join('.'), message, line: lineOf(text, path, cluster !== undefined) }];
    }),
  );
  if (problems.length > 0) throw new ConfigError(file, problems);
}

function moduleProblem(module: string, folder: string, isCluster: boolean): string | undefined {
  try {
    const source = findModule(module, folder, shipped);
    if (!isCluster || source.kind === 'shipped' || isAbsolute(module)) return undefined;
    return `module "${module}" does not ship with kimserver; a KimCluster names your own by their path, as ./${module}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function lineOf(text: string, path: Path, isYaml: boolean): number | undefined {
  if (isYaml) return parseYaml(text).lineOf(path);
  const [key, index] = path;
  const json = parseJson(text);
  return json.lineOf(`${String(key)}[${String(index)}]`) ?? json.lineOf(String(key));
}
