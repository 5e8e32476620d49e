// All that the decisions about one tier look at, worked out once.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { configMapsOf, type TierConfigMaps } from './config-maps.ts';
import type { Deployment } from './deployment.ts';
import { imageFor } from './images.ts';
import { isOursOrFree, marks, nameOf } from './names.ts';
import { once } from './once.ts';
import { CONTAINER, revisionOf, tierPods } from './pod.ts';
import { podConfigOf } from './pod-config.ts';
import { clientsOf, podsOf, type PodView } from './pods.ts';
import type { PodTemplate } from './template.ts';
import type { Manifest, Observed } from './types.ts';

export interface TierState {
  readonly cluster: KimCluster;
  readonly tier: Tier;
  readonly observed: Observed;
  /** The Deployment of this KimCluster as it is. */
  readonly found: Deployment | undefined;
  readonly maps: TierConfigMaps;
  readonly template: PodTemplate;
  readonly revision: string;
  readonly image: string;
  /** What of the user's template could not be followed. */
  readonly notes: readonly string[];
  /** Pods that Kubernetes has not been told to remove. */
  readonly live: readonly PodView[];
  /** Pods that end, on machines that will tell so. */
  readonly ending: readonly PodView[];
  /** Pods that were lost with their machines. */
  readonly lost: readonly PodView[];
  /** Client connections that one pod may have. */
  readonly capacity: number;
}

export function tierState(cluster: KimCluster, tier: Tier, observed: Observed): TierState {
  const found = find(cluster, observed, 'Deployment', nameOf(cluster, tier)) as Deployment | undefined;
  const { operator } = observed;
  const maps = once(cluster, operator, `options of ${tier}`, () => configMapsOf(cluster, tier, observed));
  const image = imageFor(cluster.spec.image, found, CONTAINER, operator.image);
  const { template, notes } = once(cluster, operator, `pods of ${tier} with ${image}`, () =>
    tierPods(cluster, tier, observed, maps, image),
  );
  const pods = podsOf(cluster, tier, observed);
  const config = podConfigOf(cluster, tier, operator);
  return {
    cluster,
    tier,
    observed,
    found,
    maps,
    template,
    revision: revisionOf(template),
    image,
    notes: notes.map((note) => `spec.${tier}: ${note}`),
    live: pods.filter(({ isEnding }) => !isEnding),
    ending: pods.filter(({ isEnding, isLost }) => isEnding && !isLost),
    lost: pods.filter(({ isLost }) => isLost),
    capacity: config.max_clients * config.worker_cnt,
  };
}

/** An object of this KimCluster, or one that it takes over: what is adopted is treated with the same care. */
export function find(cluster: KimCluster, { objects }: Pick<Observed, 'objects'>, kind: string, name: string): Manifest | undefined {
  return objects.find((object) => object.kind === kind && object.metadata.name === name && isOursOrFree(cluster, object));
}

/** What the operator wrote on the Deployment. */
export function markOn({ found }: TierState, mark: keyof typeof marks): string | undefined {
  return found?.metadata.annotations?.[marks[mark]];
}

/** Whether Kubernetes has done what it was told about the number of pods. */
export function hasSettled({ found, live }: TierState): boolean {
  if (found === undefined) return false;
  const { status = {}, spec, metadata } = found;
  const replicas = spec.replicas ?? 1;
  return (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) && (status.replicas ?? 0) === replicas && live.length === replicas;
}

/** Connections of clients to all of them. */
export function connectionsOf(pods: readonly PodView[]): number {
  return pods.reduce((sum, pod) => sum + clientsOf(pod), 0);
}

/** `1 connection`, `2 connections`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
