// One line of a watch: what happened to which object, or why the watch can not go on.

import { KubeError, type KubeStatus } from './error.ts';
import type { WatchEvent } from './types.ts';

/** Throws a KubeError for what is no event, and for what the server says instead of one. `doing`: "cannot watch /api/v1/pods". */
export function eventOf<T>(line: string, doing: string): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw KubeError.own('BadAnswer', `${doing}: a line is not JSON: ${line.slice(0, 80)}`, error);
  }
  const { type, object } = event ?? {};
  if (typeof object !== 'object' || object === null)
    throw KubeError.own('BadAnswer', `${doing}: a line has no object: ${line.slice(0, 80)}`);
  if (type === 'ERROR') {
    const status = object as KubeStatus;
    throw KubeError.answered(doing, status.code ?? 500, status);
  }
  if (!eventTypes.some((known) => known === type)) throw KubeError.own('BadAnswer', `${doing}: there is no event "${String(type)}"`);
  return { type, object } as WatchEvent<T>;
}

const eventTypes = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'];
