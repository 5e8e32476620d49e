// The objects of a Kubernetes in memory, with the history that watches read. Only what a client can see of one.

import type { KubeObject } from '../../src/kube/types.ts';

export type Stored = KubeObject & Record<string, unknown>;

export interface Entry {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: Stored;
}

export class KubeMemory {
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly history: Entry[] = [];
  version = 100;
  #uids = 0;

  /** Watches from before it are answered with 410. */
  compacted = 0;

  list(collection: string, namespace?: string): Stored[] {
    const all = [...(this.#objects.get(collection)?.values() ?? [])];
    return all.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  }

  get(collection: string, namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(collection)?.get(`${namespace ?? ''}/${name}`);
  }

  /** Makes or changes; what is the same stays as it is. */
  put(collection: string, given: object): Stored {
    const object = given as Stored;
    const { namespace, name } = object.metadata;
    const before = this.get(collection, namespace, name);
    const plain = (one: Stored) => JSON.stringify({ ...one, metadata: { ...one.metadata, resourceVersion: undefined } });
    const uid = object.metadata.uid ?? before?.metadata.uid ?? `uid-${++this.#uids}`;
    const made = { ...object, metadata: { ...object.metadata, uid } };
    if (before && plain(before) === plain(made)) return before;
    const after = { ...made, metadata: { ...made.metadata, resourceVersion: String(++this.version) } };
    const objects = this.#objects.get(collection) ?? new Map<string, Stored>();
    this.#objects.set(collection, objects.set(`${namespace ?? ''}/${name}`, after));
    this.history.push({ version: this.version, type: before ? 'MODIFIED' : 'ADDED', collection, object: after });
    return after;
  }

  remove(collection: string, namespace: string | undefined, name: string): Stored | undefined {
    const before = this.get(collection, namespace, name);
    if (before === undefined) return undefined;
    this.#objects.get(collection)?.delete(`${namespace ?? ''}/${name}`);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(++this.version) } };
    this.history.push({ version: this.version, type: 'DELETED', collection, object });
    return object;
  }
}

/** Server-side apply as far as one manager goes: maps are merged, lists replaced, what is null goes. */
export function merged(before: unknown, after: unknown): unknown {
  if (!isMap(before) || !isMap(after)) return after;
  const all = { ...before };
  for (const [key, value] of Object.entries(after)) {
    if (value === null) delete all[key];
    else all[key] = merged(before[key], value);
  }
  return all;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
