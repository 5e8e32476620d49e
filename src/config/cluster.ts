// Reads a KimCluster from YAML: everything that is wrong with it is said at once, with its line.

import { kimClusterSchema, type KimCluster } from './cluster-schema.ts';
import { clusterSecrets } from './cluster-discovery.ts';
import { clusterAdvice, clusterProblems, type Place } from './cluster-checks.ts';
import { ConfigError, type Problem } from './error.ts';
import { show } from './field.ts';
import { nearest } from './nearest.ts';
import { pathText, valueAt, type Path } from './path.ts';
import { isSentence } from './rules.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';
import { z } from './z.ts';

export type { Place } from './cluster-checks.ts';
export { kimClusterSchema, type KimCluster } from './cluster-schema.ts';

export interface ParsedCluster {
  readonly cluster: KimCluster;
  /** What is allowed but may surprise, as sentences. */
  readonly notes: string[];
}

/** Throws a ConfigError with all problems; `file` is for the messages. What runs on this machine must find its ports there. */
export function parseCluster(text: string, file: string, place: Place = 'machine'): ParsedCluster {
  const yaml = parseYaml(text);
  if (yaml.problems.length > 0) throw new ConfigError(file, yaml.problems);
  if (yaml.value === null || yaml.value === undefined) {
    throw new ConfigError(file, [{ path: '', message: 'the file is empty; a KimCluster begins with "apiVersion: kimserver.io/v1alpha1"' }]);
  }
  if (yaml.at(['kind']) === undefined && yaml.at(['node_type']) !== undefined) {
    throw new ConfigError(file, [
      { path: '', message: 'this is the configuration of a node; run it with "kim node", a cluster is a KimCluster' },
    ]);
  }
  const { cluster, notes } = judged(yaml, file, place);
  return { cluster, notes: [...yaml.notes, ...notes] };
}

/** A KimCluster as the API server holds it. Throws a ConfigError with all problems; `name` is for the messages. */
export function clusterOf(object: unknown, name: string): ParsedCluster {
  return judged({ value: object, at: (path) => valueAt(object, path), lineOf: () => undefined }, name, 'kubernetes');
}

/** What was read, and where everything stands in it. */
type Source = Pick<YamlText, 'value' | 'at' | 'lineOf'>;

function judged(source: Source, file: string, place: Place): ParsedCluster {
  const result = kimClusterSchema.safeParse(withoutNulls(source.value));
  if (!result.success) throw new ConfigError(file, inOrder(result.error.issues.flatMap((issue) => problemsOf(issue, source))));
  const cluster = result.data;
  const isGiven = (path: Path) => (source.at(path) ?? undefined) !== undefined;
  const problems = clusterProblems(cluster, place, isGiven).map(({ path, message }) => located(path, message, source));
  if (problems.length > 0) throw new ConfigError(file, inOrder(problems));
  return { cluster, notes: clusterAdvice(cluster, place, isGiven) };
}

/** `limits:` with nothing after it is a key whose children were all commented out: the same as no key. What is Kubernetes' own is left alone. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, PASSED.includes(key) ? inner : withoutNulls(inner)]));
}

const PASSED = ['affinity', 'volumes', 'containers', 'initContainers', 'envFrom', 'valueFrom', 'from', 'metricsFrom', 'status'];

/** Keys that only gates have, and what logic nodes do instead. */
const GATE_ONLY: Readonly<Record<string, string>> = {
  'spec.logic.listeners': 'only gates have listeners; logic nodes are reached on their nodePort',
  'spec.logic.routes': 'only gates have routes; logic nodes answer with their modules',
  'spec.logic.service': 'only gates have a service; logic nodes are reached by gates alone',
  'spec.routes': 'routes stand in spec.gate',
};

function problemsOf(issue: z.core.$ZodIssue, yaml: Source): Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key], yaml));
  const path = pathText(issue.path);
  if (isSentence(issue)) return [located(issue.path, `${path}: ${issue.message}`, yaml)];
  const value = yaml.at(issue.path);
  const message =
    path === ''
      ? `this is ${show(value)}; expected ${issue.message}`
      : value === undefined || value === null
        ? `${path} is missing; it takes ${issue.message}`
        : `${path} is ${isSecret(issue.path) ? '***' : show(value)}; allowed: ${issue.message}`;
  return [located(issue.path, message, yaml)];
}

/** A secret, or what stands in its place. */
function isSecret(path: Path): boolean {
  return clusterSecrets.some((secret) => secret.every((step, i) => path[i] === step));
}

function unknownKey(path: Path, yaml: Source): Problem {
  const [text, key] = [pathText(path), String(path.at(-1))];
  const gateOnly = GATE_ONLY[text];
  if (gateOnly !== undefined) return located(path, `${text}: ${gateOnly}`, yaml);
  const known = knownKeys(path.slice(0, -1));
  const near = nearest(key, known);
  const cure = near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"`;
  return located(path, `unknown key "${key}"${path.length > 1 ? ` in ${pathText(path.slice(0, -1))}` : ''}; ${cure}`, yaml);
}

function located(path: Path, message: string, yaml: Source): Problem {
  const line = yaml.lineOf(path);
  return { path: pathText(path), message, ...(line === undefined ? {} : { line }) };
}

/** By line; a value that breaks two limits of its option is told once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const once = new Map(problems.map((problem) => [problem.message, problem]));
  return [...once.values()].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** The keys that may stand at a path. */
function knownKeys(path: Path): string[] {
  let schema: JsonSchema | undefined = clusterJsonSchema();
  for (const step of path) schema = typeof step === 'number' ? schema?.items : schema?.properties?.[String(step)];
  return Object.keys(schema?.properties ?? {});
}

/** The JSON schema of what may be written in a KimCluster. */
export function clusterJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(kimClusterSchema, { io: 'input', unrepresentable: 'any' });
}
