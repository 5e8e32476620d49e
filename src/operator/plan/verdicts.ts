// What is to be said about a cluster: from the decisions of a pass to its conditions.

import type { KimCluster } from '../../config/cluster-schema.ts';
import type { VerdictOf, Verdicts } from '../condition-reasons.ts';
import { firstOf, no, unknown, yes } from './conditions.ts';
import type { Deployment } from './deployment.ts';
import { podDirectories } from './directories.ts';
import { isWished } from './names.ts';
import type { PodView } from './pods.ts';
import type { RolloutDecision } from './rollout.ts';
import type { ScaleDecision } from './scale.ts';
import { counted, type TierState } from './tier.ts';
import type { Action } from './types.ts';
import type { ZookeeperState } from './zookeeper-state.ts';

export interface TierDecisions {
  readonly state: TierState;
  readonly rollout: RolloutDecision;
  readonly scale: ScaleDecision;
  /** The autoscaler that writes the number of pods itself. */
  readonly foreign: string | undefined;
  /** What changes in its running pods. */
  readonly changes: readonly Action[];
}

export interface Findings {
  readonly cluster: KimCluster;
  readonly tiers: readonly TierDecisions[];
  readonly zookeeper: ZookeeperState | undefined;
  /** That servers of it are being replaced, and how far that is. */
  readonly update: string | undefined;
  readonly conflicts: readonly string[];
  readonly notes: readonly string[];
  /** That the cluster is being deleted, and how far that is. */
  readonly deletion: string | undefined;
}

export function verdicts(found: Findings): Verdicts {
  const discovery = discoveryVerdict(found);
  return {
    Ready: readyVerdict(found, discovery),
    Available: availableVerdict(found),
    Progressing: progressVerdict(found),
    Degraded: degradedVerdict(found),
    ConfigValid:
      found.notes.length === 0 ? yes('Valid', 'the spec can be followed as it is') : yes('ValidWithNotes', found.notes.join('; ')),
    Paused: isWished(found.cluster, 'pause')
      ? yes('PausedByAnnotation', 'nothing is changed while the annotation kimserver.io/pause is set; remove it to go on')
      : no('NotPaused', 'changes are followed'),
    DiscoveryHealthy: discovery,
  };
}

/** Why fewer pods of a tier are ready than wanted; undefined if none is missing. */
function missing({ state: { live, tier, cluster } }: TierDecisions): string | undefined {
  const wanted = cluster.spec[tier]!.replicas;
  const ready = live.filter(({ isReady }) => isReady).length;
  if (ready >= wanted) return undefined;
  const stuck = live.find(({ trouble }) => trouble !== undefined);
  const waiting = live.filter(({ isReady, drain }) => !isReady && drain === undefined).map(({ name }) => name);
  const why =
    stuck === undefined ? (waiting.length === 0 ? '' : `; waiting for ${waiting.join(', ')}`) : `; ${stuck.name}: ${stuck.trouble}`;
  return `${ready} of ${counted(wanted, tier === 'gate' ? 'gate' : 'logic node')} are ready${why}`;
}

const word = { gate: 'Gate', logic: 'Logic' } as const;

function readyVerdict({ cluster, tiers, conflicts, deletion }: Findings, discovery: VerdictOf<'DiscoveryHealthy'>): VerdictOf<'Ready'> {
  const late = tiers.find((tier) => missing(tier) !== undefined);
  const rolling = tiers.find(({ rollout }) => rollout.progress !== undefined);
  return firstOf<VerdictOf<'Ready'>>(
    deletion !== undefined && no('Deleting', deletion),
    isWished(cluster, 'pause') && late !== undefined && no('Paused', `${missing(late)}; changes are paused`),
    conflicts.length > 0 && no('ResourceConflict', conflicts[0]!),
    late && no(`${word[late.state.tier]}NotReady`, missing(late)!),
    rolling && no(`${word[rolling.state.tier]}NotReady`, rolling.rollout.progress!),
    discovery.status === 'False' && no('DiscoveryNotReady', discovery.message),
    yes('AllReady', 'all gates and logic nodes are ready'),
  );
}

function availableVerdict({ tiers }: Findings): VerdictOf<'Available'> {
  const empty = tiers.find(
    ({ state: { live, tier, cluster } }) => cluster.spec[tier]!.replicas > 0 && !live.some(({ isReady }) => isReady),
  );
  const noGate = tiers.some(({ state: { tier, cluster } }) => tier === 'gate' && cluster.spec.gate.replicas === 0);
  return firstOf<VerdictOf<'Available'>>(
    noGate && no('NoGate', 'spec.gate.replicas is 0, so clients can not connect'),
    empty?.state.tier === 'gate' && no('NoGate', 'no gate is ready, so clients can not connect; see the condition Ready'),
    empty && no('NoLogic', 'no logic node is ready, so what gates relay fails; see the condition Ready'),
    yes('MinimumAvailable', 'clients are served'),
  );
}

function progressVerdict({ tiers, deletion, update }: Findings): VerdictOf<'Progressing'> {
  const rolling = tiers.map(({ rollout }) => rollout.progress).find((progress) => progress !== undefined);
  const scaling = tiers.map(({ scale }) => scale.progress).find((progress) => progress !== undefined);
  return firstOf<VerdictOf<'Progressing'>>(
    deletion !== undefined && yes('Draining', deletion),
    scaling?.reason === 'Draining' && yes('Draining', scaling.message),
    rolling !== undefined && yes('RollingOut', rolling),
    scaling && yes(scaling.reason, scaling.message),
    update !== undefined && yes('RollingOut', update),
    no('Idle', 'everything is as the spec says'),
  );
}

function lostText(lost: readonly PodView[]): string {
  const machines = [...new Set(lost.flatMap(({ machine = [] }) => machine))];
  const names = lost.map(({ name }) => name).join(', ');
  return `${names} should have ended and can not be asked; if ${machines.join(', ')} does not come back, say so with "kubectl delete node"`;
}

interface ReplicaFailure {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

function failureOf(found: Deployment | undefined): string | undefined {
  const { conditions = [] } = (found?.status ?? {}) as ReplicaFailure;
  return conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')?.message;
}

function degradedVerdict({ tiers, zookeeper, conflicts }: Findings): VerdictOf<'Degraded'> {
  const stalled = tiers.find(({ rollout }) => rollout.stalled !== undefined);
  const failure = tiers.map(({ state }) => failureOf(state.found)).find((message) => message !== undefined);
  const stuck = tiers.flatMap(({ state }) => state.live).find(({ trouble }) => trouble !== undefined);
  const refusal = tiers.map(({ scale }) => scale.refusal).find((text) => text !== undefined);
  const lost = [...tiers.flatMap(({ state }) => state.lost), ...(zookeeper?.lost ?? [])];
  const foreign = tiers.map((tier) => tier.foreign).find((text) => text !== undefined);
  const isImage = stuck?.trouble?.startsWith('ImagePullBackOff') === true || stuck?.trouble?.startsWith('InvalidImageName') === true;
  return firstOf<VerdictOf<'Degraded'>>(
    conflicts.length > 0 && yes('ResourceConflict', conflicts.join('; ')),
    stalled && yes('RolloutStalled', stalled.rollout.stalled!),
    stuck && yes(isImage ? 'ImagePullFailed' : 'PodsFail', `${stuck.name}: ${stuck.trouble}; see "kubectl describe pod ${stuck.name}"`),
    failure !== undefined && yes(/quota/.test(failure) ? 'QuotaExceeded' : 'PodsRefused', failure),
    zookeeper?.problem !== undefined && yes('QuorumAtRisk', zookeeper.problem),
    refusal !== undefined && yes('ShrinkRefused', refusal),
    foreign !== undefined && yes('ForeignAutoscaler', foreign),
    lost.length > 0 && yes('MachineLost', lostText(lost)),
    no('AsExpected', 'nothing needs a person'),
  );
}

function discoveryVerdict({ cluster, tiers, zookeeper }: Findings): VerdictOf<'DiscoveryHealthy'> {
  const [primary = ''] = podDirectories(cluster);
  const nodes = tiers.flatMap(({ state }) => state.live).filter(({ node }) => node !== undefined);
  const lost = nodes.filter(({ node }) => node!.lostDirectories.length > 0);
  const which = [...new Set(lost.flatMap(({ node }) => node!.lostDirectories))].join(', ');
  return firstOf<VerdictOf<'DiscoveryHealthy'>>(
    zookeeper !== undefined &&
      !zookeeper.hasQuorum &&
      no('NoQuorum', `${zookeeper.text}; nodes go on with the members that they knew last`),
    lost.length > 0 &&
      no(
        'DirectoryLost',
        `${which} is not reached by ${lost.map(({ name }) => name).join(', ')}; nodes go on with the members that they knew last`,
      ),
    nodes.length === 0 && unknown('NobodyAsked', 'no node has answered yet'),
    yes('Reached', zookeeper === undefined ? `${primary} is reached by all nodes` : `${zookeeper.text}, reached by all nodes`),
  );
}
