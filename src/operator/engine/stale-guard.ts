// Remembers what we wrote until the copy has seen it: whoever decides by an older copy would do things twice.

import type { Clock } from '../../kube/clock.ts';
import type { Change } from '../../kube/reflector.ts';
import { isOlder, keyOf, kindName, type Kind, type KubeObject } from '../../kube/types.ts';
import type { Store } from './store.ts';

interface Expected {
  /** The version that our write made; undefined: we removed it. */
  readonly version: string | undefined;
  readonly uid: string | undefined;
  readonly since: number;
}

/** A write that never shows (somebody took the object out of what we watch) must not hold us up for ever. */
const MAX_MS = 30_000;

export class StaleGuard {
  readonly #store: Store;
  readonly #clock: Clock;
  /** By the key that is reconciled, then by object. */
  readonly #expected = new Map<string, Map<string, Expected>>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    store.listen((kind, change) => this.#saw(kind, change));
  }

  /** We wrote this while reconciling `key`. */
  wrote(key: string, kind: Kind, { metadata }: KubeObject): void {
    const copy = this.#store.get(kind, keyOf({ metadata }));
    const { resourceVersion: version, uid } = metadata;
    // the watch is often faster than the answer
    if (copy === undefined || copy.metadata.uid !== uid || isOlder(copy.metadata.resourceVersion, version))
      this.#expect(key, idOf(kind, keyOf({ metadata })), { version, uid, since: this.#clock.now() });
  }

  /** We removed this while reconciling `key`; an object that waits for its finalizers is as good as gone. */
  removed(key: string, kind: Kind, { metadata }: KubeObject): void {
    const copy = this.#store.get(kind, keyOf({ metadata }));
    if (copy?.metadata.uid !== metadata.uid || copy?.metadata.deletionTimestamp !== undefined) return;
    this.#expect(key, idOf(kind, keyOf({ metadata })), { version: undefined, uid: metadata.uid, since: this.#clock.now() });
  }

  /** Our writes for `key` that the copy has not seen: do not act on it before there are none. */
  behind(key: string): readonly string[] {
    const all = this.#expected.get(key);
    if (all === undefined) return [];
    for (const [id, { since }] of all) if (this.#clock.now() - since > MAX_MS) all.delete(id);
    if (all.size === 0) this.#expected.delete(key);
    return [...all.keys()];
  }

  /** Nobody reconciles `key` any more. */
  forget(key: string): void {
    this.#expected.delete(key);
  }

  #expect(key: string, id: string, expected: Expected): void {
    const all = this.#expected.get(key) ?? new Map<string, Expected>();
    this.#expected.set(key, all.set(id, expected));
  }

  #saw(kind: Kind, { key, before, after }: Change<KubeObject>): void {
    const id = idOf(kind, key);
    for (const [reconciled, all] of this.#expected) {
      const expected = all.get(id);
      if (expected === undefined || !isMet(expected, before, after)) continue;
      all.delete(id);
      if (all.size === 0) this.#expected.delete(reconciled);
    }
  }
}

function isMet({ version, uid }: Expected, before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  if (version === undefined) return after?.metadata.uid !== uid || after?.metadata.deletionTimestamp !== undefined;
  // what came and went is told as it was at the end
  return !isOlder((after ?? before)?.metadata.resourceVersion, version);
}

function idOf(kind: Kind, key: string): string {
  return `${kindName(kind)} ${key}`;
}
