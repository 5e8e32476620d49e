// Whether the cluster knows KimClusters as this version of the operator writes them.

import type { KubeClient } from '../../kube/client.ts';
import { isNotFound, KubeError } from '../../kube/error.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';
import { CRD_REVISION, REVISION_ANNOTATION } from '../crd/crd.ts';

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kimclusters.kimserver.io';
/** What a person types where the definition is missing or older. */
export const DEFINITION_CURE =
  'kubectl apply --server-side -f crds/kimclusters.kimserver.io.yaml (of this version), or upgrade the chart with crds.install';

/** Throws one sentence with the command that cures it. A newer definition is none of its business: it knows more fields. */
export async function mustKnowKimClusters(client: Pick<KubeClient, 'get'>, log: Logger): Promise<void> {
  let definition: KubeObject;
  try {
    definition = await client.get<KubeObject>(PATH);
  } catch (error) {
    if (isNotFound(error)) throw new Error(`this cluster does not know KimClusters: ${DEFINITION_CURE}`, { cause: error });
    if (!(error instanceof KubeError && error.status === 403)) throw error;
    log.warn('the definition of KimClusters can not be read, so its version is not checked', { problem: error.message });
    return;
  }
  const found = Number(definition.metadata.annotations?.[REVISION_ANNOTATION] ?? 0);
  if (found >= CRD_REVISION) return;
  throw new Error(
    `the definition of KimClusters is of revision ${found}, this operator writes fields of revision ${CRD_REVISION}, which the API server would drop: ${DEFINITION_CURE}`,
  );
}
