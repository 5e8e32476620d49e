// Variables of a pod that come from Secrets, which the operator never reads.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { AUTH_VARIABLE, variableOf } from '../../config/overrides.ts';

interface Variable {
  readonly name: string;
  readonly valueFrom: object;
}

export function secretVariables({ spec: { stores, discovery } }: KimCluster): Variable[] {
  const from = (name: string, ref: { name: string; key: string }): Variable => ({ name, valueFrom: { secretKeyRef: ref } });
  const auth = discovery?.zookeeper?.authSecret;
  return [
    ...(stores?.redis === undefined ? [] : [from(variableOf('redis'), stores.redis.secretRef)]),
    ...(stores?.mysql === undefined ? [] : [from(variableOf('database'), stores.mysql.secretRef)]),
    ...(auth === undefined ? [] : [from(AUTH_VARIABLE, auth)]),
  ];
}
