// Whether what is there is what we want: the server adds defaults and others add fields, so only what we want is compared.

import { createHash } from 'node:crypto';

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

/** Whether two values say the same. Nothing is made for it. */
export function isSame(a: unknown, b: unknown): boolean {
  return covers(a, b) && covers(b, a);
}

/** The same text for the same value, whatever the order of its fields; what is undefined is left out. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => (one === undefined ? 'null' : stableJson(one))).join()}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${stableJson(value[key])}`)
    .join()}}`;
}

/** Sixteen characters that stand for a value. */
export function digest(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('base64url').slice(0, 16);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
