// Whether what is there is what we want: the server adds defaults and others add fields, so only what we want is compared.

import { createHash } from 'node:crypto';
import { canonical } from '../../kube/json.ts';

/** Lists whose entries are told apart by fields, as the API has it; others may add entries. All other lists are of one piece. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  hostAliases: ['ip'],
  resourceClaims: ['name'],
  ownerReferences: ['uid'],
  conditions: ['type'],
};

/** Whether all that is wanted is there. More may be there, but not in lists of one piece. */
export function covers(there: unknown, wanted: unknown, field = ''): boolean {
  if (Array.isArray(wanted)) return Array.isArray(there) && coversList(there, wanted, listKeys[field]);
  if (isMap(wanted))
    return isMap(there) && Object.entries(wanted).every(([key, value]) => value === undefined || covers(there[key], value, key));
  return there === wanted;
}

function coversList(there: readonly unknown[], wanted: readonly unknown[], keys: readonly string[] | undefined): boolean {
  if (keys === undefined || !wanted.every(isMap))
    return there.length === wanted.length && wanted.every((value, index) => covers(there[index], value));
  return wanted.every((entry) => {
    const named = keys.filter((key) => entry[key] !== undefined);
    return there.some((other) => isMap(other) && named.every((key) => other[key] === entry[key]) && covers(other, entry));
  });
}

/** Sixteen characters that stand for a value. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url').slice(0, 16);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
