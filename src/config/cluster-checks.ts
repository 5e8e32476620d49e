// Rules of a whole KimCluster: those of its nodes, and that all of them find their ports on one machine.

import { advice, hostsOverlap, rules, type Check } from './checks.ts';
import type { KimCluster, Tier } from './cluster-schema.ts';
import { optionOf, type NodeConfig, type OptionKey } from './options.ts';
import { nodeConfigOf, tiersOf } from './tiers.ts';
import { pathText, type Path } from './path.ts';

interface Finding {
  readonly path: Path;
  readonly message: string;
}

type IsGiven = (path: Path) => boolean;

/** Where a cluster is to run: as processes on this machine, or as pods. */
export type Place = 'machine' | 'kubernetes';

/** What makes the cluster unusable. `isGiven` says whether something stands at a path, or is a default. */
export function clusterProblems(cluster: KimCluster, place: Place, isGiven: IsGiven): Finding[] {
  const found = [...findings(cluster, rules, isGiven), ...samePorts(cluster)];
  return found.length > 0 || place === 'kubernetes' ? found : portProblems(cluster);
}

/** Nodes of other types are not run by the cluster. */
function routeAdvice({ spec }: KimCluster): string[] {
  const routes = spec.gate.routes ?? [];
  return routes.flatMap(({ to }, i) =>
    to === 'gate' || (to === 'logic' && spec.logic !== undefined)
      ? []
      : [
          `spec.gate.routes[${i}].to is "${to}", of which this cluster runs no nodes; others must announce themselves in the same directory`,
        ],
  );
}

/** What is allowed but may surprise. */
export function clusterAdvice(cluster: KimCluster, place: Place, isGiven: IsGiven): string[] {
  const notes = unusedIn(cluster, place)
    .filter(isGiven)
    .map((path) => `${pathText(path)} has no meaning ${place === 'machine' ? 'on one machine' : 'in Kubernetes'} and is ignored`);
  return [...notes, ...routeAdvice(cluster), ...findings(cluster, advice, isGiven).map(({ message }) => message)];
}

function unusedIn(cluster: KimCluster, place: Place): Path[] {
  const { discovery } = cluster.spec;
  const inSpec = (...paths: string[]): Path[] => paths.map((path) => ['spec', ...path.split('.')]);
  const inTiers = (...paths: string[]) => tiersOf(cluster).flatMap((tier) => inSpec(...paths.map((path) => `${tier}.${path}`)));
  if (place === 'kubernetes') return [...inSpec('modules.folder', 'discovery.file.path'), ...inTiers('nodeHost', 'admin.host')];
  const managed = ['image', 'storage', 'resources', 'template'].map((key) => `managed.${key}`);
  // a folder does the work of a managed ZooKeeper
  const ofServers = discovery?.zookeeper?.managed === undefined ? [] : ['root', 'auth', 'acl', 'sessionTimeoutMs'];
  return [
    ...inSpec('image', 'imagePullPolicy', 'imagePullSecrets', 'modules.image', 'networkPolicy', 'monitoring', 'deletionPolicy', 'stores'),
    ...inSpec('discovery.kubernetes', ...[...managed, ...ofServers, 'authSecret'].map((key) => `discovery.zookeeper.${key}`)),
    ...inTiers('service', 'resources', 'update', 'disruptionBudget', 'template'),
  ];
}

/** The rules of nodes, told with the names that their options have in a tier. */
function findings(cluster: KimCluster, checks: readonly Check[], isGiven: IsGiven): Finding[] {
  return tiersOf(cluster).flatMap((tier) => {
    const config = nodeConfigOf(cluster, tier, 0, '.');
    const pathOf = (key: OptionKey) => tierPath(tier, key);
    const name = (key: OptionKey) => pathText(pathOf(key));
    // Ports are always there: they have defaults in a tier, or the schema asks for them.
    const given = (key: OptionKey) => isGiven(pathOf(key)) || (key.endsWith('_port') && config[key] !== undefined);
    return checks.flatMap(({ keys, judge }) => {
      const found = judge({ config, name, given });
      if (found === undefined) return [];
      const key = keys.find((candidate) => isGiven(pathOf(candidate))) ?? keys[0];
      const { message, at } = typeof found === 'string' ? { message: found, at: [] } : found;
      return [{ path: [...pathOf(key), ...at], message }];
    });
  });
}

/** `['spec', 'gate', 'listeners', 0, 'port']` for gate_port. */
function tierPath(tier: Tier, key: OptionKey): Path {
  const steps = (optionOf(key).path ?? key).split(/\.|(?=\[)/);
  return ['spec', tier, ...steps.map((step) => (step.startsWith('[') ? Number(step.slice(1, -1)) : step))];
}

/** In a pod all listeners have the same addresses, so that no two ports may be the same, whatever their hosts are on one machine. */
function samePorts(cluster: KimCluster): Finding[] {
  return tiersOf(cluster).flatMap((tier) => {
    const config = nodeConfigOf(cluster, tier, 0, '.');
    const keys = (['gate_port', 'node_port', 'admin_port'] as const).filter((key) => tier === 'gate' || key !== 'gate_port');
    return keys.flatMap((key, i) =>
      keys.slice(0, i).flatMap((other) => {
        const hosts = [hostOf(config, key), hostOf(config, other)] as const;
        // where the hosts overlap the rules of a node have said it
        if (!config[key] || config[key] !== config[other] || hostsOverlap(...hosts)) return [];
        const path = tierPath(tier, key);
        const message = `${pathText(tierPath(tier, other))} and ${pathText(path)} are both ${config[key]}; each needs a port of its own`;
        return [{ path, message }];
      }),
    );
  });
}

function hostOf(config: NodeConfig, key: 'gate_port' | 'node_port' | 'admin_port'): string {
  return config[`${key.replace('_port', '') as 'gate' | 'node' | 'admin'}_host`];
}

interface Taken {
  readonly port: number;
  readonly host: string;
  readonly tier: Tier;
  readonly key: 'gate_port' | 'node_port' | 'admin_port';
  readonly replica: number;
}

/** All nodes run on one machine, each replica one port further up: no two may want the same. */
function portProblems(cluster: KimCluster): Finding[] {
  const found = new Map<string, Finding>();
  const byPort = new Map<number, Taken[]>();
  for (const wanted of tiersOf(cluster).flatMap((tier) => portsOf(cluster, tier))) {
    const path = tierPath(wanted.tier, wanted.key);
    if (wanted.port > 65535) {
      found.set(`${pathText(path)} range`, {
        path,
        message: `${nameOf(wanted)} would be ${wanted.port}, above 65535; begin lower or run fewer replicas`,
      });
      continue;
    }
    const others = byPort.get(wanted.port) ?? [];
    byPort.set(wanted.port, [...others, wanted]);
    const other = others.find(({ host }) => hostsOverlap(host, wanted.host));
    const pair = `${pathText(path)} ${other?.tier} ${other?.key}`;
    if (other === undefined || found.has(pair)) continue;
    const message = `${nameOf(other)} and ${nameOf(wanted)} are both ${wanted.port}; each replica takes the next port, so begin further apart`;
    found.set(pair, { path, message });
  }
  return [...found.values()];
}

function nameOf({ tier, key, replica }: Taken): string {
  return `${pathText(tierPath(tier, key))} of replica ${replica}`;
}

function portsOf(cluster: KimCluster, tier: Tier): Taken[] {
  const taken: Taken[] = [];
  for (let replica = 0; replica < (cluster.spec[tier]?.replicas ?? 0); replica++) {
    const config: NodeConfig = nodeConfigOf(cluster, tier, replica, '.');
    for (const which of ['gate', 'node', 'admin'] as const) {
      const [port, host] = [config[`${which}_port`], config[`${which}_host`]];
      if (port !== null && port !== 0 && host !== '') taken.push({ port, host, tier, key: `${which}_port`, replica });
    }
  }
  return taken;
}
