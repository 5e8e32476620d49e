// A list that comes as the beginning of a watch: everything that is there, one by one, until a bookmark says that this was all.

import { KubeError } from './error.ts';
import { keyOf, type KubeObject, type WatchEvent } from './types.ts';

/** On the bookmark that ends it. */
const END = 'k8s.io/initial-events-end';

/** What a watch has to be asked so that it begins with a list. */
export const initialEventsQuery = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const;

export class InitialEvents<T extends KubeObject> {
  readonly items = new Map<string, T>();
  /** Where the watch goes on; undefined until all is there. */
  position: string | undefined;

  /** What changes meanwhile may come in between. Returns the position once it is there. */
  take({ type, object }: WatchEvent<T>, keep: (object: T) => T): string | undefined {
    const { metadata } = object;
    if (type === 'DELETED') this.items.delete(keyOf(object));
    else if (type !== 'BOOKMARK') this.items.set(keyOf(object), keep(object));
    else if (metadata?.annotations?.[END] === 'true') this.position = metadata.resourceVersion;
    return this.position;
  }
}

/** Whether a server says that it does not begin watches with lists. */
export function isUnknownToServer(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 400 || error.status === 422);
}
