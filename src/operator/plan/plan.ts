// The plan: from a KimCluster and what is known about it to everything that has to be done. Pure; the same input gives the same plan.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { tiersOf } from '../../config/tiers.ts';
import { accessOf } from './access.ts';
import { foreignAutoscaler } from './autoscalers.ts';
import { budget } from './budget.ts';
import { deletion, finalizerActions, isDeleted } from './deletion.ts';
import { deployment } from './deployment.ts';
import { differences } from './difference.ts';
import { liveActions } from './live.ts';
import { isWished } from './names.ts';
import { tierPolicy } from './network.ts';
import { once } from './once.ts';
import { claim, removals } from './ownership.ts';
import { serviceMonitor } from './monitoring.ts';
import { rollout } from './rollout.ts';
import { scale } from './scale.ts';
import { clientService, nodeService } from './services.ts';
import { statusOf } from './status.ts';
import { tierState, type TierState } from './tier.ts';
import type { Manifest, Observed, Plan } from './types.ts';
import type { Findings, TierDecisions } from './verdicts.ts';
import { zookeeperOf } from './zookeeper.ts';
import { zookeeperSet, zookeeperState } from './zookeeper-state.ts';
import { zookeeperUpdate } from './zookeeper-update.ts';

const IDLE_MS = 30_000;
const BUSY_MS = 1000;

/** Decides one pass. The KimCluster is one that its schema has judged and completed. */
export function plan(cluster: KimCluster, observed: Observed): Plan {
  const tiers = decide(cluster, observed);
  const servers = zookeeperSet(cluster, observed);
  const zookeeper = zookeeperOf(cluster, observed, servers);
  const update = zookeeperUpdate(cluster, observed, servers);
  const wanted = [...zookeeper.objects, ...tiers.flatMap((tier) => objectsOf(tier, observed))];
  const { apply, conflicts } = claim(cluster, wanted, observed);
  const gate = tiers.find(({ state }) => state.tier === 'gate')!;
  const ending = isDeleted(cluster) ? deletion(gate.state) : undefined;
  const notes = [
    ...zookeeper.notes.map((note) => `spec.discovery.zookeeper.managed: ${note}`),
    ...tiers.flatMap(({ state }) => state.notes),
  ];
  const findings: Findings = {
    cluster,
    tiers,
    zookeeper: zookeeperState(cluster, observed),
    update: update.progress,
    conflicts,
    notes,
    deletion: ending?.message,
  };
  const status = statusOf(findings, observed);
  const remove = removals(cluster, wanted, observed, tiers);
  const none = { apply: [], remove: [], actions: [], events: [] } as const;
  if (ending !== undefined) return { ...none, actions: ending.actions, status, requeueMs: BUSY_MS };
  if (isWished(cluster, 'dryRun')) {
    const { lines, connections } = differences(cluster, observed, { apply, remove });
    const changes = lines.slice(0, 200);
    return {
      ...none,
      status: { ...status, plan: { generation: cluster.metadata.generation ?? 0, changes, connections } },
      requeueMs: IDLE_MS,
    };
  }
  if (isWished(cluster, 'pause')) return { ...none, status, requeueMs: IDLE_MS };
  const ofTiers = tiers.flatMap(({ changes, scale: { actions: own } }) => [...own, ...changes]);
  const actions = [...finalizerActions(cluster), ...update.actions, ...ofTiers];
  const events = tiers.flatMap(({ rollout: rolling, scale: scaling }) => [...rolling.events, ...scaling.events]);
  return { apply, remove, actions, events, status, requeueMs: requeueOf(tiers, actions.length > 0 || update.progress !== undefined) };
}

/** Logic nodes first: gates are replaced when those that they relay to are well. */
function decide(cluster: KimCluster, observed: Observed): TierDecisions[] {
  const decided: TierDecisions[] = [];
  for (const tier of tiersOf(cluster)) {
    const state = tierState(cluster, tier, observed);
    const before = decided.map(({ rollout: earlier }) => earlier.progress).find((progress) => progress !== undefined);
    const rolling = rollout(state, before);
    const foreign = foreignAutoscaler(state);
    decided.push({ state, rollout: rolling, foreign, scale: scale(state, rolling.progress, foreign), changes: liveActions(state) });
  }
  return decided;
}

/** In the order in which they are needed. */
function objectsOf({ state, rollout: pace, scale: size }: TierDecisions, { operator, hasServiceMonitors }: Observed): Manifest[] {
  const { cluster, tier, template, image } = state;
  const name = `objects of ${tier}${hasServiceMonitors ? ' with a ServiceMonitor' : ''}`;
  const wanted = { replicas: size.replicas, paused: pace.paused, marks: { ...pace.marks, ...size.marks } };
  return [
    ...once(cluster, operator, name, () => lastingObjectsOf(state, hasServiceMonitors)),
    // few: a status is written, and the KimCluster is another object, whenever a tier comes to another size
    once(cluster, operator, `Deployment of ${tier} with ${image} ${JSON.stringify(wanted)}`, () =>
      deployment(cluster, tier, template, wanted),
    ),
  ];
}

/** Those that do not change as long as the spec does not. */
function lastingObjectsOf({ cluster, tier, maps, observed: { operator } }: TierState, hasServiceMonitors: boolean): Manifest[] {
  const { disruptionBudget } = cluster.spec[tier]!;
  return [
    ...accessOf(cluster, tier),
    maps.lasting,
    maps.live,
    nodeService(cluster, tier),
    ...(tier === 'gate' ? [clientService(cluster)] : []),
    ...(cluster.spec.networkPolicy.enabled ? [tierPolicy(cluster, tier, operator)] : []),
    ...(disruptionBudget.enabled ? [budget(cluster, tier, disruptionBudget.maxUnavailable)] : []),
    ...(hasServiceMonitors ? serviceMonitor(cluster, tier) : []),
  ];
}

/** While something moves it is looked at often: how far a drain is stands in no object. */
function requeueOf(tiers: readonly TierDecisions[], hasActions: boolean): number {
  const isMoving = ({ state, rollout: rolling, scale: size }: TierDecisions) =>
    (size.progress !== undefined && size.refusal === undefined) ||
    (rolling.progress !== undefined && rolling.stalled === undefined) ||
    state.ending.length > 0 ||
    state.live.some(({ drain }) => drain !== undefined);
  const isBusy = hasActions || tiers.some(isMoving);
  const waits = tiers.flatMap(({ rollout: { requeueMs } }) => (requeueMs === undefined ? [] : [requeueMs]));
  return Math.max(100, Math.min(IDLE_MS, ...(isBusy ? [BUSY_MS] : []), ...waits));
}
