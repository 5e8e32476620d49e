// Autoscalers: whose business they are, and which Deployments they write themselves.

import type { KubeObject } from '../../kube/types.ts';
import type { Store } from '../engine/store.ts';
import { autoscalers } from './kinds.ts';

interface Autoscaler extends KubeObject {
  readonly spec?: { readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string } };
}

/** KimClusters that have to know of it. */
export function keysOfAutoscaler(object: KubeObject): string[] {
  const { kind, name = '' } = (object as Autoscaler).spec?.scaleTargetRef ?? {};
  const cluster = kind === 'KimCluster' ? name : kind === 'Deployment' ? name.replace(/-(gate|logic)$/, '') : '';
  return cluster === '' ? [] : [`${object.metadata.namespace ?? ''}/${cluster}`];
}

/** Whether an autoscaler changes the number of pods of this Deployment: what it has set since we looked is not overwritten. */
export function isAutoscaled({ kind, metadata: { namespace, name } }: KubeObject, store: Store): boolean {
  return (
    kind === 'Deployment' &&
    store.list<Autoscaler>(autoscalers, namespace).some(({ spec }) => {
      const target = spec?.scaleTargetRef;
      return target?.kind === 'Deployment' && target.name === name;
    })
  );
}
