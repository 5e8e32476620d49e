// What a reflector is given, the rules that it goes by, and what it tells of itself.

import type { Logger } from '../ops/log.ts';
import type { BackoffRules } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';

/** Before it happened, and after: one of both is undefined when an object came or went. */
export interface Change<T> {
  readonly key: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface ReflectorOptions<T> {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  /** pathOf(kind), with a namespace or without. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Told after `items` has them: all differences of a list at once, those of a watch one by one. What it throws is logged. */
  readonly changed?: (changes: readonly Change<T>[]) => void;
  /** What is kept of an object. Default: everything but managedFields, which can be larger than the object. */
  readonly keep?: (object: T) => T;
  readonly log: Logger;
  readonly clock?: Clock;
  /** A number from 0 to 1. */
  readonly random?: () => number;
  readonly rules?: Partial<ReflectorRules>;
}

export interface ReflectorRules {
  readonly backoff: BackoffRules;
  /** Objects of one page of a list; fewer where pages turn out to be too large. */
  readonly pageSize: number;
  /** Whether servers are asked to send the list as the beginning of the watch; those that can not are asked for pages. */
  readonly streams: boolean;
  /** How long the server is asked to keep a watch, more or less. */
  readonly watchMs: number;
  /**
   * Servers send a bookmark every minute. A watch that is silent for longer than this hangs on a dead connection, or waits for what a server
   * that was restored from a backup will not say for long: it is given up, and all is listed again.
   */
  readonly silenceMs: number;
  /** A watch that lived for so long was a good one, whatever ended it. */
  readonly goodMs: number;
}

export const REFLECTOR_RULES: ReflectorRules = {
  backoff: { minMs: 200, maxMs: 30_000 },
  pageSize: 500,
  streams: true,
  watchMs: 290_000,
  silenceMs: 150_000,
  goodMs: 5000,
};

/** For health and metrics. */
export interface ReflectorState {
  readonly isSynced: boolean;
  /** A watch is open: whatever happens is told. */
  readonly isFollowing: boolean;
  /** Pages or streamed, to their end. */
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  /** In a row; 0 while it follows. */
  readonly failures: number;
  /** Since the last sign of life of the server: an answer, an event or a bookmark. */
  readonly quietMs: number;
  /** Since it last tried anything or heard anything: longer than any wait of its rules means that it stands still. */
  readonly stillMs: number;
  /** Why the last try failed. */
  readonly problem: string | undefined;
}
