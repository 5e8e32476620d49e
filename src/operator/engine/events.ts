// Events for people (kubectl describe): the same one again is counted, not written anew, and no object can flood the others.

import { randomBytes } from 'node:crypto';
import type { KubeClient, RequestOptions } from '../../kube/client.ts';
import { isAway, isConflict } from '../../kube/error.ts';
import { pause, type Clock } from '../../kube/clock.ts';
import { microTime, pathOf, type Kind, type KubeObject } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';

export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase: DrainStarted. */
  readonly reason: string;
  /** What was being done: Drain. */
  readonly action: string;
  /** A sentence; at most 1024 characters are kept. */
  readonly note: string;
}

export interface RecorderOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** kimserver.io/operator */
  readonly controller: string;
  /** Of this process; at most 128 characters. */
  readonly instance: string;
  readonly rules?: Partial<EventRules>;
}

export interface EventRules {
  /** So many at once about one object ... */
  readonly burst: number;
  /** ... and then one in so long. */
  readonly refillMs: number;
  /** The same event within this time is a repetition. */
  readonly seriesMs: number;
  /** Different events that are remembered, and events that wait to be sent. */
  readonly maxKept: number;
  /** Before each further try of an event that the server could not take, in milliseconds. */
  readonly retryMs: readonly number[];
}

interface Known {
  readonly path: string;
  readonly name: string;
  count: number;
  last: number;
}

interface Sending {
  /** Of what is remembered of it. */
  readonly id: string;
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly options: RequestOptions;
}

const RULES: EventRules = { burst: 25, refillMs: 300_000, seriesMs: 360_000, maxKept: 1000, retryMs: [0, 1000, 5000, 15_000] };
const events: Kind = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' };
const MAX_NOTE = 1024;

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #rules: EventRules;
  /** Oldest first. */
  readonly #known = new Map<string, Known>();
  readonly #tokens = new Map<string, { left: number; at: number }>();
  readonly #waiting: Sending[] = [];
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#rules = { ...RULES, ...options.rules };
  }

  /** Those that were not sent: too many, or refused. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Tells of something that happened to an object. Returns at once and never throws. */
  emit(regarding: KubeObject, happening: Happening): void {
    const { clock } = this.#options;
    const { uid, namespace = 'default' } = regarding.metadata;
    const id = JSON.stringify([uid, happening.type, happening.reason, happening.note]);
    const known = this.#known.get(id);
    const now = clock.now();
    this.#known.delete(id);
    if (!this.#mayTell(uid ?? '')) {
      if (known) this.#known.set(id, { ...known, count: known.count + 1, last: now });
      this.#dropped++;
      return;
    }
    const time = microTime(clock.wall());
    if (known !== undefined && now - known.last < this.#rules.seriesMs) {
      const again = { ...known, count: known.count + 1, last: now };
      this.#keep(this.#known, id, again);
      const body = { series: { count: again.count, lastObservedTime: time } };
      return this.#send({ id, method: 'PATCH', path: known.path, options: { body, contentType: 'application/merge-patch+json' } });
    }
    const name = `${regarding.metadata.name.slice(0, 200)}.${randomBytes(6).toString('hex')}`;
    this.#keep(this.#known, id, { path: pathOf(events, { namespace, name }), name, count: 1, last: now });
    const body = this.#eventOf(regarding, happening, { namespace, name, time });
    this.#send({ id, method: 'POST', path: pathOf(events, { namespace }), options: { body } });
  }

  /** What has not been sent is not sent any more. */
  close(): void {
    this.#stop.abort();
    this.#dropped += this.#waiting.splice(0).length;
  }

  /** Resolves when all are sent, or after `ms`. */
  async flush(ms: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#sending?.finally(() => over.abort()), pause(this.#options.clock, this.#sending ? ms : 0, over.signal)]);
  }

  #eventOf(
    { apiVersion, kind, metadata }: KubeObject,
    { type, reason, action, note }: Happening,
    at: { namespace: string; name: string; time: string },
  ) {
    const { controller, instance } = this.#options;
    return {
      apiVersion: events.apiVersion,
      kind: events.kind,
      metadata: { namespace: at.namespace, name: at.name },
      eventTime: at.time,
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      regarding: { apiVersion, kind, name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      type,
      reason,
      action,
      note: note.slice(0, MAX_NOTE),
    };
  }

  #mayTell(uid: string): boolean {
    const { burst, refillMs } = this.#rules;
    const now = this.#options.clock.now();
    const { left, at } = this.#tokens.get(uid) ?? { left: burst, at: now };
    const tokens = Math.min(burst, left + (now - at) / refillMs);
    this.#tokens.delete(uid);
    this.#keep(this.#tokens, uid, { left: tokens < 1 ? tokens : tokens - 1, at: now });
    return tokens >= 1;
  }

  #send(sending: Sending): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= this.#rules.maxKept) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(sending);
    this.#sending ??= this.#work().finally(() => (this.#sending = undefined));
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#deliver(next);
      } catch (error) {
        this.#dropped++;
        // what the server does not have, or has forgotten meanwhile, can not be counted on: the next time it is news
        this.#known.delete(next.id);
        this.#options.log.debug('event not sent', { error });
      }
    }
  }

  /** A server that is away for a moment costs no event. Names are never used twice, so one that is there already is this one. */
  async #deliver({ method, path, options }: Sending): Promise<void> {
    const { signal } = this.#stop;
    for (let tries = 0; ; tries++) {
      try {
        return await this.#options.client.request(method, path, { ...options, signal });
      } catch (error) {
        if (tries > 0 && method === 'POST' && isConflict(error)) return;
        const waitMs = this.#rules.retryMs[tries];
        if (waitMs === undefined || signal.aborted || !isAway(error)) throw error;
        if (waitMs > 0) await pause(this.#options.clock, waitMs, signal);
      }
    }
  }

  /** The oldest goes when there are too many. */
  #keep<T>(map: Map<string, T>, id: string, value: T): void {
    map.set(id, value);
    const oldest = map.keys().next().value;
    if (map.size > this.#rules.maxKept && oldest !== undefined) map.delete(oldest);
  }
}
