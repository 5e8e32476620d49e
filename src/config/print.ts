// A configuration as a file again: for people without secrets, for other processes with them.

import { optionKeys, optionOf, type NodeConfig, type OptionKey } from './options.ts';
import { formatDuration } from './units.ts';

const MASK = '***';

/** The configuration as a file would hold it, secrets masked as "***": for people, logs and dumps. */
export function printConfig(config: NodeConfig): Record<string, unknown> {
  return { ...nodeFileOf(config), ...Object.fromEntries(optionKeys.filter(hasSecret).map((key) => [key, masked(key, config[key])])) };
}

/** The configuration as a file that `parseNodeConfig` reads back to the same values. It holds the secrets: for other processes only. */
export function nodeFileOf(config: NodeConfig): Record<string, unknown> {
  return {
    ...config,
    // Both would be read as something else: a number below 10000 as seconds or with a note, null as missing by other readers.
    keep_alive: config.keep_alive < 10_000 ? formatDuration(config.keep_alive) : config.keep_alive,
    admin_port: config.admin_port ?? false,
  };
}

/** A value of an option with its secrets masked. */
export function masked(key: OptionKey, value: unknown): unknown {
  const { secret, kind } = optionOf(key);
  if (secret === true) return MASK;
  return (kind.parts ?? []).reduce((result, [path, part]) => (part.secret === true ? mask(result, path.split('.')) : result), value);
}

function hasSecret(key: OptionKey): boolean {
  const { secret, kind } = optionOf(key);
  return secret === true || (kind.parts ?? []).some(([, part]) => part.secret === true);
}

/** `NODE` in a path stands for every key: only maps have words in capitals. */
function mask(value: unknown, [head, ...rest]: string[]): unknown {
  if (head === undefined) return value === '' ? '' : MASK;
  if (typeof value !== 'object' || value === null) return value;
  const isEvery = head === head.toUpperCase();
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isEvery || key === head ? mask(inner, rest) : inner]));
}
