// Everything that is watched, in one place: by kind and name, and by whom it matters to.

import type { Change } from '../../kube/reflector.ts';
import { kindName, type Kind, type KubeObject } from '../../kube/types.ts';

export type StoreListener = (kind: Kind, change: Change<KubeObject>) => void;

interface Shelf {
  readonly byKey: Map<string, KubeObject>;
  /** Objects by the key that they matter to. */
  readonly byReader: Map<string, Map<string, KubeObject>>;
}

/** The keys of reconciles that an object matters to: "namespace/name". */
export type KeysOf = (object: KubeObject) => readonly string[];

export class Store {
  readonly #shelves = new Map<string, Shelf>();
  readonly #listeners: StoreListener[] = [];
  readonly #keysOf: ReadonlyMap<string, KeysOf>;

  /** `keysOf`: by `kindName`; of other kinds nothing is found by whom it matters to. */
  constructor(keysOf: ReadonlyMap<string, KeysOf> = new Map()) {
    this.#keysOf = keysOf;
  }

  /** Takes what a reflector tells. Several may feed one kind, each with a namespace of its own. */
  take(kind: Kind, changes: readonly Change<KubeObject>[]): void {
    const shelf = this.#shelf(kind);
    // all of a list is here before anybody looks at a part of it
    const keysOf = this.#keysOf.get(kindName(kind)) ?? nobody;
    for (const { key, after } of changes) put(shelf, key, after, keysOf);
    for (const change of changes) for (const listener of this.#listeners) listener(kind, change);
  }

  /** Called after each change. */
  listen(listener: StoreListener): void {
    this.#listeners.push(listener);
  }

  /** `key`: "namespace/name". What it returns is shared: do not change it. */
  get<T extends KubeObject>(kind: Kind, key: string): T | undefined {
    return this.#shelf(kind).byKey.get(key) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind, namespace?: string): T[] {
    const all = [...this.#shelf(kind).byKey.values()] as T[];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Objects of a kind that matter to this key. It costs as much as there are of these. */
  of<T extends KubeObject>(kind: Kind, key: string): T[] {
    return [...(this.#shelf(kind).byReader.get(key)?.values() ?? [])] as T[];
  }

  #shelf(kind: Kind): Shelf {
    const name = kindName(kind);
    const shelf = this.#shelves.get(name) ?? { byKey: new Map(), byReader: new Map() };
    this.#shelves.set(name, shelf);
    return shelf;
  }
}

const nobody: KeysOf = () => [];

function put({ byKey, byReader }: Shelf, key: string, after: KubeObject | undefined, keysOf: KeysOf): void {
  const before = byKey.get(key);
  for (const reader of before === undefined ? [] : keysOf(before)) {
    const objects = byReader.get(reader);
    objects?.delete(key);
    if (objects?.size === 0) byReader.delete(reader);
  }
  if (after === undefined) return void byKey.delete(key);
  byKey.set(key, after);
  for (const reader of keysOf(after)) byReader.set(reader, (byReader.get(reader) ?? new Map<string, KubeObject>()).set(key, after));
}
