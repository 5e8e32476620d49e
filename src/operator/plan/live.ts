// What changes in running pods: the number of workers, and options that need no new process. No connection is closed by it.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { optionOf, type OptionKey } from '../../config/options.ts';
import { isSame } from '../../kube/json.ts';
import { once } from './once.ts';
import { podConfigOf, settingsOf } from './pod-config.ts';
import { timeOf, type PodView } from './pods.ts';
import type { TierState } from './tier.ts';
import type { Action } from './types.ts';

/** More than a spec is ever changed. */
const WISHES = 1_000_000;

/** Nodes that drain are left alone, and those that do not answer are asked again in the next pass. */
export function liveActions(state: TierState): Action[] {
  const { cluster, tier, observed } = state;
  const generation = wishOf(cluster);
  const config = podConfigOf(cluster, tier, observed.operator);
  const wanted = once(cluster, observed.operator, `settings of ${tier}`, () => settingsOf(config));
  return reachable(state).flatMap((pod): Action[] => {
    const { name, node } = pod;
    const different = differences(wanted, pod, state.revision);
    return [
      ...(node!.workers === config.worker_cnt ? [] : [{ kind: 'setWorkers', pod: name, count: config.worker_cnt, generation } as const]),
      ...(Object.keys(different).length === 0 ? [] : [{ kind: 'setSettings', pod: name, config: different, generation } as const]),
    ];
  });
}

/** Goes up with every change of the spec, and with every KimCluster of this name: pods may be older than the one that they obey now. */
function wishOf({ metadata }: KimCluster): number {
  const { creationTimestamp } = metadata as { readonly creationTimestamp?: string };
  return ((timeOf(creationTimestamp) ?? 0) / 1000) * WISHES + (metadata.generation ?? 0);
}

function reachable({ live }: TierState): PodView[] {
  return live.filter(({ node, drain }) => node?.state === 'serving' && drain === undefined);
}

/** A node of another version may not know all options; one of another revision may not have the modules that new routes are for. */
function differences(wanted: Readonly<Record<string, unknown>>, { node, revision }: PodView, newest: string): Record<string, unknown> {
  const isFor = (key: string) => key in node!.config && (revision === newest || optionOf(key as OptionKey).apply === 'live');
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => isFor(key) && !isSame(value, node!.config[key])));
}
