// The configuration of a node: what a file holds becomes a complete NodeConfig, or a list of everything that is wrong with it.

import { advice, rules, type Check } from './checks.ts';
import { ConfigError, type Problem } from './error.ts';
import { show, type Report } from './field.ts';
import { objectOf, readField, reportUnknown } from './groups.ts';
import { configuredDirectories } from './discovery.ts';
import { nearest } from './nearest.ts';
import { optionKeys, optionOf, type NodeConfig, type OptionKey } from './options.ts';
import { pathText } from './path.ts';
import { everythingToLogic, timed } from './route-kind.ts';

export type { NodeConfig } from './options.ts';

/** A key that nobody asks for. */
export interface UnknownKey {
  readonly key: string;
  /** The known key that was probably meant. */
  readonly nearest?: string | undefined;
  readonly line?: number | undefined;
}

/** A configuration that can be used, and what its reader should know. Notes and unknown keys are worth a warning, not an end. */
export interface ParsedNodeConfig {
  readonly config: NodeConfig;
  readonly notes: string[];
  readonly unknown: UnknownKey[];
}

/** Where a value stood: its line in the file, or the variable or flag that it came from. */
export interface Origin {
  readonly line?: number | undefined;
  readonly from?: string | undefined;
}
export type OriginOf = (path: string) => Origin | undefined;

/** What may stand in a file beside options: the JSON schema that an editor should use. */
const IGNORED = '$schema';
const ADMIN_PORT_OFFSET = 6000;
export const NOT_A_NODE = 'this is a KimCluster; run it with "kim up", a node takes a JSON configuration';

/**
 * Reads a configuration in any shape that co_kimserver or kimserver knew; `where` is for the messages.
 * Throws a ConfigError with all problems at once.
 */
export function parseNodeConfig(raw: unknown, where: string, originOf: OriginOf = () => undefined): ParsedNodeConfig {
  const object = objectOf(raw);
  if (object === undefined) {
    throw new ConfigError(where, [
      { path: '', message: `a configuration is a JSON object, this is ${Array.isArray(raw) ? 'a list' : show(raw)}` },
    ]);
  }
  if (object['kind'] === 'KimCluster') throw new ConfigError(where, [{ path: 'kind', message: NOT_A_NODE }]);
  const { [IGNORED]: _schema, ...wanted } = object;
  const findings = new Findings(originOf);
  reportUnknown(wanted, optionKeys, '', findings);
  const values: Partial<Record<OptionKey, unknown>> = {};
  for (const key of optionKeys) {
    // The original has no word for "no name": an empty one is a missing one.
    const value = key === 'server_name' && wanted[key] === '' ? undefined : wanted[key];
    values[key] = readField(optionOf(key), value, key, findings);
  }
  const given = (key: OptionKey) => wanted[key] !== undefined && wanted[key] !== null;
  if (!given('admin_port') && wanted['admin_port'] !== null) delete values.admin_port;
  const config = withDefaults(values as Partial<NodeConfig> & { node_type: string });
  const name = (key: OptionKey) => key;
  const run = (checks: readonly Check[], tell: (path: string, sentence: string) => void) => {
    for (const { keys, judge } of checks) {
      const found = keys.some((key) => findings.isWrong(key)) ? undefined : judge({ config, name, given });
      if (found === undefined) continue;
      const { message, at } = typeof found === 'string' ? { message: found, at: [] } : found;
      tell(pathText([keys.find(given) ?? keys[0], ...at]), message);
    }
  };
  run(rules, (path, sentence) => findings.wrong(path, sentence));
  run(advice, (_, sentence) => findings.notes.push(sentence));
  if (findings.problems.length > 0) throw new ConfigError(where, findings.problems);
  return { config, notes: findings.notes, unknown: findings.unknownKeys };
}

/** Completes values that are already in the program's own units (keep_alive in milliseconds). Judges nothing. */
export function withDefaults(values: Partial<NodeConfig> & { readonly node_type: string }): NodeConfig {
  const defaults = Object.fromEntries(optionKeys.map((key) => [key, optionOf(key).default]));
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const config = { ...defaults, ...given } as NodeConfig;
  return {
    ...config,
    ...withGateModule(config),
    admin_port: values.admin_port === undefined ? defaultAdminPort(config) : config.admin_port,
    discovery: config.discovery.length > 0 ? config.discovery : configuredDirectories(config),
  };
}

/** module_gate of the original is a route here: everything to the logic nodes, equal data to the same one. */
const GATE_MODULES: readonly string[] = ['gate', 'module_gate.so'];

/** Whether a name among the modules means that route. */
export function isGateModule(name: string): boolean {
  return GATE_MODULES.includes(name);
}

function withGateModule({ modules, routes, link_timeout_ms }: NodeConfig): Pick<NodeConfig, 'modules' | 'routes'> {
  const others = modules.filter((name) => !isGateModule(name));
  const isRouted = routes.length > 0 || others.length === modules.length;
  return { modules: others, routes: timed(isRouted ? routes : [everythingToLogic('data', 'never')], link_timeout_ms) };
}

function defaultAdminPort(config: NodeConfig): number {
  const port = config.gate_host === '' ? config.node_port : config.gate_port;
  // Any free port beside a port that is any free one, and where there is no port so far up.
  return port === 0 || port + ADMIN_PORT_OFFSET > 65535 ? 0 : port + ADMIN_PORT_OFFSET;
}

/** One sentence for a key that is not known. */
export function unknownSentence({ key, nearest, line }: UnknownKey): string {
  const known = nearest === undefined ? '"kim config docs" lists all keys' : `did you mean "${nearest}"`;
  return `unknown key "${key}"${line === undefined ? '' : ` in line ${line}`}; ${known}`;
}

/** Gathers what reading finds. */
class Findings implements Report {
  readonly notes: string[] = [];
  readonly problems: Problem[] = [];
  readonly unknownKeys: UnknownKey[] = [];
  readonly #originOf: OriginOf;

  constructor(originOf: OriginOf) {
    this.#originOf = originOf;
  }

  note(path: string, text: string): void {
    this.notes.push(`${this.#label(path)} ${text}`);
  }

  problem(path: string, text: string): void {
    this.wrong(path, `${this.#label(path)} ${text}`);
  }

  wrong(path: string, message: string): void {
    const line = this.#originOf(path)?.line;
    this.problems.push({ path, message, ...(line === undefined ? {} : { line }) });
  }

  unknown(path: string, known: readonly string[]): void {
    const at = path.lastIndexOf('.') + 1;
    const near = nearest(path.slice(at), known);
    const line = this.#originOf(path)?.line;
    this.unknownKeys.push({
      key: path,
      ...(near === undefined ? {} : { nearest: path.slice(0, at) + near }),
      ...(line === undefined ? {} : { line }),
    });
  }

  /** Whether the option, or something in it, has a problem already. */
  isWrong(key: OptionKey): boolean {
    return this.problems.some(({ path }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
  }

  #label(path: string): string {
    const from = this.#originOf(path)?.from;
    return from === undefined ? path : `${path} (from ${from})`;
  }
}
