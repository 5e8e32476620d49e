// What a controller is made from: what it watches, what it does with a key, and the rules that it goes by.

import type { KubeAccess } from '../../kube/access.ts';
import type { BackoffRules } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { RateRules } from '../../kube/limiter.ts';
import type { ReflectorRules } from '../../kube/reflector.ts';
import type { Kind, KubeObject } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';
import type { Applier } from './apply.ts';
import type { Recorder } from './events.ts';
import type { Health } from './health.ts';
import { LONGEST_RELEASE_MS, type LeaseRules } from './lease.ts';
import { LAST_MS, type Result } from './runner.ts';
import type { StaleGuard } from './stale-guard.ts';
import type { KeysOf, Store } from './store.ts';

/** What is watched besides the objects that are reconciled. */
export interface Watched {
  readonly kind: Kind;
  /** All that is applied of this kind must carry these labels: what is written and never seen holds its key up for 30 s. */
  readonly labelSelector?: string;
  /** Whose reconcile an object matters to; default: that of its controller, if it is of the primary kind. */
  readonly keysOf?: KeysOf;
}

export interface Request<T> {
  /** "namespace/name" */
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** As the copy has it; undefined: it is gone. */
  readonly object: T | undefined;
  /** Its time is over, or this process stops. */
  readonly signal: AbortSignal;
}

/** What a reconcile works with. */
export interface Tools {
  readonly client: KubeClient;
  readonly store: Store;
  readonly applier: Applier;
  readonly events: Recorder;
  /** To be told of what is written by `client`; the applier tells it by itself. */
  readonly guard: StaleGuard;
  /** Throws when this process must not change anything any more: to be called before changes that do not go through `client`. */
  assertLeader(): void;
}

export interface ControllerOptions<T extends KubeObject> {
  readonly name: string;
  readonly access: KubeAccess;
  /** Objects of this kind are reconciled. */
  readonly primary: Kind;
  readonly watched: readonly Watched[];
  /** Where; default: in all of them. */
  readonly namespaces?: readonly string[];
  readonly reconcile: (request: Request<T>, tools: Tools) => Promise<Result>;
  /** Of this process: unlike that of any other that ever runs. */
  readonly identity: string;
  /** Where its checks are added; default: one of its own. */
  readonly health?: Health;
  /** Without it this process takes itself for the only one. */
  readonly lease?: { readonly namespace: string; readonly name: string; readonly rules?: LeaseRules };
  readonly log: Logger;
  readonly clock?: Clock;
  /** A number from 0 to 1. */
  readonly random?: () => number;
  readonly rules?: Partial<ControllerRules>;
}

export interface ControllerRules {
  /** Keys at a time. */
  readonly concurrency: number;
  /** Every object is looked at after so long, more or less, though nothing changed. */
  readonly resyncMs: number;
  /** What changes together is looked at once: so long after the first change. */
  readonly settleMs: number;
  readonly timeoutMs: number;
  /** What running reconciles are given to come to their end when this process stops. */
  readonly graceMs: number;
  readonly reflector: Partial<ReflectorRules>;
  /** Requests to the API server, but for watches and the lease. */
  readonly requests: RateRules;
  /** Between tries of a key that fails. */
  readonly backoff: BackoffRules;
}

export const CONTROLLER_RULES: ControllerRules = {
  concurrency: 4,
  resyncMs: 600_000,
  settleMs: 50,
  timeoutMs: 60_000,
  graceMs: 15_000,
  reflector: {},
  requests: { perSecond: 200, burst: 400 },
  backoff: { minMs: 200, maxMs: 300_000 },
};

/** For events that have not been told yet when the process stops, in milliseconds. */
export const FLUSH_MS = 2000;

/** What stop() takes at most, in milliseconds: a process that is killed before has not given its lease back. */
export function longestStopMs({ graceMs }: Pick<ControllerRules, 'graceMs'>): number {
  return graceMs + LAST_MS + FLUSH_MS + LONGEST_RELEASE_MS;
}
