// One of several does the work: a Lease object says who. Time is judged by our own clock alone, and who can not renew stops writing at once.
//
//   standby --not renewed for its duration, as seen from here--> leader --not renewed in time, or taken--> lost (for ever: end the process)

import { jittered } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { pause, type Clock } from '../../kube/clock.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import { microTime } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';
import { LeaseAtServer, type LeaseObject, type LeaseSpec } from './lease-object.ts';

export interface LeaseRules {
  /** After which others may take a lease that is not renewed. */
  readonly durationMs: number;
  /** After which its holder stops writing; less than the duration, so that two never write at once. */
  readonly renewDeadlineMs: number;
  /** Between tries. */
  readonly retryMs: number;
}

export interface LeaseOptions {
  readonly client: Pick<KubeClient, 'get' | 'request'>;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of any other process that ever runs. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number from 0 to 1. */
  readonly random?: () => number;
  readonly rules?: LeaseRules;
}

/** Thrown in place of a write by who is not, or no longer, the leader. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
}

/** For each of the two requests that give it back. */
const RELEASE_MS = 2000;
/** What release() takes at most. */
export const LONGEST_RELEASE_MS = 2 * RELEASE_MS;

const RULES: LeaseRules = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

export class Lease {
  /** Resolves when this process is the leader. */
  readonly acquired: Promise<void>;
  /** Resolves with the reason when it was the leader and is no longer: nothing of it may go on. */
  readonly lost: Promise<string>;
  readonly #options: LeaseOptions;
  readonly #rules: LeaseRules;
  readonly #server: LeaseAtServer;
  readonly #stop = new AbortController();
  readonly #acquire = Promise.withResolvers<void>();
  readonly #lose = Promise.withResolvers<string>();
  /** As we saw it last, and when it was last seen to change. */
  #seen: { readonly lease: LeaseObject; readonly at: number } | undefined;
  /** When the last renewal that went well was begun, by both clocks. */
  #renewed: { readonly at: number; readonly wall: number } | undefined;
  #isLost = false;
  #contested = 0;
  #running: Promise<void> | undefined;
  #lastStep: number;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#rules = options.rules ?? RULES;
    this.#server = new LeaseAtServer(options.client, { namespace: options.namespace, name: options.name });
    this.#lastStep = options.clock.now();
    this.acquired = this.#acquire.promise;
    this.lost = this.#lose.promise;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Whether this process may write now. Both clocks are asked: one stands still while a machine sleeps, the other jumps when it is set.
   * After a jump of the time of day nothing is written until the lease has been renewed.
   */
  get isLeader(): boolean {
    if (this.#isLost || this.#renewed === undefined) return false;
    const { clock } = this.#options;
    const { renewDeadlineMs } = this.#rules;
    return clock.now() - this.#renewed.at < renewDeadlineMs && clock.wall().getTime() - this.#renewed.wall < renewDeadlineMs;
  }

  /** Throws a NotLeaderError. Call it right before each write. */
  assertLeader(): void {
    if (!this.isLeader) throw new NotLeaderError(`${this.#options.identity} is not the leader, so nothing was written`);
  }

  /** Who holds it, as far as we know. */
  get holder(): string | undefined {
    return this.#seen?.lease.spec.holderIdentity || undefined;
  }

  /** Renewals that found that somebody had changed it, and had to look. */
  get contested(): number {
    return this.#contested;
  }

  /** Since it last tried anything, in milliseconds: much more than a try takes means that it stands still. */
  get stillMs(): number {
    return this.#running === undefined || this.#isLost ? 0 : this.#options.clock.now() - this.#lastStep;
  }

  /** Gives it back, so that others need not wait. Call it when nothing writes any more. Never throws. */
  async release(): Promise<void> {
    const { log, clock } = this.#options;
    this.#stop.abort();
    await this.#running;
    const wasLeader = this.isLeader;
    this.#isLost = true;
    this.#lose.resolve('it was given back');
    if (!wasLeader) return;
    try {
      const lease = await this.#server.get(this.#limits);
      if (lease?.spec.holderIdentity !== this.#options.identity) return;
      const now = microTime(clock.wall());
      await this.#server.replace(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now }, this.#limits);
    } catch (error) {
      log.warn('lease not given back', { error });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, log, random = Math.random } = this.#options;
    while (!signal.aborted && !this.#isLost) {
      this.#lastStep = clock.now();
      try {
        await (this.#renewed === undefined ? this.#tryToTake() : this.#renew());
      } catch (error) {
        if (!signal.aborted) log.warn('lease not reached', { holder: this.holder, error });
      }
      this.#judge();
      if (!this.#isLost) await pause(clock, Math.min(jittered(this.#rules.retryMs, random()), this.#leftMs), signal);
      this.#judge();
    }
  }

  /** Who did not renew in time has lost it, whatever the server would say. */
  #judge(): void {
    if (this.#renewed === undefined || this.#stop.signal.aborted) return;
    const ms = this.#options.clock.now() - this.#renewed.at;
    if (ms >= this.#rules.renewDeadlineMs) this.#lostBy(`it could not be renewed for ${Math.round(ms)} ms`);
  }

  #lostBy(reason: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#options.log.error('lease lost', { reason });
    this.#lose.resolve(reason);
  }

  async #tryToTake(): Promise<void> {
    const { clock, identity } = this.#options;
    const lease = await this.#server.get(this.#limits);
    if (lease === undefined) return this.#write(undefined, { leaseTransitions: 0 });
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = lease.spec;
    const known = this.#seen;
    // the holder's clock may be wrong by hours: what counts is how long we have seen it unchanged
    if (known === undefined || known.lease.metadata.resourceVersion !== lease.metadata.resourceVersion)
      this.#seen = { lease, at: clock.now() };
    const unchangedMs = clock.now() - this.#seen!.at;
    const isFree = !holderIdentity || holderIdentity === identity;
    if (!isFree && unchangedMs < (leaseDurationSeconds ?? this.#rules.durationMs / 1000) * 1000) return;
    await this.#write(lease, { leaseTransitions: (leaseTransitions ?? 0) + 1 });
  }

  async #renew(): Promise<void> {
    const { lease } = this.#seen!;
    try {
      await this.#write(lease, lease.spec);
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      this.#contested++;
      // an answer may have been lost on its way: then the change was our own
      const now = await this.#server.get(this.#limits);
      if (now?.spec.holderIdentity !== this.#options.identity) return this.#lostBy(`${now?.spec.holderIdentity || 'nobody'} holds it now`);
      await this.#write(now, now.spec);
    }
  }

  /** Writes that we hold it, as long as it is as we saw it. */
  async #write(lease: LeaseObject | undefined, spec: LeaseSpec): Promise<void> {
    const { clock, identity, log } = this.#options;
    const begin = { at: clock.now(), wall: clock.wall().getTime() };
    const now = microTime(clock.wall());
    const isNew = this.#renewed === undefined;
    const held = {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#rules.durationMs / 1000),
      renewTime: now,
      acquireTime: isNew ? now : spec.acquireTime,
    };
    const written =
      lease === undefined ? await this.#server.create(held, this.#limits) : await this.#server.replace(lease, held, this.#limits);
    this.#seen = { lease: written, at: clock.now() };
    this.#renewed = begin;
    if (!isNew || this.#stop.signal.aborted) return;
    log.info('lease taken', { identity, name: this.#options.name });
    this.#acquire.resolve();
  }

  /** Until it is lost, unless it is renewed. */
  get #leftMs(): number {
    return this.#renewed === undefined ? Infinity : this.#renewed.at + this.#rules.renewDeadlineMs - this.#options.clock.now();
  }

  /** One that hangs must leave time for another, and none may outlast the lease: who holds it is told in time that it is lost. */
  get #limits(): { timeoutMs: number; signal?: AbortSignal } {
    const { signal } = this.#stop;
    if (signal.aborted) return { timeoutMs: RELEASE_MS };
    return { timeoutMs: Math.max(1, Math.min(this.#rules.renewDeadlineMs / 2, this.#leftMs)), signal };
  }
}
