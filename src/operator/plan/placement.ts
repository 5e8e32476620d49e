// Where pods run: apart from each other where that can be, and not for long on a machine that is lost. The user's words take their place.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { managedOf } from './directories.ts';
import { selectorOf, type Component } from './names.ts';

const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
/** Kubernetes itself waits for 300 s. */
const LOST_SECONDS = 30;
const LOST_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;

type UserTemplate = KimCluster['spec']['gate']['template'];

/** The user's template of a component. */
export function userTemplateOf(cluster: KimCluster, component: Component): UserTemplate {
  return component === 'zookeeper' ? managedOf(cluster)?.template : cluster.spec[component]?.template;
}

export function placement(cluster: KimCluster, component: Component): Record<string, unknown> {
  const { affinity, topologySpreadConstraints, tolerations = [] } = userTemplateOf(cluster, component) ?? {};
  const labelSelector = { matchLabels: selectorOf(cluster, component) };
  return {
    affinity: affinity ?? apart(labelSelector),
    topologySpreadConstraints:
      topologySpreadConstraints?.map((spread) => ({ labelSelector, ...spread })) ??
      [HOST, ZONE].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector,
        // pods of an old revision, which leave, shall not count; a StatefulSet has no such label
        ...(component !== 'zookeeper' && { matchLabelKeys: ['pod-template-hash'] }),
      })),
    tolerations: [...tolerations, ...lostMachines(tolerations)],
  };
}

function apart(labelSelector: object): object {
  const preferred = { weight: 100, podAffinityTerm: { topologyKey: HOST, labelSelector } };
  return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preferred] } };
}

/** Patience with lost machines where the user says nothing about it. */
function lostMachines(given: readonly { readonly key?: string | undefined; readonly effect?: string | undefined }[]): object[] {
  const isGiven = (taint: string) =>
    given.some(({ key, effect }) => (key === undefined || key === taint) && (effect === undefined || effect === 'NoExecute'));
  return LOST_TAINTS.filter((taint) => !isGiven(taint)).map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: LOST_SECONDS,
  }));
}
