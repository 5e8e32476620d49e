// A configuration as a file again: for people without secrets, for other processes with them.

import { createHash } from 'node:crypto';
import { NO_PORT } from './kinds.ts';
import { clusterSecrets } from './cluster-discovery.ts';
import type { KimCluster } from './cluster-schema.ts';
import { optionKeys, optionOf, type NodeConfig, type OptionKey } from './options.ts';
import { writtenRoute } from './cluster-route.ts';

const MASK = '***';

/** The configuration as a file would hold it, secrets masked as "***": for people, logs and dumps. */
export function printConfig(config: NodeConfig): Record<string, unknown> {
  return { ...nodeFileOf(config), ...Object.fromEntries(optionKeys.filter(hasSecret).map((key) => [key, masked(key, config[key])])) };
}

const digests = new WeakMap<NodeConfig, string>();
const DIGEST_LENGTH = 16;

/** Another one for each other result of `printConfig`. A configuration is not changed after it was parsed, so each is digested once. */
export function configDigest(config: NodeConfig): string {
  let digest = digests.get(config);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update(JSON.stringify(printConfig(config)))
      .digest('hex')
      .slice(0, DIGEST_LENGTH);
    digests.set(config, digest);
  }
  return digest;
}

/** The configuration as a file that `parseNodeConfig` reads back to the same values. It holds the secrets: for other processes only. */
export function nodeFileOf(config: NodeConfig): Record<string, unknown> {
  return Object.fromEntries(optionKeys.map((key) => [key, inFile(key, config[key])]));
}

function inFile(key: OptionKey, value: unknown): unknown {
  const { kind } = optionOf(key);
  return kind.inFile === undefined ? value : kind.inFile(value);
}

/** A KimCluster as a file would hold it, secrets masked as "***". */
export function printCluster(cluster: KimCluster): object {
  const { gate, logic } = cluster.spec;
  const routes = gate.routes?.map(writtenRoute);
  const tiers = { gate: { ...adminWritten(gate), ...(routes && { routes }) }, ...(logic && { logic: adminWritten(logic) }) };
  const whole = { ...cluster, spec: { ...cluster.spec, ...tiers } };
  return clusterSecrets.reduce<object>((result, path) => mask(result, [...path]) as object, whole);
}

/** That there is no port is a word, because null would be a missing key. */
function adminWritten<T extends { admin?: { port?: number | null | undefined } | undefined }>(tier: T): T {
  return tier.admin?.port === null ? { ...tier, admin: { ...tier.admin, port: NO_PORT } } : tier;
}

/** A value of an option as a file would hold it, with its secrets masked. */
export function masked(key: OptionKey, value: unknown): unknown {
  const { secret, kind } = optionOf(key);
  if (secret === true) return MASK;
  return (kind.parts ?? []).reduce(
    (result, [path, part]) => (part.secret === true ? mask(result, path.split('.')) : result),
    inFile(key, value),
  );
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
