// Definitions of kinds for an API server of the tests, that of KimClusters before all.

import { readFileSync } from 'node:fs';
import { CRD_NAME } from '../../src/operator/crd/crd.ts';
import type { Kube, KubeObject } from './kube/kube.ts';

/** The file as it is shipped. */
export const definition = readFileSync(new URL(`../../crds/${CRD_NAME}.yaml`, import.meta.url), 'utf8');

interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Resolves when the API server knows the kind. */
export async function define(kube: Kube, name: string, what: Parameters<Kube['apply']>[0]): Promise<void> {
  await kube.apply(what);
  // "kubectl wait" fails where there is no condition at all yet
  await kube.waitFor<Definition>(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldSelector=metadata.name%3D${name}`,
    ([found]) => found?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true,
    `${name} are known`,
  );
}

export function defineClusters(kube: Kube): Promise<void> {
  return define(kube, CRD_NAME, definition);
}
