// Everything that is watched, in one place: by kind and key, and by owner.

import type { Change } from '../../kube/reflector.ts';
import { kindName, type Kind, type KubeObject } from '../../kube/types.ts';

export type StoreListener = (kind: Kind, change: Change<KubeObject>) => void;

interface Shelf {
  readonly byKey: Map<string, KubeObject>;
  /** Keys by the uid of each owner. */
  readonly byOwner: Map<string, Set<string>>;
}

export class Store {
  readonly #shelves = new Map<string, Shelf>();
  readonly #listeners: StoreListener[] = [];

  /** Takes what a reflector tells. Several may feed one kind, each with a namespace of its own. */
  take(kind: Kind, changes: readonly Change<KubeObject>[]): void {
    const shelf = this.#shelf(kind);
    // all of a list is here before anybody looks at a part of it
    for (const { key, after } of changes) put(shelf, key, after);
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

  /** Objects of a kind that name this uid among their owners. */
  ownedBy<T extends KubeObject>(kind: Kind, uid: string): T[] {
    const { byKey, byOwner } = this.#shelf(kind);
    return [...(byOwner.get(uid) ?? [])].map((key) => byKey.get(key) as T);
  }

  #shelf(kind: Kind): Shelf {
    const name = kindName(kind);
    const shelf = this.#shelves.get(name) ?? { byKey: new Map(), byOwner: new Map() };
    this.#shelves.set(name, shelf);
    return shelf;
  }
}

function put({ byKey, byOwner }: Shelf, key: string, after: KubeObject | undefined): void {
  for (const uid of ownersOf(byKey.get(key))) {
    const keys = byOwner.get(uid);
    keys?.delete(key);
    if (keys?.size === 0) byOwner.delete(uid);
  }
  if (after === undefined) return void byKey.delete(key);
  byKey.set(key, after);
  for (const uid of ownersOf(after)) byOwner.set(uid, (byOwner.get(uid) ?? new Set()).add(key));
}

function ownersOf(object: KubeObject | undefined): string[] {
  return (object?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
}
