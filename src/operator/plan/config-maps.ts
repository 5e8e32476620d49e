// The ConfigMaps of a tier: one that never changes for what needs a new pod, named by its contents, and one that lives for the rest.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { canonical } from '../../kube/json.ts';
import { metaOf, nameOf } from './names.ts';
import { lastingOf, liveOf, podConfigOf } from './pod-config.ts';
import type { Manifest, Observed } from './types.ts';

/** File of the options in the live ConfigMap. */
export const CONFIG_FILE = 'node.json';
const KIND_LABEL = 'kimserver.io/config';
const HASH_LENGTH = 10;

export interface TierConfigMaps {
  readonly lasting: Manifest;
  readonly live: Manifest;
  /** Of what needs a new pod. */
  readonly hash: string;
}

export function configMapsOf(cluster: KimCluster, tier: Tier, { operator, hash }: Pick<Observed, 'operator' | 'hash'>): TierConfigMaps {
  const config = podConfigOf(cluster, tier, operator);
  const data = lastingOf(config);
  const short = hash(canonical(data)).slice(0, HASH_LENGTH);
  const lasting: Manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(cluster, tier, nameOf(cluster, tier, short), { labels: { [KIND_LABEL]: 'lasting' } }),
    immutable: true,
    data,
  };
  const live: Manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(cluster, tier, nameOf(cluster, tier, 'live'), { labels: { [KIND_LABEL]: 'live' } }),
    data: { [CONFIG_FILE]: `${JSON.stringify(liveOf(config), undefined, 2)}\n` },
  };
  return { lasting, live, hash: short };
}

/** Whether this is a ConfigMap of the kind that is kept for a while when nothing new needs it. */
export function isLasting({ kind, metadata: { labels = {} } }: Manifest): boolean {
  return kind === 'ConfigMap' && labels[KIND_LABEL] === 'lasting';
}
