// The status of a KimCluster after a pass. It is written only when it differs, so nothing in it moves by itself; counts move rarely.

import type { KimCluster } from '../../config/cluster-schema.ts';
import type { Draining, KimClusterStatus, TierStatus } from '../status-types.ts';
import { isSame } from '../../kube/json.ts';
import { conditions } from './conditions.ts';
import { podDirectories } from './directories.ts';
import { drainTimesOf } from './drain-times.ts';
import { deadlineOf } from './drain.ts';
import { nameOf, namespaceOf, selectorText } from './names.ts';
import { portsOf } from './pod-config.ts';
import { clientsOf, isoOf, timeOf, type PodView } from './pods.ts';
import { connectionsOf, type TierState } from './tier.ts';
import type { Manifest, Observed } from './types.ts';
import { verdicts, type Findings, type TierDecisions } from './verdicts.ts';

/** Counts that changed alone are written no more often; while something drains people look at them. */
const COUNTS_MS = 30_000;
const COUNTS_WHILE_DRAINING_MS = 5000;

export function statusOf(found: Findings, observed: Observed): KimClusterStatus {
  const { cluster, tiers } = found;
  const before = observed.status;
  const status = whole(found, observed);
  const isDraining = tiers.some(({ state }) => drainingOf(state).length > 0);
  const isRecent = observed.now - observed.statusAt < (isDraining ? COUNTS_WHILE_DRAINING_MS : COUNTS_MS);
  const isOnlyCounts = before !== undefined && isSame(withoutCounts(before), withoutCounts(status));
  return isOnlyCounts && isRecent && before.observedGeneration === cluster.metadata.generation ? before : status;
}

function whole(found: Findings, observed: Observed): KimClusterStatus {
  const { cluster, tiers, zookeeper } = found;
  const { generation } = cluster.metadata;
  const before = observed.status;
  const [gate, logic] = (['gate', 'logic'] as const).map((name) => tiers.find(({ state }) => state.tier === name));
  const statuses = { gate: gate && tierStatus(gate), logic: logic && tierStatus(logic) };
  const of = (status: TierStatus | undefined, tier: 'gate' | 'logic') => `${status?.ready ?? 0}/${cluster.spec[tier]?.replicas ?? 0}`;
  const all = tiers.flatMap(({ state }) => state.live);
  const said = verdicts(found);
  const { status: discoveryStatus } = said.DiscoveryHealthy;
  const [primary = 'zookeeper', fallback] = podDirectories(cluster);
  const lostBy = (name: string) => all.filter(({ node }) => node?.lostDirectories.includes(name)).map((pod) => pod.name);
  const directory = (name: typeof primary) => {
    const lost = lostBy(name);
    const isManaged = name === 'zookeeper' && zookeeper !== undefined;
    const message = lost.length > 0 ? `not reached by ${lost.join(', ')}` : isManaged ? zookeeper.text : undefined;
    return { name, healthy: lost.length === 0 && (!isManaged || zookeeper.hasQuorum), ...(message !== undefined && { message }) };
  };
  const draining = [...(statuses.gate?.draining ?? []), ...(statuses.logic?.draining ?? [])];
  const lastDrain = lastDrainOf(before, draining, observed.now) ?? before?.lastDrain;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: conditions(said, before?.conditions, generation, observed.now),
    summary: {
      gates: of(statuses.gate, 'gate'),
      logics: of(statuses.logic, 'logic'),
      workers: [statuses.gate, statuses.logic].flatMap((tier) => (tier === undefined ? [] : [tier.workers])).join('+'),
      connections: statuses.gate?.connections ?? 0,
      draining: draining.length,
      discovery:
        zookeeper !== undefined && primary === 'zookeeper' ? zookeeper.text : `${primary} ${discoveryStatus === 'False' ? 'lost' : 'ok'}`,
    },
    selector: selectorText(cluster, 'gate'),
    endpoint: endpointOf(cluster, observed.objects),
    ...(statuses.gate && { gate: statuses.gate }),
    ...(statuses.logic && { logic: statuses.logic }),
    versions: versionsOf(all, gate?.state.image, observed),
    ...(lastDrain && { lastDrain }),
    discovery: {
      primary: directory(primary),
      ...(fallback && { fallback: directory(fallback) }),
      active: fallback !== undefined && all.length > 0 && lostBy(primary).length === all.length ? fallback : primary,
    },
  };
}

function tierStatus({ state, changes }: TierDecisions): TierStatus {
  const { cluster, tier, live, ending, revision, maps } = state;
  const { generation } = cluster.metadata;
  // all pods have the options and workers that the spec asks for
  const isWhole = live.length > 0 && changes.length === 0 && live.every(({ node }) => node !== undefined);
  const given = isWhole ? generation : state.observed.status?.[tier]?.settingsGeneration;
  return {
    replicas: live.length,
    ready: live.filter(({ isReady }) => isReady).length,
    updated: live.filter((pod) => pod.revision === revision).length,
    revision,
    workers: live.reduce((sum, { node }) => sum + (node?.workers ?? 0), 0),
    connections: connectionsOf([...live, ...ending]),
    draining: drainingOf(state),
    selector: selectorText(cluster, tier),
    configHash: maps.hash,
    ...(given !== undefined && { settingsGeneration: given }),
  };
}

function drainingOf(state: TierState): Draining[] {
  const { live, ending } = state;
  return [...live.filter(({ drain }) => drain !== undefined), ...ending].map((pod) => draining(state, pod));
}

function draining(state: TierState, pod: PodView): Draining {
  const { cluster, tier, observed, revision } = state;
  const { graceSeconds } = drainTimesOf(cluster, tier);
  const startedAt = pod.drain?.since ?? (pod.endsAt ?? observed.now) - graceSeconds * 1000;
  const over = pod.drain === undefined ? (pod.endsAt ?? observed.now) : deadlineOf(state, pod.drain.since);
  const connections = clientsOf(pod);
  const old = observed.status?.[tier]?.draining.find((one) => one.pod === pod.name);
  const perMs = old === undefined ? 0 : (old.connections - connections) / Math.max(1, observed.now - observed.statusAt);
  const paced = perMs > 0 ? Math.round(observed.now + connections / perMs) : over;
  const cause = pod.drain?.cause ?? (pod.isEvicted ? 'NodeDrain' : pod.revision === revision ? undefined : 'Rollout');
  return {
    pod: pod.name,
    ...(cause && { cause }),
    connections,
    // a node that has ended says nothing any more
    ...(pod.node?.left ?? leftBefore(old)),
    startedAt: isoOf(startedAt),
    estimatedEnd: isoOf(Math.min(paced, over)),
  };
}

function leftBefore({ moved, closed, forced }: Partial<Draining> = {}): Partial<Draining> {
  return { ...(moved !== undefined && { moved }), ...(closed !== undefined && { closed }), ...(forced !== undefined && { forced }) };
}

/** The drain that ended since the status was written: its pod is gone. */
function lastDrainOf(before: KimClusterStatus | undefined, now: readonly Draining[], time: number): KimClusterStatus['lastDrain'] {
  const known = [...(before?.gate?.draining ?? []), ...(before?.logic?.draining ?? [])];
  const gone = known.findLast(({ pod }) => !now.some((one) => one.pod === pod));
  if (gone === undefined) return undefined;
  const { pod, cause, moved = 0, closed = 0, forced = 0, startedAt } = gone;
  const seconds = Math.max(0, Math.round((time - (timeOf(startedAt) ?? time)) / 1000));
  return { pod, ...(cause && { cause }), moved, closed, forced, seconds, endedAt: isoOf(time) };
}

function versionsOf(
  pods: readonly PodView[],
  image: string | undefined,
  { operator }: Observed,
): NonNullable<KimClusterStatus['versions']> {
  const running = [...new Set(pods.flatMap(({ node }) => (node === undefined ? [] : [node.version])))].toSorted();
  const target = /:([^/:@]+)(@|$)/.exec(image ?? '')?.[1];
  return {
    ...(running.length > 0 && { current: running.join(', ') }),
    ...(target !== undefined && { target }),
    operator: operator.version,
  };
}

interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
}

/** The load balancer where there is one, else the name in the cluster. */
function endpointOf(cluster: KimCluster, objects: readonly Manifest[]): string {
  const name = nameOf(cluster, 'gate');
  const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
  const [outside] = ((service?.['status'] ?? {}) as ServiceStatus).loadBalancer?.ingress ?? [];
  const host = outside?.hostname ?? outside?.ip ?? `${name}.${namespaceOf(cluster)}.svc`;
  return `${host.includes(':') ? `[${host}]` : host}:${portsOf(cluster, 'gate').client}`;
}

/** What is left when what is counted is left out. */
function withoutCounts({ gate, logic, summary, ...rest }: KimClusterStatus): object {
  const tier = (status: TierStatus | undefined) =>
    status && { ...status, connections: 0, draining: status.draining.map(({ pod, cause, startedAt }) => ({ pod, cause, startedAt })) };
  return { ...rest, gate: tier(gate), logic: tier(logic), summary: { ...summary, connections: 0 } };
}
