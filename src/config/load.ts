// Loads the configuration of a node: the file, then the environment over it, then the flags.

import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './error.ts';
import { objectOf } from './groups.ts';
import { JsonSyntaxError, parseJson, type JsonText } from './json.ts';
import { NOT_A_NODE, parseNodeConfig, unknownSentence, type Origin, type ParsedNodeConfig } from './node-config.ts';
import { fromEnvironment, fromFlags, withOverrides, type Override } from './overrides.ts';

export interface LoadOptions {
  /** The environment; KIM_WORKER_CNT sets worker_cnt. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** `key=value` texts of the command line; they win over everything. */
  readonly set?: readonly string[] | undefined;
  /** Unknown keys are problems instead of warnings. */
  readonly strict?: boolean | undefined;
}

/** A configuration is a few kilobytes; a file larger than this is something else. */
const MAX_FILE = 1024 * 1024;

/** Throws a ConfigError that says what is wrong with the file, or with what is in it, all at once. */
export function loadNodeConfig(file: string, { env = {}, set = [], strict = false }: LoadOptions = {}): ParsedNodeConfig {
  const json = parseFile(file, readConfigFile(file));
  const environment = fromEnvironment(env);
  const flags = fromFlags(set);
  if (flags.problems.length > 0) throw new ConfigError('the command line', flags.problems);
  const overrides = [...environment.overrides, ...flags.overrides];
  const object = objectOf(json.value);
  const raw = object === undefined ? json.value : withOverrides(object, overrides);
  const parsed = parseNodeConfig(raw, file, (path) => originOf(path, json, overrides));
  if (strict && parsed.unknown.length > 0) {
    throw new ConfigError(
      file,
      parsed.unknown.map(({ line, ...unknown }) => ({ path: unknown.key, message: unknownSentence(unknown), line })),
    );
  }
  return { ...parsed, notes: [...environment.notes, ...parsed.notes] };
}

/** Text of a configuration file. Throws a ConfigError with a sentence where it cannot be had. */
export function readConfigFile(file: string): string {
  const refuse = (reason: string, cause?: unknown) => new ConfigError(file, [{ path: '', message: reason }], { cause });
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE) throw refuse(`the file has ${size} bytes, a configuration at most ${MAX_FILE}; check that it is the right file`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw refuse(FILE_REASONS[code] ?? `the file cannot be read (${code})`, error);
  }
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  ENOTDIR: 'a part of the path is not a directory; check the path',
  EISDIR: 'this is a directory; give the path of a file in it',
  EACCES: 'this user may not read the file; change its permissions or the user',
};

function parseFile(file: string, text: string): JsonText {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const isCluster = /^kind:\s*["']?KimCluster/m.test(text);
    const message = isCluster ? NOT_A_NODE : error.message;
    throw new ConfigError(file, [{ path: '', message, ...(isCluster ? {} : { line: error.line }) }], { cause: error });
  }
}

function originOf(path: string, json: JsonText, overrides: readonly Override[]): Origin {
  const isIn = (set: string) => path === set || path.startsWith(`${set}.`) || path.startsWith(`${set}[`);
  const over = overrides.findLast(({ path: set }) => isIn(set.join('.')));
  if (over !== undefined) return { from: over.from };
  return { line: json.lineOf(path) ?? parentLine(path, json) };
}

/** What is missing stands where it should have been. */
function parentLine(path: string, json: JsonText): number | undefined {
  const dot = path.lastIndexOf('.');
  return dot < 0 ? undefined : (json.lineOf(path.slice(0, dot)) ?? parentLine(path.slice(0, dot), json));
}
