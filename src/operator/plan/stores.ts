// Variables of a pod that come from Secrets, which the operator never reads.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { variableOf } from '../../config/overrides.ts';
import type { TierConfigMaps } from './config-maps.ts';

const PASSWORD = 'ZOOKEEPER_AUTH';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

export function secretVariables({ spec: { stores, discovery } }: KimCluster, { lasting }: TierConfigMaps): Variable[] {
  const from = (name: string, ref: { name: string; key: string }): Variable => ({ name, valueFrom: { secretKeyRef: ref } });
  const auth = discovery?.zookeeper?.authSecret;
  return [
    ...(stores?.redis === undefined ? [] : [from(variableOf('redis'), stores.redis.secretRef)]),
    ...(stores?.mysql === undefined ? [] : [from(variableOf('database'), stores.mysql.secretRef)]),
    ...(auth === undefined ? [] : [from(PASSWORD, auth), withPassword(lasting['data'] as Readonly<Record<string, string>>)]),
  ];
}

/** The kubelet puts the password in: a variable of the pod wins over one of the same name in a ConfigMap. */
function withPassword(data: Readonly<Record<string, string>>): Variable {
  const name = variableOf('zookeeper');
  const zookeeper = JSON.parse(data[name] ?? '{}') as object;
  return { name, value: JSON.stringify({ ...zookeeper, auth: `$(${PASSWORD})` }) };
}
