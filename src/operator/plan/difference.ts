// What a plan would change, in words, and how many connections that touches: for people, before anything is done.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { quantityValue } from '../../config/quantities.ts';
import { isSame } from '../../kube/json.ts';
import { isWithin } from './within.ts';
import { CONFIG_FILE } from './config-maps.ts';
import type { Deployment } from './deployment.ts';
import { marks, nameOf } from './names.ts';
import { isSameObject } from './ownership.ts';
import { clientsOf, podsOf } from './pods.ts';
import { connectionsOf, counted } from './tier.ts';
import type { Manifest, Observed, Removal } from './types.ts';

export interface Differences {
  /** A line for each change. */
  readonly lines: readonly string[];
  /** Connections of clients that would move to other gates. */
  readonly connections: number;
}

interface Wanted {
  readonly apply: readonly Manifest[];
  readonly remove: readonly Removal[];
}

interface Found {
  readonly line: string;
  readonly connections: number;
}

export function differences(cluster: KimCluster, observed: Observed, { apply, remove }: Wanted): Differences {
  const found = [
    ...apply.flatMap((object) => difference(cluster, observed, object)),
    ...remove.map(({ kind, name }) => ({ line: `remove ${kind} ${name}`, connections: 0 })),
  ];
  const connections = found.reduce((sum, one) => sum + one.connections, 0);
  // a connection moves once, whatever moves it
  const all = connectionsOf(podsOf(cluster, 'gate', observed));
  return { lines: found.map(({ line }) => line), connections: Math.min(connections, all) };
}

function difference(cluster: KimCluster, observed: Observed, wanted: Manifest): Found[] {
  const { kind, metadata } = wanted;
  const live = observed.objects.find((one) => isSameObject(one, wanted));
  const what = `${kind} ${metadata.name}`;
  if (live === undefined) return [{ line: `create ${what}`, connections: 0 }];
  const tier = (['gate', 'logic'] as const).find((one) => metadata.name === nameOf(cluster, one));
  const special =
    kind === 'Deployment' && tier !== undefined ? podChanges(cluster, observed, tier, live as Deployment, wanted as Deployment) : [];
  if (special.length > 0) return special;
  if (kind === 'ConfigMap' && metadata.name.endsWith('-live')) return settingChanges(what, live, wanted);
  const paths = changedPaths(comparable(withoutMeta(wanted)), comparable(live)).slice(0, 5);
  return paths.length === 0 ? [] : [{ line: `change ${what}: ${paths.join(', ')}`, connections: 0 }];
}

function podChanges(cluster: KimCluster, observed: Observed, tier: Tier, live: Deployment, wanted: Deployment): Found[] {
  const name = `Deployment ${wanted.metadata.name}`;
  const pods = podsOf(cluster, tier, observed);
  const touched = (n: number) => (tier === 'gate' ? n : 0);
  const found: Found[] = [];
  const revision = wanted.spec.template?.metadata?.annotations?.[marks.revision] ?? '';
  const old = pods.filter((pod) => pod.revision !== revision && !pod.isEnding);
  if (live.spec.template?.metadata?.annotations?.[marks.revision] !== revision) {
    const all = connectionsOf(old);
    const paths = changedPaths(comparable(wanted.spec.template), comparable(live.spec.template))
      .filter((path) => !path.includes(marks.revision))
      .slice(0, 5);
    const line = `replace ${counted(old.length, 'pod')} of ${name}, one after another${connectionsText(tier, all)}: ${paths.join(', ')}`;
    found.push({ line, connections: touched(all) });
  }
  const [from, to] = [live.spec.replicas ?? 1, cluster.spec[tier]!.replicas];
  if (to > from) found.push({ line: `grow ${name} from ${from} to ${counted(to, 'pod')}`, connections: 0 });
  if (to < from) {
    const leaving = pods.toSorted((a, b) => clientsOf(a) - clientsOf(b)).slice(0, from - to);
    const all = connectionsOf(leaving);
    const line = `shrink ${name} from ${from} to ${counted(to, 'pod')}, each drained first${connectionsText(tier, all)}`;
    found.push({ line, connections: touched(all) });
  }
  return found;
}

function connectionsText(tier: Tier, n: number): string {
  return tier === 'gate' ? `, ${counted(n, 'connection')} move` : '';
}

/** Options that change in running pods: which, from what, to what. */
function settingChanges(what: string, live: Manifest, wanted: Manifest): Found[] {
  const [old, next] = [optionsIn(live), optionsIn(wanted)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter((key) => !isSame(old[key], next[key]));
  return keys.map((key) => ({
    line: `change ${key} from ${short(old[key])} to ${short(next[key])} in running pods (${what}); no connection is closed`,
    connections: 0,
  }));
}

function optionsIn({ data }: Manifest): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse((data as Readonly<Record<string, string>>)[CONFIG_FILE] ?? '{}') as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function short(value: unknown): string {
  const text = value === undefined ? 'the default' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function withoutMeta({ metadata, apiVersion: _version, kind: _kind, ...rest }: Manifest): object {
  const { labels, annotations } = metadata;
  return { ...rest, metadata: { labels, annotations } };
}

/** Amounts as numbers: the API server writes 1 for 1000m. */
function comparable(value: unknown, isAmounts = false): unknown {
  if (Array.isArray(value)) return value.map((one) => comparable(one));
  if (typeof value !== 'object' || value === null) return isAmounts ? quantityValue(value as string | number) : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, comparable(inner, key === 'requests' || key === 'limits' || isAmounts)]),
  );
}

/** Dotted places at which `found` is not as `wanted`. */
function changedPaths(wanted: unknown, found: unknown, path = ''): string[] {
  if (isWithin(wanted, found)) return [];
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    return wanted.flatMap((value, i) => changedPaths(value, found[i], `${path}[${i}]`));
  }
  if (!isObject(wanted) || !isObject(found)) return [path];
  return Object.entries(wanted).flatMap(([key, value]) => changedPaths(value, found[key], path === '' ? key : `${path}.${key}`));
}
