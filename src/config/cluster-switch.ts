// From one directory to another: nodes of two revisions have to find each other while one replaces the other, so both need one in common.

import { DEFAULT_ROOT, directoriesOf } from './cluster-discovery.ts';
import type { KimCluster } from './cluster-schema.ts';
import type { Expression } from './rules.ts';

const message =
  'discovery would have no directory in common with what runs, so old and new nodes would not find each other; name both first, and take the old one away when all pods are new';

/** What stands for a ZooKeeper: which one, and where in it. */
const managed = (spec: string) =>
  `(!has(${spec}.discovery) || has(${spec}.discovery.zookeeper) && has(${spec}.discovery.zookeeper.managed) || !has(${spec}.discovery.zookeeper) && !has(${spec}.discovery.kubernetes) && !has(${spec}.discovery.static))`;
const has = (spec: string, path: string) => `(has(${spec}.discovery) && has(${spec}.discovery.${path}))`;
const hosts = (spec: string) => `(${has(spec, 'zookeeper')} && has(${spec}.discovery.zookeeper.hosts))`;
const root = (spec: string) =>
  `(${has(spec, 'zookeeper')} && has(${spec}.discovery.zookeeper.root) ? ${spec}.discovery.zookeeper.root : '${DEFAULT_ROOT}')`;
const both = (of: (spec: string) => string) => `${of('self')} && ${of('oldSelf')}`;
const listed = (spec: string) => has(spec, 'static');

/** Lists of nodes that never change have nothing to do with it. */
export const commonDirectory: Expression = {
  rule: `${both((spec) => has(spec, 'kubernetes'))} || ${root('self')} == ${root('oldSelf')} && (${both(managed)} || ${both(hosts)}) || ${listed('self')} || ${listed('oldSelf')}`,
  message,
};

/** The same of two files; undefined if it can be done. */
export function switchProblem(before: KimCluster, after: KimCluster): string | undefined {
  const [old, next] = [namesOf(before), namesOf(after)];
  return old.includes('static') || next.includes('static') || next.some((name) => old.includes(name)) ? undefined : `spec: ${message}`;
}

function namesOf({ spec: { discovery } }: KimCluster): string[] {
  const { root: place = DEFAULT_ROOT, hosts: servers } = discovery?.zookeeper ?? {};
  const names = directoriesOf(discovery).filter((name) => name !== 'file');
  const zookeeper = `${servers === undefined ? 'managed' : 'hosts'} ${place}`;
  return (names.length === 0 ? ['zookeeper' as const] : names).map((name) => (name === 'zookeeper' ? zookeeper : name));
}
